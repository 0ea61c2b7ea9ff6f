import { powerOfTwoFrom } from '../tables/powerOfTwo.ts';
import type { ColumnKernel } from './kernel/columnKernel.ts';

/**
 * The values that are, or may yet become, the least or greatest of a window, oldest first; the kernel keeps them (assembly/candidates.ts).
 * A short list that is there as long as its key lies in the row. Others lie in one block each, so that reading one is one memory access;
 * a full block gives way to one twice as long, an almost empty one to a shorter. Blocks serve all keys of a column. Windows that differ only in length share the longest one's list. Two kinds of list:
 * - pruned (monotonic deque): an event that a later one beats can never matter again and is dropped. About ln(n) long.
 * - whole: every event stays, because a label may yet take out the one that beats it.
 */

/** Candidates for which a row has room, where it has any. */
export const ROW_CANDIDATES = 4;

/** With more values than this nearly every list is in a block. */
const ENOUGH_VALUES = 1_024;

/** Doubles of a row that one list takes with room for so many: its head, and value and time of each. */
export function candidateFields(room: number): number {
  return 1 + 2 * room;
}

/** Nodes of the least block, and bytes of a node: value and time. */
const LEAST_NODES = 4;
const NODE_BYTES = 16;
const CLASS_MASK = 15;

/** Bytes of one list's block, if it has one, when the list has so many candidates, more or less, and room for so many in the row. */
export function candidateBlockBytes(candidates: number, room: number): number {
  return powerOfTwoFrom(Math.max(room + 1, LEAST_NODES, candidates)) * NODE_BYTES;
}

/** Bytes of the block of the list that a row keeps at `at`; 0: it has none. */
export function blockBytesAt({ words }: ColumnKernel, at: number): number {
  const block = words[at * 2]!;
  return block === 0 ? 0 : (LEAST_NODES << (block & CLASS_MASK)) * NODE_BYTES;
}

/**
 * Share of the keys whose pruned list is in a block, where a key has so many values in random order: those of more candidates than the
 * row has room for, and those that had more and have not yet come down to half of that. The k-th value from the newest is a candidate
 * with the probability 1/k, whatever the others are.
 */
export function blockShare(values: number, room: number): number {
  // By number of candidates, the probability of it.
  const shares = [1, ...new Array<number>(room).fill(0)];
  for (let k = 1; k <= Math.min(Math.round(values), ENOUGH_VALUES); k++)
    for (let count = room; count >= 0; count--)
      shares[count] = shares[count]! * (1 - 1 / k) + (count === 0 ? 0 : shares[count - 1]! / k);
  const sum = (part: readonly number[]): number => part.reduce((total, share) => total + share, 0);
  const beyond = 1 - sum(shares);
  return beyond <= 0 ? 0 : beyond / (beyond + sum(shares.slice(0, Math.floor(room / 2) + 1)));
}
