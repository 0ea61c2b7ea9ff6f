import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import type { Pages } from '../tables/pages.ts';
import { powerOfTwoFrom } from '../tables/powerOfTwo.ts';
import { CandidateBlocks, CLASS_BITS, CLASS_MASK, LEAST_SHIFT, nodesOf, NODE_SHIFT } from './candidateBlocks.ts';
import { BOUNDARY, TIME, VALUE } from './eventNumbers.ts';
import { MAX_CANDIDATES_PER_KEY } from './limits.ts';

/** Where a row keeps one candidate list: [block, span], both 0 for an empty list. */
export const CANDIDATE_FIELDS = 2;

/** Of a node's two doubles the first is its value, this one its time. */
const NODE_TIME = 1;
/** Row field `span`: how many nodes the block has before the list's first, and the list's length. */
const LENGTH_BITS = 16;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
/** Longest list: the span is a 32-bit integer. */
const MAX_LENGTH = 1 << (LENGTH_BITS - 2);
const MIN_PAGE_NODES = 4_096;

/**
 * The values that are, or may yet become, the least or greatest of a window, oldest first. A list lies in one block, so that
 * reading it is one memory access; a full block gives way to one twice as long, an almost empty one to a shorter. Blocks serve
 * all keys. Windows that differ only in length share the longest one's list. Two kinds of list:
 * - pruned (monotonic deque): an event that a later one beats can never matter again and is dropped. About ln(n) long.
 * - whole: every event stays, because a label may yet take out the one that beats it.
 *
 * What is found is given as a node, a small integer: a double that a function returns costs an allocation.
 */
export class Candidates implements SavedState {
  readonly #blocks: CandidateBlocks;
  /** Those of the blocks. */
  readonly #pages: Pages<Float64Array>;
  readonly #pageShift: number;
  readonly #pageMask: number;
  #live = 0;
  #dropped = 0;
  readonly #maxPerKey: number;

  constructor(maxPerKey = MAX_CANDIDATES_PER_KEY) {
    if (maxPerKey > MAX_LENGTH)
      throw new Error(`SLUICE_STATE_LIMIT: ${maxPerKey} candidates a key, at most ${MAX_LENGTH}`);
    this.#maxPerKey = maxPerKey;
    // The longest block has twice the room of the longest list: what has left a full one gives up its place only now and then.
    const pageNodes = Math.max(MIN_PAGE_NODES, 2 * powerOfTwoFrom(maxPerKey));
    this.#blocks = new CandidateBlocks(pageNodes);
    this.#pages = this.#blocks.pages;
    this.#pageShift = this.#blocks.pageShift;
    this.#pageMask = pageNodes - 1;
  }

  get live(): number {
    return this.#live;
  }

  /** How often a list was full and its newest candidate made way. */
  get dropped(): number {
    return this.#dropped;
  }

  get byteLength(): number {
    return this.#blocks.byteLength;
  }

  /** Bytes of one list's block when the list has so many candidates, more or less. */
  static blockBytes(candidates: number): number {
    return (powerOfTwoFrom(Math.max(1 << LEAST_SHIFT, candidates)) << NODE_SHIFT) * 8;
  }

  /** Adds the event's VALUE at its TIME to a pruned list; `sign` 1 keeps greatest values, -1 least. */
  addPruned(row: Float64Array, at: number, sign: number, event: Float64Array): void {
    const length = candidatesOf(row, at);
    if (length === 0) {
      this.#insert(row, at, 0, event);
      return;
    }
    const value = sign * event[VALUE]!;
    const first = this.oldest(row, at);
    const page = this.page(first);
    const start = this.valueOffset(first);
    const place = this.#countUpTo(row, at, event);
    // Beaten by one that leaves later: it can never be the answer.
    if (place < length && sign * page[start + (place << NODE_SHIFT)]! >= value) return;
    let kept = place;
    while (kept > 0 && sign * page[start + ((kept - 1) << NODE_SHIFT)]! <= value) kept -= 1;
    if (kept === place) {
      this.#insert(row, at, place, event);
      return;
    }
    // It takes the place of the first that it beats.
    this.#write(page, start + (kept << NODE_SHIFT), event);
    const beaten = place - kept - 1;
    if (beaten === 0) return;
    move(page, start, place, kept + 1, length);
    this.#shorten(row, at, headOf(row, at), length - beaten);
  }

  /** Adds the event's VALUE at its TIME to a whole list. */
  addWhole(row: Float64Array, at: number, event: Float64Array): void {
    this.#insert(row, at, this.#countUpTo(row, at, event), event);
  }

  /** Takes one event with this TIME and VALUE out of a whole list; events alike are interchangeable. */
  removeWhole(row: Float64Array, at: number, event: Float64Array): void {
    const length = candidatesOf(row, at);
    if (length === 0) return;
    const first = this.oldest(row, at);
    const page = this.page(first);
    const start = this.valueOffset(first);
    for (let place = this.#countUpTo(row, at, event) - 1; place >= 0; place--) {
      const offset = start + (place << NODE_SHIFT);
      if (page[offset + NODE_TIME] !== event[TIME]) return;
      if (page[offset] !== event[VALUE]) continue;
      move(page, start, place + 1, place, length);
      this.#shorten(row, at, headOf(row, at), length - 1);
      return;
    }
  }

  /** Drops what has left the longest window: events at or before BOUNDARY. */
  expire(row: Float64Array, at: number, event: Float64Array): void {
    const length = candidatesOf(row, at);
    if (length === 0) return;
    const boundaryMs = event[BOUNDARY]!;
    const first = this.oldest(row, at);
    const page = this.page(first);
    const start = this.timeOffset(first);
    let expired = 0;
    while (expired < length && page[start + (expired << NODE_SHIFT)]! <= boundaryMs) expired += 1;
    if (expired > 0) this.#shorten(row, at, headOf(row, at) + expired, length - expired);
  }

  clear(row: Float64Array, at: number): void {
    if (candidatesOf(row, at) > 0) this.#shorten(row, at, 0, 0);
  }

  /**
   * Node of the greatest or least value of a pruned list that is later than BOUNDARY, 0 if there is none; from `node` on,
   * which is the answer for an earlier boundary, or the list's first. `newest` is its last.
   */
  prunedExtreme(node: number, newest: number, event: Float64Array): number {
    if (node === 0) return 0;
    const boundaryMs = event[BOUNDARY]!;
    const page = this.page(node);
    let extreme = node;
    for (let offset = this.timeOffset(node); page[offset]! <= boundaryMs; offset += 1 << NODE_SHIFT) {
      if (extreme === newest) return 0;
      extreme += 1;
    }
    return extreme;
  }

  /** Node of the greatest (sign 1) or least (sign -1) value of a whole list that is later than BOUNDARY; 0 if there is none. */
  wholeExtreme(row: Float64Array, at: number, sign: number, event: Float64Array): number {
    const length = candidatesOf(row, at);
    if (length === 0) return 0;
    const boundaryMs = event[BOUNDARY]!;
    const first = this.oldest(row, at);
    const page = this.page(first);
    const start = this.valueOffset(first);
    let best = 0;
    let bestValue = 0;
    for (let place = length - 1; place >= 0; place--) {
      const offset = start + (place << NODE_SHIFT);
      if (page[offset + NODE_TIME]! <= boundaryMs) break;
      const value = page[offset]!;
      if (best === 0 || sign * value > sign * bestValue) {
        best = first + place;
        bestValue = value;
      }
    }
    return best;
  }

  /** The oldest event's node; 0 if the list is empty. */
  oldest(row: Float64Array, at: number): number {
    return row[at] === 0 ? 0 : (((row[at]! | 0) >>> CLASS_BITS) << LEAST_SHIFT) + headOf(row, at);
  }

  /** The newest event's node; 0 if the list is empty. */
  newest(row: Float64Array, at: number): number {
    return row[at] === 0 ? 0 : this.oldest(row, at) + candidatesOf(row, at) - 1;
  }

  /** The newest event's node if it is later than BOUNDARY, else 0. */
  newestAfter(row: Float64Array, at: number, event: Float64Array): number {
    const node = this.newest(row, at);
    return node !== 0 && this.page(node)[this.timeOffset(node)]! > event[BOUNDARY]! ? node : 0;
  }

  /** Where a node lies: its value is at valueOffset(node), its time at timeOffset(node). */
  page(node: number): Float64Array {
    return this.#pages.arrayOf(node >>> this.#pageShift);
  }

  valueOffset(node: number): number {
    return this.#pages.startOf(node >>> this.#pageShift) + ((node & this.#pageMask) << NODE_SHIFT);
  }

  timeOffset(node: number): number {
    return this.valueOffset(node) + NODE_TIME;
  }

  save(output: StateOutput): void {
    output.number(this.#live);
    output.number(this.#dropped);
    this.#blocks.save(output);
  }

  load(input: StateInput): void {
    this.#live = input.number();
    this.#dropped = input.number();
    this.#blocks.load(input);
  }

  /** How many of the list's events are at or before the event's TIME. */
  #countUpTo(row: Float64Array, at: number, event: Float64Array): number {
    let count = candidatesOf(row, at);
    if (count === 0) return 0;
    const timeMs = event[TIME]!;
    const newest = this.newest(row, at);
    const page = this.page(newest);
    for (let offset = this.timeOffset(newest); count > 0 && page[offset]! > timeMs; offset -= 1 << NODE_SHIFT)
      count -= 1;
    return count;
  }

  /** Puts the event behind the list's first `before` ones; in a full list the newest makes way. */
  #insert(row: Float64Array, at: number, before: number, event: Float64Array): void {
    let length = candidatesOf(row, at);
    let place = before;
    if (length >= this.#maxPerKey) {
      length -= 1;
      row[at + 1]! -= 1;
      this.#live -= 1;
      this.#dropped += 1;
      if (place > length) place = length;
    }
    this.#makeRoom(row, at, length);
    const first = this.oldest(row, at);
    const page = this.page(first);
    const start = this.valueOffset(first);
    if (place < length) move(page, start, place, place + 1, length);
    this.#write(page, start + (place << NODE_SHIFT), event);
    row[at + 1]! += 1;
    this.#live += 1;
  }

  #write(page: Float64Array, offset: number, event: Float64Array): void {
    page[offset] = event[VALUE]!;
    page[offset + NODE_TIME] = event[TIME]!;
  }

  /** Sees to it that the list's block has a place behind its last. */
  #makeRoom(row: Float64Array, at: number, length: number): void {
    if (row[at] === 0) {
      row[at] = this.#blocks.allocate(0);
      return;
    }
    const block = row[at]! | 0;
    const capacity = nodesOf(block & CLASS_MASK);
    const head = headOf(row, at);
    if (head + length < capacity) return;
    // At least half the block is free before the list: as many have left as are now moved.
    if (head * 2 >= capacity) this.#moveTo(row, at, block, length);
    else this.#replace(row, at, (block & CLASS_MASK) + 1, length);
  }

  /** Sets head and length after events have left the list; a block of which little is used is replaced, an empty one freed. */
  #shorten(row: Float64Array, at: number, head: number, length: number): void {
    this.#live -= candidatesOf(row, at) - length;
    if (length === 0) {
      this.#blocks.release(row[at]! | 0);
      row[at] = 0;
      row[at + 1] = 0;
      return;
    }
    row[at + 1] = head * (LENGTH_MASK + 1) + length;
    const blockClass = (row[at]! | 0) & CLASS_MASK;
    if (blockClass > 0 && length << 3 <= nodesOf(blockClass)) this.#replace(row, at, blockClass - 1, length);
  }

  /** Moves the list to a block of another class. */
  #replace(row: Float64Array, at: number, blockClass: number, length: number): void {
    const old = row[at]! | 0;
    this.#moveTo(row, at, this.#blocks.allocate(blockClass), length);
    this.#blocks.release(old);
  }

  /** Moves the list to the beginning of a block, which may be its own. */
  #moveTo(row: Float64Array, at: number, block: number, length: number): void {
    const from = this.oldest(row, at);
    row[at] = block;
    row[at + 1] = length;
    const to = this.oldest(row, at);
    const source = this.page(from);
    const target = this.page(to);
    let sourceOffset = this.valueOffset(from);
    let targetOffset = this.valueOffset(to);
    for (let double = 0; double < length << NODE_SHIFT; double++) target[targetOffset++] = source[sourceOffset++]!;
  }
}

/** How many candidates the list has that a row keeps at `at`. */
export function candidatesOf(row: Float64Array, at: number): number {
  return (row[at + 1]! | 0) & LENGTH_MASK;
}

function headOf(row: Float64Array, at: number): number {
  return (row[at + 1]! | 0) >>> LENGTH_BITS;
}

/** Moves the nodes from place `from` up to `end` of a list, whose first is at `start`, so that they begin at place `to`. */
function move(page: Float64Array, start: number, from: number, to: number, end: number): void {
  const shift = (to - from) << NODE_SHIFT;
  const low = start + (from << NODE_SHIFT);
  const high = start + (end << NODE_SHIFT);
  if (shift < 0) for (let offset = low; offset < high; offset++) page[offset + shift] = page[offset]!;
  else for (let offset = high - 1; offset >= low; offset--) page[offset + shift] = page[offset]!;
}
