import { copyState } from '../../testing/memoryState.ts';
import { EVENT_NUMBERS, ENGINE_TIME, TIME } from '../eventNumbers.ts';
import { ColumnKernel, FEATURES_DOUBLE } from '../kernel/columnKernel.ts';
import { byteOffset } from '../kernel/programWords.ts';
import { PairCounts } from '../pairCounts.ts';
import { isSampled, sampleHash } from '../sampledValues.ts';

const GREATEST_WEIGHT = 2 ** 32;
/** Of an amount of 0. */
const NO_LANES = [0, 0, 0, 0, 0] as const;

/** An event of a key that has a value; `holds` by window: whether it counts there. */
export interface PairEvent {
  readonly key: number;
  readonly value: number;
  readonly timeMs: number;
  readonly holds: boolean[];
}

interface Made {
  readonly kernel: ColumnKernel;
  readonly pairs: PairCounts;
  /** Programs: of all windows, and by window. */
  readonly entering: number;
  readonly leaving: readonly number[];
}

/**
 * Pair counts under events that enter and leave windows as a feature state has them do, late ones and jumps of time too, and beside
 * them what a map of each window's values says.
 */
export class PairStream {
  readonly #leaveAgesMs: readonly number[];
  readonly #limits: readonly [maxValues: number, maxSamples: number];
  readonly #event = new Float64Array(EVENT_NUMBERS);
  /** By time; events of one time as they came. */
  readonly #events: PairEvent[] = [];
  /** By window: how many events have left it. */
  readonly #left: number[];
  readonly #keys: number;
  /** By window and key, how often each value is in the window. */
  readonly #present = new Map<string, Map<number, number>>();
  /** The values that were there when a sample was begun, and have been since; by window and key that have a sample. */
  readonly #beside = new Map<string, Set<number>>();
  #made: Made;

  constructor(keys: number, leaveAgesMs: readonly number[], limits: readonly [maxValues: number, maxSamples: number]) {
    this.#leaveAgesMs = leaveAgesMs;
    this.#limits = limits;
    this.#left = leaveAgesMs.map(() => 0);
    this.#keys = keys;
    this.#made = this.#make();
    for (let key = 0; key < keys; key++) this.#made.kernel.calls.allocateRow();
  }

  get pairs(): PairCounts {
    return this.#made.pairs;
  }

  get timeMs(): number {
    return this.#event[ENGINE_TIME]!;
  }

  /** Events that some window may hold. */
  get held(): readonly PairEvent[] {
    return this.#events.slice(Math.min(...this.#left));
  }

  /** As if from a snapshot. */
  restart(): void {
    const made = this.#make();
    copyState(this.#made.kernel, made.kernel);
    copyState(this.#made.pairs, made.pairs);
    this.#made = made;
  }

  advance(timeMs: number): void {
    this.#event[ENGINE_TIME] = Math.max(timeMs, this.timeMs);
    for (const [window, ageMs] of this.#leaveAgesMs.entries()) {
      for (let index = this.#left[window]!; index < this.#events.length; index++) {
        if (this.#events[index]!.timeMs > this.timeMs - ageMs) break;
        this.#left[window]! += 1;
        this.#cross(this.#events[index]!, -1, [window]);
      }
    }
  }

  add(event: PairEvent): void {
    this.advance(event.timeMs);
    let place = this.#events.length;
    while (place > 0 && this.#events[place - 1]!.timeMs > event.timeMs) place -= 1;
    this.#events.splice(place, 0, event);
    const windows = [...this.#leaveAgesMs.keys()];
    this.#cross(event, 1, windows);
    const past = windows.filter((window) => event.timeMs <= this.timeMs - this.#leaveAgesMs[window]!);
    for (const window of past) {
      this.#left[window]! += 1;
      this.#cross(event, -1, [window]);
    }
  }

  /** Changes whether an event counts in a window; nothing if it has left. */
  correct(event: PairEvent, window: number): void {
    if (event.timeMs <= this.timeMs - this.#leaveAgesMs[window]!) return;
    const sign = event.holds[window] === true ? -1 : 1;
    event.holds[window] = sign > 0;
    this.#event[TIME] = event.timeMs;
    this.pairs.count(event.key, event.value, sign, window, window);
    this.#note(event, window, sign);
  }

  /** The number of values that the pair counts tell. */
  told(key: number, window: number): number {
    const field = this.#field(key, window);
    if (field >= 0) return field;
    this.pairs.writeSample(field, byteOffset(FEATURES_DOUBLE));
    return this.#made.kernel.doubles[FEATURES_DOUBLE]!;
  }

  /** The number of values that there are. */
  actual(key: number, window: number): number {
    return this.#present.get(`${key} ${window}`)?.size ?? 0;
  }

  /**
   * Whether the number told is one that a sample of some weight gives: those that were there before it, and as many as its weight
   * for each value whose hash is in it.
   */
  isSampled(key: number, window: number): boolean {
    const id = `${key} ${window}`;
    const told = this.told(key, window);
    const beside = this.#beside.get(id);
    const present = [...(this.#present.get(id)?.keys() ?? [])];
    if (beside === undefined) return told === present.length;
    const hashes = present.filter((value) => !beside.has(value)).map((value) => sampleHash(key, value));
    for (let weight = 1; weight <= GREATEST_WEIGHT; weight *= 2) {
      const sampled = hashes.filter((hash) => isSampled(hash, weight)).length;
      if (told === beside.size + weight * sampled + (weight > 1 ? 0.5 : 0)) return true;
    }
    return false;
  }

  /** The key has no event any more. */
  releaseKey(key: number): void {
    const { kernel, pairs } = this.#made;
    for (const window of this.#leaveAgesMs.keys()) {
      const at = kernel.rowBase(key) + window;
      if (kernel.doubles[at]! < 0) pairs.clearSample(byteOffset(at));
    }
  }

  #cross(event: PairEvent, sign: number, windows: readonly number[]): void {
    this.#event[TIME] = event.timeMs;
    const { kernel, entering, leaving } = this.#made;
    const bits = event.holds.reduce((sum, holds, window) => sum | (Number(holds) << window), 0);
    const program = sign > 0 ? entering : leaving[windows[0]!]!;
    kernel.calls.cross(program, event.key, bits, event.value, event.timeMs, 0, this.timeMs, ...NO_LANES);
    for (const window of windows) if (event.holds[window] === true) this.#note(event, window, sign);
  }

  #note({ key, value }: PairEvent, window: number, sign: number): void {
    const id = `${key} ${window}`;
    const present = this.#present.get(id) ?? new Map<number, number>();
    this.#present.set(id, present);
    const count = (present.get(value) ?? 0) + sign;
    if (!(this.#field(key, window) < 0)) this.#beside.delete(id);
    else if (!this.#beside.has(id)) this.#beside.set(id, new Set(present.keys()));
    if (count > 0) {
      present.set(value, count);
      return;
    }
    present.delete(value);
    this.#beside.get(id)?.delete(value);
  }

  #field(key: number, window: number): number {
    const { kernel } = this.#made;
    return kernel.doubles[kernel.rowBase(key) + window]!;
  }

  #make(): Made {
    const ages = this.#leaveAgesMs;
    const kernel = new ColumnKernel({ rowLength: ages.length, maxKeys: this.#keys, maxCandidatesPerKey: 1 });
    const pairs = new PairCounts(kernel, ages, ...this.#limits, this.#event);
    // One pair, with a step for each window: its predicate's bit, sign, window and field.
    const place = (windows: readonly number[], sign: number): number => {
      const steps = windows.flatMap((window) => [window, sign, window, byteOffset(window)]);
      return kernel.place([0, 0, 0, 0, 1, pairs.table, steps.length * 4, ...steps]);
    };
    const windows = [...ages.keys()];
    return { kernel, pairs, entering: place(windows, 1), leaving: windows.map((window) => place([window], -1)) };
  }
}
