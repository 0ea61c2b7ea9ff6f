import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { SegmentedTable } from '../tables/segmentedTable.ts';

/** What a row keeps of one window: events that have a value, different values, and how often the most common one stands in it. */
export const SHARE_FIELDS = 3;
const VALUES = 1;
const TOP = 2;

/** Of each table's keys: a key's slot, and a value's slot or a number of times. */
const PAIR_WORDS = 2;

/**
 * How often the most common value of a key stands in one window. One table counts each value; another counts, for each
 * number of times, the values that stand in the window that often. An event changes one value's count by one, so the
 * greatest count moves by at most one: up with the value that passes it, down when no value is left at it. That is at most three
 * look-ups an event, however many values there are.
 */
export class ValueShares implements SavedState {
  readonly #counts = new SegmentedTable(PAIR_WORDS);
  readonly #valuesWith = new SegmentedTable(PAIR_WORDS);
  readonly #pair = new Int32Array(PAIR_WORDS);
  readonly #maxValues: number;
  #uncounted = 0;

  /** `maxValues`: different values that a key may have in the window. */
  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  /** Bytes for so many pairs of a key and a value, on average, where each key's values all stand equally often. */
  static expectedBytes(keys: number, pairs: number): number {
    return SegmentedTable.expectedBytes(PAIR_WORDS, pairs) + SegmentedTable.expectedBytes(PAIR_WORDS, keys);
  }

  /** Pairs of a key and a value. */
  get size(): number {
    return this.#counts.size;
  }

  get byteLength(): number {
    return this.#counts.byteLength + this.#valuesWith.byteLength;
  }

  /** Values that were not counted, their key having the most it may: each share of the key is then too low, or of another value. */
  get uncounted(): number {
    return this.#uncounted;
  }

  /** Counts an event's value in (sign 1) or out (-1). */
  count(key: number, value: number, sign: number, row: Float64Array, at: number): void {
    row[at]! += sign;
    const counts = this.#counts;
    const isKnown = counts.findPair(key, value);
    const before = isKnown ? counts.block[counts.at]! : 0;
    if (sign > 0) {
      if (isKnown) counts.block[counts.at] = before + 1;
      else if (!this.#addValue(key, value, row, at)) return;
    } else if (before === 1) {
      counts.remove();
      row[at + VALUES]! -= 1;
    } else if (isKnown) {
      counts.block[counts.at] = before - 1;
    } else {
      // Its value was not counted when it came.
      return;
    }
    const after = before + sign;
    const left = before === 0 ? 0 : this.#countValue(key, before, -1);
    if (after > 0) this.#countValue(key, after, 1);
    if (after > row[at + TOP]! || (before === row[at + TOP]! && left === 0)) row[at + TOP] = after;
  }

  save(output: StateOutput): void {
    output.number(this.#uncounted);
    this.#counts.save(output);
    this.#valuesWith.save(output);
  }

  load(input: StateInput): void {
    this.#uncounted = input.number();
    this.#counts.load(input);
    this.#valuesWith.load(input);
  }

  /** Adds the value just looked for, if there is room. */
  #addValue(key: number, value: number, row: Float64Array, at: number): boolean {
    if (row[at + VALUES]! >= this.#maxValues || !this.#add(this.#counts, key, value)) {
      this.#uncounted += 1;
      return false;
    }
    row[at + VALUES]! += 1;
    return true;
  }

  /** Counts a value in or out of those that stand in the window so many times; returns how many these then are. */
  #countValue(key: number, times: number, sign: number): number {
    const table = this.#valuesWith;
    if (!table.findPair(key, times)) {
      // There is nothing to take off only where there was no room to add it.
      if (sign > 0 && !this.#add(table, key, times)) this.#uncounted += 1;
      return Math.max(sign, 0);
    }
    const values = table.block[table.at]! + sign;
    if (values === 0) table.remove();
    else table.block[table.at] = values;
    return values;
  }

  #add(table: SegmentedTable, key: number, other: number): boolean {
    this.#pair[0] = key;
    this.#pair[1] = other;
    return table.add(this.#pair, 1);
  }
}

/** The share of the most common value among the events that have one; false when none has. */
export function writeTopShare(row: Float64Array, at: number, out: Float64Array, outAt: number): boolean {
  if (row[at] === 0) return false;
  out[outAt] = row[at + TOP]! / row[at]!;
  return true;
}
