import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import type { PrefetchList } from '../tables/prefetchList.ts';
import { SegmentedTable } from '../tables/segmentedTable.ts';

/** Integers of one step: predicate, sign, window, and the row position of the number of values. */
const PAIR_STEP = 4;
const PAIR_WORDS = 2;

/**
 * How often each pair of a key's slot and a value's slot stands in each of several windows. One place holds all windows'
 * counts after their sum: the windows of a key are entered together, and each place is a cache miss.
 */
export class PairCounts implements SavedState {
  readonly #counts: SegmentedTable;
  readonly #pair = new Int32Array(PAIR_WORDS);
  readonly #maxValues: number;
  #saturated = 0;

  /** `maxValues`: different values that a key may have in one window. */
  constructor(windows: number, maxValues: number) {
    this.#counts = new SegmentedTable(PAIR_WORDS, windows);
    this.#maxValues = maxValues;
  }

  /** Bytes for so many pairs, on average. */
  static expectedBytes(windows: number, pairs: number): number {
    return SegmentedTable.expectedBytes(PAIR_WORDS, windows, pairs);
  }

  get size(): number {
    return this.#counts.size;
  }

  get byteLength(): number {
    return this.#counts.byteLength;
  }

  /** Values that were not counted, their key having the most it may. */
  get saturated(): number {
    return this.#saturated;
  }

  /**
   * Runs those steps on the pair whose predicate holds; steps of sign 1 come before those of -1. The row holds
   * the number of values that the key has in each window.
   */
  run(steps: Int32Array, key: number, value: number, holds: Uint8Array, row: Float64Array, base: number): void {
    this.#counts.findPair(key, value);
    for (let step = 0; step < steps.length; step += PAIR_STEP) {
      if (holds[steps[step]!] === 0) continue;
      const isGone = !this.#count(key, value, steps[step + 1]!, steps[step + 2]!, row, base + steps[step + 3]!);
      if (isGone) return;
    }
  }

  /** Lists where the pair stands, or would stand. */
  prefetch(key: number, value: number, list: PrefetchList): void {
    this.#counts.prefetchPair(key, value, list);
  }

  /** Counts a pair in (sign 1) or out (-1) of one window. */
  count(key: number, value: number, sign: number, window: number, row: Float64Array, at: number): void {
    this.#counts.findPair(key, value);
    this.#count(key, value, sign, window, row, at);
  }

  save(output: StateOutput): void {
    output.number(this.#saturated);
    this.#counts.save(output);
  }

  load(input: StateInput): void {
    this.#saturated = input.number();
    this.#counts.load(input);
  }

  /** Counts the pair just looked for. False: it stands in no window any more, and its place is gone. */
  #count(key: number, value: number, sign: number, window: number, row: Float64Array, at: number): boolean {
    const counts = this.#counts;
    const total = counts.block[counts.at]!;
    const count = total === 0 ? 0 : counts.block[counts.at + 1 + PAIR_WORDS + window]!;
    if (sign < 0) {
      if (count === 0) return true;
      if (count === 1) row[at]! -= 1;
      if (total === 1) {
        counts.remove();
        return false;
      }
    } else if (count === 0) {
      if (row[at]! >= this.#maxValues || (total === 0 && !this.#add(key, value))) {
        this.#saturated += 1;
        return true;
      }
      row[at]! += 1;
    }
    counts.block[counts.at] = total + sign;
    counts.block[counts.at + 1 + PAIR_WORDS + window] = count + sign;
    return true;
  }

  #add(key: number, value: number): boolean {
    this.#pair[0] = key;
    this.#pair[1] = value;
    return this.#counts.add(this.#pair, 1);
  }
}
