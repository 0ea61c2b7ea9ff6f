import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf } from './childrenOf.ts';
import { matchesFunction } from './scope.ts';

/** A look into a list, and at its ranges. */
const LIST_STEPS = 25;
/** RE2 on a text of some 30 characters: 4 to 6 us, whatever the pattern. */
const MATCHES_STEPS = 1_000;

/**
 * What evaluating takes at most, in steps of about 5 ns: one for each node of the tree, and what the dear functions take beside.
 * Nothing in the language repeats, so that no payment can make it more.
 */
export function costOf(node: ASTNode): number {
  let steps = 1;
  if (node.op === 'call' || node.op === 'rcall') {
    const [name] = node.args;
    if (name === matchesFunction) steps += MATCHES_STEPS;
    if (name === 'list') steps += LIST_STEPS;
  }
  for (const child of childrenOf(node)) steps += costOf(child);
  return steps;
}
