import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import { MAX_CANDIDATES_PER_KEY } from './limits.ts';

/** Where a row keeps one candidate list: [first node, last node, length], nodes counted from 1, 0 for none. */
export const CANDIDATE_FIELDS = 3;

/** A node is four doubles, half a cache line: value, time, next node, previous node. */
const VALUE = 0;
const TIME = 1;
const NEXT = 2;
const PREVIOUS = 3;
const NODE_SHIFT = 2;
const PAGE_SHIFT = 10;
const PAGE_NODES = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_NODES - 1;

/**
 * The values that are, or may yet become, the least or greatest of a window, oldest first, as linked nodes in one pool
 * shared by all keys, which grows by pages of 32 KiB. Two kinds of list:
 * - pruned (monotonic deque): an event that a later one beats can never matter again and is dropped. About ln(n) long.
 * - whole: every event stays, because a label may yet take out the one that beats it.
 */
export class Candidates implements SavedState {
  #pages: Float64Array[] = [];
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
    return this.#pages.length * PAGE_NODES * 32;
  }

  /** Adds to a pruned list; `sign` 1 keeps greatest values, -1 least. */
  addPruned(row: Float64Array, at: number, timeMs: number, value: number, sign: number): void {
    let before = row[at + 1]!;
    while (before !== 0 && this.#get(before, TIME) > timeMs) before = this.#get(before, PREVIOUS);
    const after = before === 0 ? row[at]! : this.#get(before, NEXT);
    // Beaten by one that leaves later: it can never be the answer.
    if (after !== 0 && sign * this.#get(after, VALUE) >= sign * value) return;
    while (before !== 0 && sign * this.#get(before, VALUE) <= sign * value) {
      const earlier = this.#get(before, PREVIOUS);
      this.#unlink(row, at, before);
      before = earlier;
    }
    this.#insertAfter(row, at, before, timeMs, value);
  }

  /** Adds to a whole list. */
  addWhole(row: Float64Array, at: number, timeMs: number, value: number): void {
    let before = row[at + 1]!;
    while (before !== 0 && this.#get(before, TIME) > timeMs) before = this.#get(before, PREVIOUS);
    this.#insertAfter(row, at, before, timeMs, value);
  }

  /** Takes one event with this time and value out of a whole list; events alike are interchangeable. */
  removeWhole(row: Float64Array, at: number, timeMs: number, value: number): void {
    let node = row[at + 1]!;
    while (node !== 0 && this.#get(node, TIME) >= timeMs) {
      if (this.#get(node, TIME) === timeMs && this.#get(node, VALUE) === value) {
        this.#unlink(row, at, node);
        return;
      }
      node = this.#get(node, PREVIOUS);
    }
  }

  /** Drops what has left the window: events at or before `boundaryMs`. */
  expire(row: Float64Array, at: number, boundaryMs: number): void {
    let node = row[at]!;
    while (node !== 0 && this.#get(node, TIME) <= boundaryMs) {
      this.#unlink(row, at, node);
      node = row[at]!;
    }
  }

  clear(row: Float64Array, at: number): void {
    this.expire(row, at, Number.POSITIVE_INFINITY);
  }

  isEmpty(row: Float64Array, at: number): boolean {
    return row[at] === 0;
  }

  /** The greatest (sign 1) or least (sign -1) value of a pruned list that is not empty. */
  prunedExtreme(row: Float64Array, at: number): number {
    return this.#get(row[at]!, VALUE);
  }

  /** The greatest (sign 1) or least (sign -1) value of a whole list that is not empty. */
  wholeExtreme(row: Float64Array, at: number, sign: number): number {
    let node = row[at]!;
    let best = this.#get(node, VALUE);
    for (node = this.#get(node, NEXT); node !== 0; node = this.#get(node, NEXT)) {
      if (sign * this.#get(node, VALUE) > sign * best) best = this.#get(node, VALUE);
    }
    return best;
  }

  /** Time of the newest event of a list that is not empty. */
  newestTimeMs(row: Float64Array, at: number): number {
    return this.#get(row[at + 1]!, TIME);
  }

  save(output: StateOutput): void {
    for (const value of [this.#free, this.#used, this.#live, this.#dropped, this.#pages.length]) output.number(value);
    for (const page of this.#pages) output.array(page);
  }

  load(input: StateInput): void {
    this.#free = input.number();
    this.#used = input.number();
    this.#live = input.number();
    this.#dropped = input.number();
    this.#pages = [];
    for (let left = input.number(); left > 0; left--) {
      const page = input.float64Array();
      if (page.length !== PAGE_NODES << NODE_SHIFT) throw new SavedStateError(`a page of ${page.length} doubles`);
      this.#pages.push(page);
    }
  }

  #insertAfter(row: Float64Array, at: number, place: number, timeMs: number, value: number): void {
    let before = place;
    if (row[at + 2]! >= this.#maxPerKey) {
      const newest = row[at + 1]!;
      if (before === newest) before = this.#get(newest, PREVIOUS);
      this.#unlink(row, at, newest);
      this.#dropped += 1;
    }
    const node = this.#allocate();
    const after = before === 0 ? row[at]! : this.#get(before, NEXT);
    this.#set(node, TIME, timeMs);
    this.#set(node, VALUE, value);
    this.#set(node, PREVIOUS, before);
    this.#set(node, NEXT, after);
    if (before === 0) row[at] = node;
    else this.#set(before, NEXT, node);
    if (after === 0) row[at + 1] = node;
    else this.#set(after, PREVIOUS, node);
    row[at + 2] = row[at + 2]! + 1;
  }

  #unlink(row: Float64Array, at: number, node: number): void {
    const before = this.#get(node, PREVIOUS);
    const after = this.#get(node, NEXT);
    if (before === 0) row[at] = after;
    else this.#set(before, NEXT, after);
    if (after === 0) row[at + 1] = before;
    else this.#set(after, PREVIOUS, before);
    row[at + 2] = row[at + 2]! - 1;
    this.#set(node, NEXT, this.#free);
    this.#free = node;
    this.#live -= 1;
  }

  #allocate(): number {
    this.#live += 1;
    if (this.#free !== 0) {
      const node = this.#free;
      this.#free = this.#get(node, NEXT);
      return node;
    }
    const node = this.#used;
    if (node >>> PAGE_SHIFT === this.#pages.length) this.#pages.push(new Float64Array(PAGE_NODES << NODE_SHIFT));
    this.#used += 1;
    return node;
  }

  #get(node: number, field: number): number {
    return this.#pages[node >>> PAGE_SHIFT]![((node & PAGE_MASK) << NODE_SHIFT) + field]!;
  }

  #set(node: number, field: number, value: number): void {
    this.#pages[node >>> PAGE_SHIFT]![((node & PAGE_MASK) << NODE_SHIFT) + field] = value;
  }
}
