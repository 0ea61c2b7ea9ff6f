import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import type { PrefetchList } from '../tables/prefetchList.ts';
import { SegmentedTable } from '../tables/segmentedTable.ts';
import { DistinctSamples } from './distinctSamples.ts';

/** Integers of one step: predicate, sign, window, and the row position of the number of values. */
const PAIR_STEP = 4;
const PAIR_WORDS = 2;

/**
 * How often each pair of a key's slot and a value's slot stands in each of several windows. One place holds all windows'
 * counts after their sum: the windows of a key are entered together, and each place is a cache miss.
 *
 * The row holds the number of values that the key has in each window. Where these are more than `maxValues` it holds the reference of a
 * sample (DistinctSamples) of those that then come; the pairs that are here stay until their last event leaves.
 */
export class PairCounts implements SavedState {
  readonly #counts: SegmentedTable;
  readonly #samples: DistinctSamples;
  readonly #pair = new Int32Array(PAIR_WORDS);
  readonly #leaveAgesMs: readonly number[];
  readonly #maxValues: number;
  #uncounted = 0;

  /**
   * `leaveAgesMs`: by window, the age at which events leave it. `maxValues`: different values that are counted of a key in one window, and
   * again sampled.
   */
  constructor(leaveAgesMs: readonly number[], maxValues: number, maxSamples: number) {
    this.#counts = new SegmentedTable(PAIR_WORDS, leaveAgesMs.length);
    this.#samples = new DistinctSamples(maxValues, maxSamples);
    this.#leaveAgesMs = leaveAgesMs;
    this.#maxValues = maxValues;
  }

  /** Bytes for so many pairs and samples, on average. */
  static expectedBytes(windows: number, pairs: number, samples: number, maxValues: number): number {
    return SegmentedTable.expectedBytes(PAIR_WORDS, windows, pairs) + DistinctSamples.bytesOf(samples, maxValues);
  }

  get size(): number {
    return this.#counts.size;
  }

  get byteLength(): number {
    return this.#counts.byteLength + this.#samples.byteLength;
  }

  /** Values that were neither counted nor sampled, for want of room: their key's number is then too low. */
  get uncounted(): number {
    return this.#uncounted;
  }

  /** How many numbers of values are estimates at the engine's time. */
  estimated(engineTimeMs: number): number {
    return this.#samples.estimated(engineTimeMs);
  }

  /** Runs those steps on the pair whose predicate holds, for an event that crosses an edge. */
  run(
    steps: Int32Array,
    key: number,
    value: number,
    holds: Uint8Array,
    row: Float64Array,
    base: number,
    event: Float64Array,
  ): void {
    let isFound = false;
    for (let step = 0; step < steps.length; step += PAIR_STEP) {
      if (holds[steps[step]!] === 0) continue;
      const sign = steps[step + 1]!;
      const window = steps[step + 2]!;
      const at = base + steps[step + 3]!;
      if (!isFound) this.#counts.findPair(key, value);
      isFound = this.#count(key, value, sign, window, row, at, event);
      if (sign > 0 || row[at]! >= 0 || !this.#samples.settle(row[at]! | 0, event)) continue;
      this.#countAll(key, window, row, at);
      isFound = false;
    }
  }

  /** Lists where the pair stands, or would stand. */
  prefetch(key: number, value: number, list: PrefetchList): void {
    this.#counts.prefetchPair(key, value, list);
  }

  /** Counts a pair in (sign 1) or out (-1) of one window, for an event that is in the window and is corrected. */
  count(
    key: number,
    value: number,
    sign: number,
    window: number,
    row: Float64Array,
    at: number,
    event: Float64Array,
  ): void {
    this.#counts.findPair(key, value);
    this.#count(key, value, sign, window, row, at, event);
  }

  /** Writes the number of values for which the row holds this reference. */
  writeSampled(reference: number, event: Float64Array, out: Float64Array, outAt: number): void {
    this.#samples.writeNumber(reference, event, out, outAt);
  }

  /** Gives up the sample that the row may hold: its key goes. */
  clear(row: Float64Array, at: number): void {
    if (row[at]! < 0) this.#samples.free(row[at]! | 0);
  }

  save(output: StateOutput): void {
    output.number(this.#uncounted);
    this.#counts.save(output);
    this.#samples.save(output);
  }

  load(input: StateInput): void {
    this.#uncounted = input.number();
    this.#counts.load(input);
    this.#samples.load(input);
  }

  /** Counts the pair just looked for. False: it stands in no window any more, and its place is gone. */
  #count(
    key: number,
    value: number,
    sign: number,
    window: number,
    row: Float64Array,
    at: number,
    event: Float64Array,
  ): boolean {
    const counts = this.#counts;
    const total = counts.block[counts.at]!;
    const count = total === 0 ? 0 : counts.block[counts.at + 1 + PAIR_WORDS + window]!;
    if (count === 0) {
      if (row[at]! < 0) {
        this.#samples.count(row[at]! | 0, value, sign, event);
        return true;
      }
      // It was not counted when it came.
      if (sign < 0) return true;
      if (row[at]! >= this.#maxValues) {
        this.#sample(key, value, window, row, at, event);
        return true;
      }
      if (total === 0 && !this.#add(key, value)) {
        this.#uncounted += 1;
        return true;
      }
      row[at]! += 1;
    } else if (sign < 0) {
      if (count === 1) {
        if (row[at]! < 0) this.#samples.dropBeside(row[at]! | 0);
        else row[at]! -= 1;
      }
      if (total === 1) {
        counts.remove();
        return false;
      }
    }
    counts.block[counts.at] = total + sign;
    counts.block[counts.at + 1 + PAIR_WORDS + window] = count + sign;
    return true;
  }

  /** From now on new values of the key go into a sample, this one first. */
  #sample(key: number, value: number, window: number, row: Float64Array, at: number, event: Float64Array): void {
    const reference = this.#samples.begin(key, row[at]!, this.#leaveAgesMs[window]!);
    if (reference === 0) {
      this.#uncounted += 1;
      return;
    }
    row[at] = reference;
    this.#samples.count(reference, value, 1, event);
  }

  /** Counts the values of a sample that holds them all, and gives it up. */
  #countAll(key: number, window: number, row: Float64Array, at: number): void {
    const samples = this.#samples;
    const counts = this.#counts;
    const reference = row[at]! | 0;
    let values = samples.beside(reference);
    for (let place = 0; place < samples.places; place++) {
      const value = samples.valueAt(reference, place);
      if (value < 0) continue;
      const total = counts.findPair(key, value) ? counts.block[counts.at]! : 0;
      if (total === 0 && !this.#add(key, value)) {
        this.#uncounted += 1;
        continue;
      }
      const events = samples.eventsAt(reference, place);
      counts.block[counts.at] = total + events;
      counts.block[counts.at + 1 + PAIR_WORDS + window] = events;
      values += 1;
    }
    row[at] = values;
    samples.free(reference);
  }

  #add(key: number, value: number): boolean {
    this.#pair[0] = key;
    this.#pair[1] = value;
    return this.#counts.add(this.#pair, 1);
  }
}
