import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { doublePages } from '../tables/pages.ts';
import { BOUNDARY, TIME, VALUE } from './eventNumbers.ts';
import { MAX_CANDIDATES_PER_KEY } from './limits.ts';

/** Where a row keeps one candidate list: [first node, last node, length], nodes counted from 1, 0 for none. */
export const CANDIDATE_FIELDS = 3;

/** A node is four doubles, half a cache line: value, time, next node, previous node. */
const NODE_VALUE = 0;
const NODE_TIME = 1;
const NEXT = 2;
const PREVIOUS = 3;
const NODE_SHIFT = 2;
const PAGE_SHIFT = 10;
const PAGE_NODES = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_NODES - 1;

/**
 * The values that are, or may yet become, the least or greatest of a window, oldest first, as linked nodes in one pool
 * shared by all keys, which grows by pages of 32 KiB. Windows that differ only in length share the longest one's list.
 * Two kinds of list:
 * - pruned (monotonic deque): an event that a later one beats can never matter again and is dropped. About ln(n) long.
 * - whole: every event stays, because a label may yet take out the one that beats it.
 *
 * What is found is given as a node, a small integer: a double that a function returns costs an allocation.
 */
export class Candidates implements SavedState {
  readonly #pages = doublePages(PAGE_NODES << NODE_SHIFT);
  /** Last freed node, linked by NEXT. */
  #free = 0;
  #used = 1;
  #live = 0;
  #dropped = 0;
  readonly #maxPerKey: number;

  constructor(maxPerKey = MAX_CANDIDATES_PER_KEY) {
    this.#maxPerKey = maxPerKey;
  }

  get live(): number {
    return this.#live;
  }

  /** How often a list was full and its newest candidate made way. */
  get dropped(): number {
    return this.#dropped;
  }

  get byteLength(): number {
    return Candidates.#bytesOfPages(this.#pages.count);
  }

  /** Bytes of so many candidates. */
  static bytesOf(candidates: number): number {
    return Candidates.#bytesOfPages(Math.ceil((candidates + 1) / PAGE_NODES));
  }

  static #bytesOfPages(pages: number): number {
    return pages * (PAGE_NODES << NODE_SHIFT) * 8;
  }

  /** Adds the event's VALUE at its TIME to a pruned list; `sign` 1 keeps greatest values, -1 least. */
  addPruned(row: Float64Array, at: number, sign: number, event: Float64Array): void {
    const value = sign * event[VALUE]!;
    let before = this.#lastUpTo(row, at, event);
    const after = before === 0 ? row[at]! | 0 : this.page(before)[this.#offsetOf(before) + NEXT]! | 0;
    // Beaten by one that leaves later: it can never be the answer.
    if (after !== 0 && sign * this.page(after)[this.#offsetOf(after) + NODE_VALUE]! >= value) return;
    let beaten = 0;
    while (before !== 0) {
      const page = this.page(before);
      const offset = this.#offsetOf(before);
      if (sign * page[offset + NODE_VALUE]! > value) break;
      const earlier = page[offset + PREVIOUS]! | 0;
      page[offset + NEXT] = this.#free;
      this.#free = before;
      before = earlier;
      beaten += 1;
    }
    if (beaten === 0) {
      this.#insertAfter(row, at, before, event);
      return;
    }
    this.#live -= beaten;
    row[at + 2]! -= beaten;
    this.#link(row, at, before, after, event);
  }

  /** Adds the event's VALUE at its TIME to a whole list. */
  addWhole(row: Float64Array, at: number, event: Float64Array): void {
    this.#insertAfter(row, at, this.#lastUpTo(row, at, event), event);
  }

  /** Takes one event with this TIME and VALUE out of a whole list; events alike are interchangeable. */
  removeWhole(row: Float64Array, at: number, event: Float64Array): void {
    let node = this.#lastUpTo(row, at, event);
    while (node !== 0) {
      const page = this.page(node);
      const offset = this.#offsetOf(node);
      if (page[offset + NODE_TIME] !== event[TIME]) return;
      if (page[offset + NODE_VALUE] === event[VALUE]) {
        this.#unlink(row, at, node);
        return;
      }
      node = page[offset + PREVIOUS]! | 0;
    }
  }

  /** Drops what has left the longest window: events at or before BOUNDARY. */
  expire(row: Float64Array, at: number, event: Float64Array): void {
    const boundaryMs = event[BOUNDARY]!;
    let node = row[at]! | 0;
    while (node !== 0 && this.page(node)[this.#offsetOf(node) + NODE_TIME]! <= boundaryMs) {
      this.#unlink(row, at, node);
      node = row[at]! | 0;
    }
  }

  clear(row: Float64Array, at: number): void {
    for (let node = row[at]! | 0; node !== 0; node = row[at]! | 0) this.#unlink(row, at, node);
  }

  /**
   * Node of the greatest or least value of a pruned list that is later than BOUNDARY, 0 if there is none; from `node` on,
   * which is the answer for an earlier boundary, or the list's first.
   */
  prunedExtreme(node: number, event: Float64Array): number {
    const boundaryMs = event[BOUNDARY]!;
    let extreme = node;
    while (extreme !== 0) {
      const page = this.page(extreme);
      const offset = this.#offsetOf(extreme);
      if (page[offset + NODE_TIME]! > boundaryMs) break;
      extreme = page[offset + NEXT]! | 0;
    }
    return extreme;
  }

  /** Node of the greatest (sign 1) or least (sign -1) value of a whole list that is later than BOUNDARY; 0 if there is none. */
  wholeExtreme(row: Float64Array, at: number, sign: number, event: Float64Array): number {
    const boundaryMs = event[BOUNDARY]!;
    let best = 0;
    let bestValue = 0;
    let node = row[at + 1]! | 0;
    while (node !== 0) {
      const page = this.page(node);
      const offset = this.#offsetOf(node);
      if (page[offset + NODE_TIME]! <= boundaryMs) break;
      const value = page[offset + NODE_VALUE]!;
      if (best === 0 || sign * value > sign * bestValue) {
        best = node;
        bestValue = value;
      }
      node = page[offset + PREVIOUS]! | 0;
    }
    return best;
  }

  /** The oldest event's node; 0 if the list is empty. */
  oldest(row: Float64Array, at: number): number {
    return row[at]! | 0;
  }

  /** The newest event's node; 0 if the list is empty. */
  newest(row: Float64Array, at: number): number {
    return row[at + 1]! | 0;
  }

  /** The newest event's node if it is later than BOUNDARY, else 0. */
  newestAfter(row: Float64Array, at: number, event: Float64Array): number {
    const node = row[at + 1]! | 0;
    return node !== 0 && this.page(node)[this.#offsetOf(node) + NODE_TIME]! > event[BOUNDARY]! ? node : 0;
  }

  /** Where a node lies: its value is at valueOffset(node), its time at timeOffset(node). */
  page(node: number): Float64Array {
    return this.#pages.arrayOf(node >>> PAGE_SHIFT);
  }

  valueOffset(node: number): number {
    return this.#offsetOf(node) + NODE_VALUE;
  }

  timeOffset(node: number): number {
    return this.#offsetOf(node) + NODE_TIME;
  }

  save(output: StateOutput): void {
    for (const value of [this.#free, this.#used, this.#live, this.#dropped, this.#pages.count]) output.number(value);
    this.#pages.save(output);
  }

  load(input: StateInput): void {
    this.#free = input.number();
    this.#used = input.number();
    this.#live = input.number();
    this.#dropped = input.number();
    this.#pages.load(input.number(), () => input.float64Array());
  }

  #offsetOf(node: number): number {
    return this.#pages.startOf(node >>> PAGE_SHIFT) + ((node & PAGE_MASK) << NODE_SHIFT);
  }

  /** The newest node at or before the event's TIME, 0 if there is none. */
  #lastUpTo(row: Float64Array, at: number, event: Float64Array): number {
    const timeMs = event[TIME]!;
    let node = row[at + 1]! | 0;
    while (node !== 0) {
      const page = this.page(node);
      const offset = this.#offsetOf(node);
      if (page[offset + NODE_TIME]! <= timeMs) break;
      node = page[offset + PREVIOUS]! | 0;
    }
    return node;
  }

  #insertAfter(row: Float64Array, at: number, place: number, event: Float64Array): void {
    let before = place;
    if (row[at + 2]! >= this.#maxPerKey) {
      const newest = row[at + 1]! | 0;
      if (before === newest) before = this.page(newest)[this.#offsetOf(newest) + PREVIOUS]! | 0;
      this.#unlink(row, at, newest);
      this.#dropped += 1;
    }
    const after = before === 0 ? row[at]! | 0 : this.page(before)[this.#offsetOf(before) + NEXT]! | 0;
    this.#link(row, at, before, after, event);
  }

  /** Puts the event between two nodes; 0 is the list's end on either side. */
  #link(row: Float64Array, at: number, before: number, after: number, event: Float64Array): void {
    const node = this.#allocate();
    const page = this.page(node);
    const offset = this.#offsetOf(node);
    page[offset + NODE_VALUE] = event[VALUE]!;
    page[offset + NODE_TIME] = event[TIME]!;
    page[offset + NEXT] = after;
    page[offset + PREVIOUS] = before;
    this.#join(row, at, before, node);
    this.#join(row, at, node, after);
    row[at + 2]! += 1;
  }

  #unlink(row: Float64Array, at: number, node: number): void {
    const page = this.page(node);
    const offset = this.#offsetOf(node);
    this.#join(row, at, page[offset + PREVIOUS]! | 0, page[offset + NEXT]! | 0);
    row[at + 2]! -= 1;
    page[offset + NEXT] = this.#free;
    this.#free = node;
    this.#live -= 1;
  }

  /** Makes `after` the node that follows `before`; 0 is the list's end on either side. */
  #join(row: Float64Array, at: number, before: number, after: number): void {
    if (before === 0) row[at] = after;
    else this.page(before)[this.#offsetOf(before) + NEXT] = after;
    if (after === 0) row[at + 1] = before;
    else this.page(after)[this.#offsetOf(after) + PREVIOUS] = before;
  }

  #allocate(): number {
    this.#live += 1;
    if (this.#free !== 0) {
      const node = this.#free;
      this.#free = this.page(node)[this.#offsetOf(node) + NEXT]! | 0;
      return node;
    }
    const node = this.#used;
    if (node >>> PAGE_SHIFT === this.#pages.count) this.#pages.add();
    this.#used += 1;
    return node;
  }
}

/** How many candidates the list has that a row keeps at `at`. */
export function candidatesOf(row: Float64Array, at: number): number {
  return row[at + 2]!;
}
