import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { MAX_CANDIDATES_PER_KEY } from './limits.ts';

/** Where a row keeps one candidate list: [first node, last node, length], nodes counted from 1, 0 for none. */
export const CANDIDATE_FIELDS = 3;

/**
 * The values that are, or may yet become, the least or greatest of a window, oldest first, as linked nodes in one pool
 * shared by all keys. Two kinds of list:
 * - pruned (monotonic deque): an event that a later one beats can never matter again and is dropped. About ln(n) long.
 * - whole: every event stays, because a label may yet take out the one that beats it.
 */
export class Candidates implements SavedState {
  #values: Float64Array = new Float64Array(1_024);
  #timesMs: Float64Array = new Float64Array(1_024);
  #next: Int32Array = new Int32Array(1_024);
  #previous: Int32Array = new Int32Array(1_024);
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
    return this.#values.length * 24;
  }

  /** Adds to a pruned list; `sign` 1 keeps greatest values, -1 least. */
  addPruned(row: Float64Array, at: number, timeMs: number, value: number, sign: number): void {
    let before = row[at + 1]!;
    while (before !== 0 && this.#timesMs[before]! > timeMs) before = this.#previous[before]!;
    const after = before === 0 ? row[at]! : this.#next[before]!;
    // Beaten by one that leaves later: it can never be the answer.
    if (after !== 0 && sign * this.#values[after]! >= sign * value) return;
    while (before !== 0 && sign * this.#values[before]! <= sign * value) {
      const earlier = this.#previous[before]!;
      this.#unlink(row, at, before);
      before = earlier;
    }
    this.#insertAfter(row, at, before, timeMs, value);
  }

  /** Adds to a whole list. */
  addWhole(row: Float64Array, at: number, timeMs: number, value: number): void {
    let before = row[at + 1]!;
    while (before !== 0 && this.#timesMs[before]! > timeMs) before = this.#previous[before]!;
    this.#insertAfter(row, at, before, timeMs, value);
  }

  /** Takes one event with this time and value out of a whole list; events alike are interchangeable. */
  removeWhole(row: Float64Array, at: number, timeMs: number, value: number): void {
    let node = row[at + 1]!;
    while (node !== 0 && this.#timesMs[node]! >= timeMs) {
      if (this.#timesMs[node] === timeMs && this.#values[node] === value) {
        this.#unlink(row, at, node);
        return;
      }
      node = this.#previous[node]!;
    }
  }

  /** Drops what has left the window: events at or before `boundaryMs`. */
  expire(row: Float64Array, at: number, boundaryMs: number): void {
    let node = row[at]!;
    while (node !== 0 && this.#timesMs[node]! <= boundaryMs) {
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
    return this.#values[row[at]!]!;
  }

  /** The greatest (sign 1) or least (sign -1) value of a whole list that is not empty. */
  wholeExtreme(row: Float64Array, at: number, sign: number): number {
    let node = row[at]!;
    let best = this.#values[node]!;
    for (node = this.#next[node]!; node !== 0; node = this.#next[node]!) {
      if (sign * this.#values[node]! > sign * best) best = this.#values[node]!;
    }
    return best;
  }

  /** Time of the newest event of a list that is not empty. */
  newestTimeMs(row: Float64Array, at: number): number {
    return this.#timesMs[row[at + 1]!]!;
  }

  save(output: StateOutput): void {
    for (const value of [this.#free, this.#used, this.#live, this.#dropped]) output.number(value);
    output.array(this.#values);
    output.array(this.#timesMs);
    output.array(this.#next);
    output.array(this.#previous);
  }

  load(input: StateInput): void {
    this.#free = input.number();
    this.#used = input.number();
    this.#live = input.number();
    this.#dropped = input.number();
    this.#values = input.float64Array();
    this.#timesMs = input.float64Array();
    this.#next = input.int32Array();
    this.#previous = input.int32Array();
  }

  #insertAfter(row: Float64Array, at: number, place: number, timeMs: number, value: number): void {
    let before = place;
    if (row[at + 2]! >= this.#maxPerKey) {
      const newest = row[at + 1]!;
      if (before === newest) before = this.#previous[newest]!;
      this.#unlink(row, at, newest);
      this.#dropped += 1;
    }
    const node = this.#allocate();
    const after = before === 0 ? row[at]! : this.#next[before]!;
    this.#timesMs[node] = timeMs;
    this.#values[node] = value;
    this.#previous[node] = before;
    this.#next[node] = after;
    if (before === 0) row[at] = node;
    else this.#next[before] = node;
    if (after === 0) row[at + 1] = node;
    else this.#previous[after] = node;
    row[at + 2] = row[at + 2]! + 1;
  }

  #unlink(row: Float64Array, at: number, node: number): void {
    const before = this.#previous[node]!;
    const after = this.#next[node]!;
    if (before === 0) row[at] = after;
    else this.#next[before] = after;
    if (after === 0) row[at + 1] = before;
    else this.#previous[after] = before;
    row[at + 2] = row[at + 2]! - 1;
    this.#next[node] = this.#free;
    this.#free = node;
    this.#live -= 1;
  }

  #allocate(): number {
    this.#live += 1;
    if (this.#free !== 0) {
      const node = this.#free;
      this.#free = this.#next[node]!;
      return node;
    }
    if (this.#used === this.#values.length) this.#grow();
    const node = this.#used;
    this.#used += 1;
    return node;
  }

  #grow(): void {
    const length = this.#values.length * 2;
    const values = new Float64Array(length);
    const timesMs = new Float64Array(length);
    const next = new Int32Array(length);
    const previous = new Int32Array(length);
    values.set(this.#values);
    timesMs.set(this.#timesMs);
    next.set(this.#next);
    previous.set(this.#previous);
    this.#values = values;
    this.#timesMs = timesMs;
    this.#next = next;
    this.#previous = previous;
  }
}
