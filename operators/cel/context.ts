import type { Transaction } from '../../schemas/types.ts';
import type { KnownFacts } from './facts.ts';

/** What a compiled CEL expression reads. One object is reused for every evaluation: nothing may keep it. */
export interface EvaluationContext {
  tx: Transaction;
  /** What is known of the payment by now; only feature `where` clauses may read it. */
  known: KnownFacts;
  /** Feature rows; `f.name` is features[featureBase + index of name]. NaN where undefined. */
  features: Float64Array;
  featureBase: number;
  /** `m.score`, 0 to 1000; NaN when no model scored. `m.probability` is its probability. */
  modelScore: number;
  modelProbability: number;
  lists: ListMembership;
}

export interface ListMembership {
  /** Whether `value` is on the list now. Unknown lists do not get past the compiler. */
  has(list: string, value: string): boolean;
  /** Whether nothing is on it at all. */
  isEmpty(list: string): boolean;
}
