import type { Transaction } from '../../schemas/types.ts';
import { CelEvaluationError } from '../cel/celEvaluationError.ts';
import type { EvaluationContext } from '../cel/context.ts';
import { NOTHING_KNOWN } from '../cel/facts.ts';
import type { FeaturePlan } from './plan.ts';

interface ExpressionStep {
  readonly feature: number;
  readonly number: (context: EvaluationContext) => number;
  readonly whenEmpty: number;
}

/** What a catalogue's expressions make of the current payment: the bits of every `where`, and expression features. */
export class PaymentExpressions {
  readonly #plan: FeaturePlan;
  readonly #expressions: readonly ExpressionStep[];
  #context: EvaluationContext | null = null;
  /** How many could not be evaluated. */
  failed = 0;

  constructor(plan: FeaturePlan) {
    this.#plan = plan;
    this.#expressions = plan.reads.flatMap((read, feature) => {
      if (read.kind !== 'expression') return [];
      return [{ feature, number: read.feature.expression.number, whenEmpty: read.feature.whenEmpty }];
    });
  }

  /** Bit 0 is always set; a predicate has one for each combination of the facts that it reads. */
  writeBits(tx: Transaction, bits: Int32Array): void {
    const context = this.#contextFor(tx);
    bits.fill(0);
    bits[0] = 1;
    for (const { where, firstBit, combinations } of this.#plan.predicates) {
      if (where === null) continue;
      for (let index = 0; index < combinations.length; index++) {
        context.known = combinations[index]!;
        if (!this.#test(where.expression.test, context)) continue;
        const bit = firstBit + index;
        bits[bit >>> 5]! |= 1 << (bit & 31);
      }
    }
    context.known = NOTHING_KNOWN;
  }

  /** Writes the expression features, which may read every feature before them, to out[outBase...]. */
  writeFeatures(tx: Transaction, out: Float64Array, outBase: number): void {
    const context = this.#contextFor(tx);
    context.features = out;
    context.featureBase = outBase;
    for (const { feature, number, whenEmpty } of this.#expressions) {
      const value = this.#evaluateNumber(number, context);
      out[outBase + feature] = Number.isNaN(value) ? whenEmpty : value;
    }
  }

  /** One context for all payments: nothing is allocated for each. */
  #contextFor(tx: Transaction): EvaluationContext {
    const context = (this.#context ??= {
      tx,
      known: NOTHING_KNOWN,
      features: new Float64Array(0),
      featureBase: 0,
      modelScore: Number.NaN,
      modelProbability: Number.NaN,
      lists: { has: () => false, isEmpty: () => true },
    });
    context.tx = tx;
    return context;
  }

  #test(test: (context: EvaluationContext) => boolean, context: EvaluationContext): boolean {
    try {
      return test(context);
    } catch (error) {
      this.#countFailure(error);
      return false;
    }
  }

  #evaluateNumber(number: (context: EvaluationContext) => number, context: EvaluationContext): number {
    try {
      return number(context);
    } catch (error) {
      this.#countFailure(error);
      return Number.NaN;
    }
  }

  #countFailure(error: unknown): void {
    if (!(error instanceof CelEvaluationError)) throw error;
    this.failed += 1;
  }
}
