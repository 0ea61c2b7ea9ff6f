import { powerOfTwoFrom } from '../tables/powerOfTwo.ts';
import type { ColumnKernel } from './kernel/columnKernel.ts';

/**
 * The values that are, or may yet become, the least or greatest of a window, oldest first; the kernel keeps them (assembly/candidates.ts).
 * A list lies in one block, so that reading it is one memory access; a full block gives way to one twice as long, an almost empty one
 * to a shorter. Blocks serve all keys of a column. Windows that differ only in length share the longest one's list. Two kinds of list:
 * - pruned (monotonic deque): an event that a later one beats can never matter again and is dropped. About ln(n) long.
 * - whole: every event stays, because a label may yet take out the one that beats it.
 */

/** Doubles of a row that one list takes. */
export const CANDIDATE_FIELDS = 1;

/** Nodes of the least block, and bytes of a node: value and time. */
const LEAST_NODES = 4;
const NODE_BYTES = 16;
const LENGTH_MASK = 0xffff;

/** Bytes of one list's block when the list has so many candidates, more or less. */
export function candidateBlockBytes(candidates: number): number {
  return powerOfTwoFrom(Math.max(LEAST_NODES, candidates)) * NODE_BYTES;
}

/** How many candidates the list has that a row keeps at `at`. */
export function candidatesOf({ words }: ColumnKernel, at: number): number {
  return words[at * 2 + 1]! & LENGTH_MASK;
}
