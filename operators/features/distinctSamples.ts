import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { doublePages } from '../tables/pages.ts';
import { ESTIMATE_MARK } from './estimates.ts';
import { ENGINE_TIME, TIME } from './eventNumbers.ts';
import { MAX_DISTINCT_PER_KEY } from './limits.ts';
import { isSampled, SampledValues, sampleHash } from './sampledValues.ts';

/** Doubles of a sample's head. */
const HEAD_DOUBLES = 8;
/** The key's slot. Of a free sample: the next free one, counted from 1; 0 for none. */
const KEY = 0;
/** Values that are counted beside the sample, each as one. */
const BESIDE = 1;
/** One value in so many, a power of two, is in the sample; 0: the sample is free. */
const WEIGHT = 2;
const VALUES = 3;
/** The same of the part of the sample that is complete: estimates are read off it. */
const READ_WEIGHT = 4;
const READ_VALUES = 5;
/** What the sample holds beyond that part, it holds for events later than this. */
const SINCE = 6;
/** Age at which events leave the window. */
const LEAVE_AGE = 7;
const HEAD_SHIFT = 6;
const HEADS_PER_PAGE = 1 << HEAD_SHIFT;
const HEAD_MASK = HEADS_PER_PAGE - 1;

/**
 * Samples of the values of a key in one window that holds too many to count them all: adaptive sampling (Wegman; Flajolet, *On
 * adaptive sampling*, Computing 43, 1990) over a sliding window, with the thought of Gibbons and Tirthapura (*Distributed streams
 * algorithms for sliding windows*, SPAA 2002). A value is in the sample if its hash ends in enough zero bits: one value in
 * `weight` is, and stands for that many. When the sample is full, the weight doubles and what is now left out is dropped, about half.
 *
 * All events of a sampled value are counted, so it is known when the last one leaves: late events and corrections too. When few
 * values are left, the weight falls: more values are counted, from a point in time on, and when all events up to that point have left
 * the window the sample is complete again. Whether an event counts is told by its own time, so it is the same when it leaves.
 *
 * Standard error: sqrt((weight - 1) x values), of the values that are not counted beside the sample. A sample is named by a
 * *reference*, an integer below 0, so that it can stand in a row where a number of values would.
 */
export class DistinctSamples implements SavedState {
  readonly #maxValues: number;
  readonly #maxSamples: number;
  readonly #values: SampledValues;
  readonly #heads = doublePages(HEADS_PER_PAGE * HEAD_DOUBLES);
  #used = 0;
  /** The sample freed last, counted from 1; 0 for none. */
  #free = 0;
  #live = 0;

  /** `maxValues`: of one sample. */
  constructor(maxValues: number, maxSamples: number) {
    this.#maxValues = Math.min(maxValues, MAX_DISTINCT_PER_KEY);
    this.#maxSamples = maxSamples;
    this.#values = new SampledValues(this.#maxValues);
  }

  /** Bytes when there have been so many samples at once. */
  static bytesOf(samples: number, maxValues: number): number {
    const headBytes = Math.ceil(samples / HEADS_PER_PAGE) * HEADS_PER_PAGE * HEAD_DOUBLES * 8;
    return SampledValues.bytesOf(samples, Math.min(maxValues, MAX_DISTINCT_PER_KEY)) + headBytes;
  }

  get live(): number {
    return this.#live;
  }

  get byteLength(): number {
    return DistinctSamples.bytesOf(this.#used, this.#maxValues);
  }

  /** How many samples leave values out, as of the engine's time: the numbers of the others are exact. */
  estimated(engineTimeMs: number): number {
    let count = 0;
    for (let sample = 0; sample < this.#used; sample++) {
      const heads = this.#headsOf(sample);
      const head = this.#headAt(sample);
      if (heads[head + WEIGHT]! > 0 && readWeight(heads, head, engineTimeMs) > 1) count += 1;
    }
    return count;
  }

  /** Begins a sample beside `values` that are counted elsewhere. Returns its reference, 0 when there is no room for one. */
  begin(key: number, values: number, leaveAgeMs: number): number {
    const sample = this.#allocate();
    if (sample < 0) return 0;
    const heads = this.#headsOf(sample);
    const head = this.#headAt(sample);
    heads.fill(0, head, head + HEAD_DOUBLES);
    heads[head + KEY] = key;
    heads[head + BESIDE] = values;
    heads[head + WEIGHT] = 1;
    heads[head + READ_WEIGHT] = 1;
    heads[head + LEAVE_AGE] = leaveAgeMs;
    return -1 - sample;
  }

  /** Gives the sample up. */
  free(reference: number): void {
    const sample = -1 - reference;
    const heads = this.#headsOf(sample);
    const head = this.#headAt(sample);
    this.#values.clear(sample);
    heads[head + WEIGHT] = 0;
    heads[head + KEY] = this.#free;
    this.#free = sample + 1;
    this.#live -= 1;
  }

  /** Counts an event of a value that is not counted beside the sample, in (sign 1) or out (-1). */
  count(reference: number, value: number, sign: number, event: Float64Array): void {
    const sample = -1 - reference;
    const heads = this.#headsOf(sample);
    const head = this.#headAt(sample);
    const key = heads[head + KEY]! | 0;
    const hash = sampleHash(key, value);
    if (!isSampled(hash, heads[head + WEIGHT]!)) return;
    const isRead = isSampled(hash, heads[head + READ_WEIGHT]!);
    if (!isRead && event[TIME]! <= heads[head + SINCE]!) return;
    const change = this.#values.count(sample, key, value, sign);
    heads[head + VALUES]! += change;
    if (isRead) heads[head + READ_VALUES]! += change;
    if (heads[head + VALUES]! > this.#maxValues) this.#raise(sample, heads, head, key);
  }

  /** One value fewer is counted beside the sample. */
  dropBeside(reference: number): void {
    const sample = -1 - reference;
    this.#headsOf(sample)[this.#headAt(sample) + BESIDE]! -= 1;
  }

  /**
   * To be called after an event has left the window in its turn (a correction is no turn). Lowers the weight if few values are left;
   * returns whether so few are left, and known, that they can be counted without a sample.
   */
  settle(reference: number, event: Float64Array): boolean {
    const sample = -1 - reference;
    const heads = this.#headsOf(sample);
    const head = this.#headAt(sample);
    const weight = heads[head + WEIGHT]!;
    // Events leave by their time, so all that came up to SINCE have left before this one.
    if (weight < heads[head + READ_WEIGHT]! && event[TIME]! > heads[head + SINCE]!) readAll(heads, head);
    const values = Math.max(weight * heads[head + VALUES]!, heads[head + READ_WEIGHT]! * heads[head + READ_VALUES]!);
    let lowered = weight;
    // Up to three eighths full. At half the weight it will be three quarters full at most.
    while (lowered > 1 && 8 * values <= 3 * lowered * this.#maxValues) lowered /= 2;
    if (lowered < weight) this.#lower(sample, heads, head, lowered, event);
    return heads[head + READ_WEIGHT] === 1 && 4 * (heads[head + BESIDE]! + heads[head + VALUES]!) <= this.#maxValues;
  }

  /**
   * Writes the number of values at out[outAt], as of the engine's time; an estimate with its mark.
   */
  writeNumber(reference: number, event: Float64Array, out: Float64Array, outAt: number): void {
    const sample = -1 - reference;
    const heads = this.#headsOf(sample);
    const head = this.#headAt(sample);
    const weight = readWeight(heads, head, event[ENGINE_TIME]!);
    const values = weight === heads[head + WEIGHT] ? heads[head + VALUES]! : heads[head + READ_VALUES]!;
    out[outAt] = heads[head + BESIDE]! + weight * values + (weight === 1 ? 0 : ESTIMATE_MARK);
  }

  /** How many values are counted beside the sample. */
  beside(reference: number): number {
    const sample = -1 - reference;
    return this.#headsOf(sample)[this.#headAt(sample) + BESIDE]!;
  }

  /** Places at which a sample may have a value. */
  get places(): number {
    return this.#values.places;
  }

  /** The value at a place of the sample, -1 for none; */
  valueAt(reference: number, place: number): number {
    return this.#values.valueAt(-1 - reference, place);
  }

  /** and how many of its events are in the window. */
  eventsAt(reference: number, place: number): number {
    return this.#values.eventsAt(-1 - reference, place);
  }

  save(output: StateOutput): void {
    for (const value of [this.#used, this.#free, this.#live]) output.number(value);
    this.#heads.save(output);
    this.#values.save(output);
  }

  load(input: StateInput): void {
    this.#used = input.number();
    this.#free = input.number();
    this.#live = input.number();
    this.#heads.load(Math.ceil(this.#used / HEADS_PER_PAGE), () => input.float64Array());
    this.#values.load(input);
  }

  #raise(sample: number, heads: Float64Array, head: number, key: number): void {
    // No two values of a key have the same hash, so this ends.
    while (heads[head + VALUES]! > this.#maxValues) {
      heads[head + WEIGHT]! *= 2;
      heads[head + VALUES] = this.#values.thin(sample, key, heads[head + WEIGHT]!);
    }
    if (heads[head + WEIGHT]! >= heads[head + READ_WEIGHT]!) readAll(heads, head);
  }

  #lower(sample: number, heads: Float64Array, head: number, weight: number, event: Float64Array): void {
    // What came since an earlier fall begins anew, at the lesser weight.
    if (heads[head + WEIGHT]! < heads[head + READ_WEIGHT]!)
      heads[head + VALUES] = this.#values.thin(sample, heads[head + KEY]! | 0, heads[head + READ_WEIGHT]!);
    heads[head + WEIGHT] = weight;
    heads[head + SINCE] = event[ENGINE_TIME]!;
  }

  #allocate(): number {
    let sample = this.#free - 1;
    if (sample >= 0) {
      this.#free = this.#headsOf(sample)[this.#headAt(sample) + KEY]!;
    } else {
      if (this.#used >= this.#maxSamples) return -1;
      sample = this.#used;
      if ((sample & HEAD_MASK) === 0) this.#heads.add();
      this.#values.add();
      this.#used += 1;
    }
    this.#live += 1;
    return sample;
  }

  /** Where a sample's head lies: from headAt on. */
  #headsOf(sample: number): Float64Array {
    return this.#heads.arrayOf(sample >>> HEAD_SHIFT);
  }

  #headAt(sample: number): number {
    return this.#heads.startOf(sample >>> HEAD_SHIFT) + (sample & HEAD_MASK) * HEAD_DOUBLES;
  }
}

/** From here on estimates are read off all of the sample. */
function readAll(heads: Float64Array, head: number): void {
  heads[head + READ_WEIGHT] = heads[head + WEIGHT]!;
  heads[head + READ_VALUES] = heads[head + VALUES]!;
}

/** All of the sample is complete when what came up to SINCE has left the window. */
function readWeight(heads: Float64Array, head: number, engineTimeMs: number): number {
  const isComplete = heads[head + SINCE]! <= engineTimeMs - heads[head + LEAVE_AGE]!;
  return isComplete ? heads[head + WEIGHT]! : heads[head + READ_WEIGHT]!;
}
