import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { powerOfTwoFrom } from '../tables/powerOfTwo.ts';
import { expectedSegments } from '../tables/segmentedTable.ts';
import { DistinctSamples } from './distinctSamples.ts';
import { tableBytesOf, type ColumnKernel, type SampledTable } from './kernel/columnKernel.ts';
import { byteOffset } from './kernel/programWords.ts';

/** Bytes of a pair before its windows' counts, of each of these, and of the whole at least, which is a power of two. */
const PAIR_BYTES = 8;
const WINDOW_BYTES = 2;
const LEAST_BYTES = 16;

/**
 * How often each pair of a key's slot and a value's slot stands in each of several windows: a table of the key's kernel, which runs
 * the steps (assembly/pairs.ts). One place holds all windows' counts after the pair: the windows of a key are entered
 * together, and each place is a cache miss.
 *
 * The row holds the number of values that the key has in each window. Where these are more than `maxValues` it holds the reference of a
 * sample (DistinctSamples) of those that then come; the pairs that are here stay until their last event leaves.
 */
export class PairCounts implements SampledTable, SavedState {
  readonly kernel: ColumnKernel;
  /** The table's address. */
  readonly table: number;
  /** By which the kernel calls it. */
  readonly number: number;
  readonly #samples: DistinctSamples;
  readonly #leaveAgesMs: readonly number[];
  readonly #event: Float64Array;

  /**
   * `leaveAgesMs`: by window, the age at which events leave it. `maxValues`: different values that are counted of a key in one window, and
   * again sampled. `event`: the numbers of the event at hand.
   */
  constructor(
    kernel: ColumnKernel,
    leaveAgesMs: readonly number[],
    maxValues: number,
    maxSamples: number,
    event: Float64Array,
  ) {
    this.kernel = kernel;
    const { number, address } = kernel.addPairs(leaveAgesMs.length, maxValues, this);
    this.number = number;
    this.table = address;
    this.#samples = new DistinctSamples(maxValues, maxSamples);
    this.#leaveAgesMs = leaveAgesMs;
    this.#event = event;
  }

  /** Bytes for so many pairs and samples, on average. */
  static expectedBytes(windows: number, pairs: number, samples: number, maxValues: number): number {
    const entry = powerOfTwoFrom(Math.max(LEAST_BYTES, PAIR_BYTES + WINDOW_BYTES * windows));
    return tableBytesOf(entry, expectedSegments(pairs)) + DistinctSamples.bytesOf(samples, maxValues);
  }

  get size(): number {
    return this.kernel.calls.pairsOf(this.table);
  }

  get byteLength(): number {
    return this.kernel.calls.pairBytesOf(this.table) + this.#samples.byteLength;
  }

  /** Values that were neither counted nor sampled, for want of room: their key's number is then too low. */
  get uncounted(): number {
    return this.kernel.calls.uncountedOf(this.table);
  }

  /** How many numbers of values are estimates at the engine's time. */
  estimated(engineTimeMs: number): number {
    return this.#samples.estimated(engineTimeMs);
  }

  /** Counts a pair in (sign 1) or out (-1) of one window, for an event that is in the window and is corrected. */
  count(key: number, value: number, sign: number, window: number, position: number): void {
    this.kernel.calls.countPair(
      this.table,
      key,
      value,
      sign,
      window,
      this.kernel.rowAddress(key) + byteOffset(position),
    );
  }

  clearSample(field: number): void {
    this.#samples.free(this.kernel.doubles[field >>> 3]! | 0);
  }

  countInSample(key: number, value: number, sign: number, window: number, field: number): void {
    const row = this.kernel.doubles;
    const at = field >>> 3;
    if (row[at]! < 0) {
      this.#samples.count(row[at]! | 0, value, sign, this.#event);
      return;
    }
    // From now on new values of the key go into a sample, this one first.
    const reference = this.#samples.begin(key, row[at]!, this.#leaveAgesMs[window]!);
    if (reference === 0) {
      this.kernel.calls.addUncounted(this.table);
      return;
    }
    row[at] = reference;
    this.#samples.count(reference, value, 1, this.#event);
  }

  dropBeside(field: number): void {
    this.#samples.dropBeside(this.kernel.doubles[field >>> 3]! | 0);
  }

  settle(key: number, window: number, field: number): boolean {
    const reference = this.kernel.doubles[field >>> 3]! | 0;
    if (!this.#samples.settle(reference, this.#event)) return false;
    this.#countAll(reference, key, window, field);
    return true;
  }

  /** Writes the number of values for which a row holds this reference. */
  writeSample(reference: number, target: number): void {
    this.#samples.writeNumber(reference, this.#event, this.kernel.doubles, target >>> 3);
  }

  save(output: StateOutput): void {
    this.#samples.save(output);
  }

  load(input: StateInput): void {
    this.#samples.load(input);
  }

  /** Counts the values of a sample that holds them all, and gives it up. */
  #countAll(reference: number, key: number, window: number, field: number): void {
    const samples = this.#samples;
    let values = samples.beside(reference);
    for (let place = 0; place < samples.places; place++) {
      const value = samples.valueAt(reference, place);
      if (value < 0) continue;
      values += this.kernel.calls.setPair(this.table, key, value, window, samples.eventsAt(reference, place));
    }
    this.kernel.doubles[field >>> 3] = values;
    samples.free(reference);
  }
}
