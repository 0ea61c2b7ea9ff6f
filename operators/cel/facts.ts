import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf } from './childrenOf.ts';
import type { LabelKind, OutcomeKind } from '../../schemas/types.ts';

/** What became known of a payment after it came. Only feature `where` clauses may read it. */
export interface KnownFacts {
  readonly label: LabelKind | 'none';
  /** The last outcome. */
  readonly outcome: OutcomeKind | 'none';
  /** Taken back by a later payment. */
  readonly reversed: boolean;
}

export const LABELS: readonly KnownFacts['label'][] = ['none', 'fraud', 'genuine'];

export const OUTCOMES: readonly KnownFacts['outcome'][] = [
  'none',
  'authorised',
  'declined',
  'captured',
  'cancelled',
  'settled',
  'authenticationPassed',
  'authenticationFailed',
  'other',
];

export const NOTHING_KNOWN: KnownFacts = { label: 'none', outcome: 'none', reversed: false };

/** Which facts can change an expression's value. */
export interface FactsRead {
  readonly label: boolean;
  /** Outcomes that it tells from all others, in the order of OUTCOMES; those that are not here are all alike to it. */
  readonly outcomes: readonly KnownFacts['outcome'][];
  readonly reversed: boolean;
}

/** What a checked expression reads. Whatever is not a plain comparison of the outcome with a text tells all outcomes apart. */
export function factsRead(root: ASTNode): FactsRead {
  const outcomes = new Set<unknown>();
  const found = { label: false, reversed: false };
  const visit = (node: ASTNode): void => {
    const compared = comparedOutcomes(node);
    if (compared !== null) {
      for (const outcome of compared) outcomes.add(outcome);
      return;
    }
    if (node.op === 'id') {
      if (node.args === 'label') found.label = true;
      if (node.args === 'reversed') found.reversed = true;
      if (node.args === 'outcome') for (const outcome of OUTCOMES) outcomes.add(outcome);
      return;
    }
    for (const child of childrenOf(node)) visit(child);
  };
  visit(root);
  return { ...found, outcomes: OUTCOMES.filter((outcome) => outcomes.has(outcome)) };
}

export function readsAny({ label, outcomes, reversed }: FactsRead): boolean {
  return label || reversed || outcomes.length > 0;
}

/** The values of `outcome == 'x'`, `'x' != outcome` and `outcome in ['x', 'y']`; null for anything else. */
function comparedOutcomes(node: ASTNode): readonly unknown[] | null {
  if (node.op !== '==' && node.op !== '!=' && node.op !== 'in') return null;
  const [left, right] = node.args;
  if (isOutcome(left)) {
    if (right.op === 'value') return [right.args];
    if (node.op !== 'in' || right.op !== 'list') return null;
    const values = right.args.map((element) => (element.op === 'value' ? element.args : undefined));
    return values.includes(undefined) ? null : values;
  }
  return isOutcome(right) && left.op === 'value' ? [left.args] : null;
}

function isOutcome(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'outcome';
}
