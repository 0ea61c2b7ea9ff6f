import { createFeatureState } from '../operators/features/createFeatureState.ts';
import { defaultLimits, type FeatureState } from '../operators/features/featureState.ts';
import type { Transaction } from '../schemas/types.ts';
import { atShare, median, significant, type Measurement } from './benchmark.ts';
import { LONGEST_WINDOW_MS, stateCatalogue } from './stateCatalogue.ts';
import { StateEvents, type StateLoad } from './stateLoad.ts';

export interface BurstBenchmarkOptions {
  /** Live keys aimed at. */
  readonly keys: number;
  /** Payments of one instant, as many as there are bursts. */
  readonly events: readonly number[];
}

/** Spread over the keys; half of it on one merchant. */
export const burstLoads = ['uniform', 'hot-merchant'] as const satisfies readonly StateLoad[];

/** Of the windows that a burst leaves, the shortest: it is soon reached. */
const WINDOW_MS = 600_000;
/** Payments timed at least, from the first that finds the burst due; more while something waits. */
const TIMED = 1_000;
const MOST_TIMED = 20_000;
/** In place of the limit, so that all crosses in the one step. */
const AT_ONCE = 1_000_000_000;

/** What the payments that find one burst due take. */
interface Passing {
  /** Of the one that finds the burst due. */
  readonly firstMs: number;
  readonly slowestMs: number;
  readonly p99Ms: number;
  readonly medianUs: number;
  /** How often another process took the core meanwhile, which the slowest is likely to have met. */
  readonly preemptions: number;
  /** Payments until nothing waited any more. */
  readonly payments: number;
  readonly mostWaiting: number;
}

/**
 * Payments of one instant leave a window: how long the payments of that moment take, with the limit on crossings and without it.
 * The longest window is filled before. A load with a hot merchant has half of the burst, and of the payments after it, there.
 */
export function benchmarkBurst(load: StateLoad, { keys, events }: BurstBenchmarkOptions): Measurement[] {
  const limited = passAll(load, keys, events, defaultLimits.maxCrossingsPerStep);
  const atOnce = passAll(load, keys, events, AT_ONCE);
  return events.map((count, index) => {
    const [within, without] = [limited[index]!, atOnce[index]!];
    return {
      fields: {
        load,
        keys,
        burst: count,
        first_ms: significant(within.firstMs),
        slowest_ms: significant(within.slowestMs),
        p99_ms: significant(within.p99Ms),
        p50_us: significant(within.medianUs),
        payments_until_crossed: within.payments,
        most_waiting: within.mostWaiting,
        at_once_slowest_ms: significant(without.slowestMs),
        at_once_p50_us: significant(without.medianUs),
      },
      conditions:
        `112 features; the burst leaves the 10-minute windows of 4 entities; payments timed until nothing waits, ${TIMED} at least, ` +
        `with at most ${defaultLimits.maxCrossingsPerStep} crossings a step (preempted ${within.preemptions} times) and without that ` +
        `limit (${without.preemptions})`,
    };
  });
}

/** The bursts one after another, over one state. */
function passAll(load: StateLoad, keys: number, bursts: readonly number[], maxCrossingsPerStep: number): Passing[] {
  const catalogue = stateCatalogue();
  const state = createFeatureState(catalogue, { maxDistinctPerKey: 1_000_000_000, maxCrossingsPerStep });
  const out = new Float64Array(catalogue.names.length);
  const burstEvents = bursts.reduce((sum, count) => sum + count, 0);
  const stream = new BurstStream(load, keys, burstEvents, bursts.length);
  for (let left = stream.windowEvents; left > 0; left--) stream.give(state, out);
  return bursts.map((count) => {
    const dueMs = stream.timeMs + WINDOW_MS;
    stream.stop();
    for (let left = count; left > 0; left--) stream.give(state, out);
    stream.goOn();
    while (stream.timeMs < dueMs) stream.give(state, out);
    return timePassing(state, stream, out);
  });
}

function timePassing(state: FeatureState, stream: BurstStream, out: Float64Array): Passing {
  const durationsMs: number[] = [];
  const switchesBefore = process.resourceUsage().involuntaryContextSwitches;
  let waiting = 0;
  let mostWaiting = 0;
  let payments = 0;
  while (durationsMs.length < TIMED || (waiting > 0 && durationsMs.length < MOST_TIMED)) {
    durationsMs.push(stream.give(state, out));
    waiting = state.statistics().backlogEvents;
    if (waiting > 0) payments = durationsMs.length;
    mostWaiting = Math.max(mostWaiting, waiting);
  }
  const preemptions = process.resourceUsage().involuntaryContextSwitches - switchesBefore;
  const sortedMs = Float64Array.from(durationsMs).sort();
  return {
    firstMs: durationsMs[0] ?? NaN,
    slowestMs: sortedMs.at(-1) ?? NaN,
    p99Ms: atShare(sortedMs, 0.99),
    medianUs: median(durationsMs) * 1_000,
    preemptions,
    payments,
    mostWaiting,
  };
}

/** A load's payments one by one, with time stopped where a burst is to be. */
class BurstStream {
  readonly windowEvents: number;
  readonly #events: StateEvents;
  readonly #stepMs: number;
  #next = 0;
  #made: Transaction[] = [];
  /** By how much payments come before the load's own time. */
  #aheadMs = 0;
  #stoppedAt = -1;

  constructor(load: StateLoad, keys: number, burstEvents: number, bursts: number) {
    // Enough for each burst to leave its window, and to be timed.
    const between = (windowEvents: number): number => Math.ceil((2 * windowEvents * WINDOW_MS) / LONGEST_WINDOW_MS);
    this.windowEvents = new StateEvents(load, keys, 0).windowEvents;
    this.#events = new StateEvents(load, keys, burstEvents + bursts * (MOST_TIMED + between(this.windowEvents)));
    this.#stepMs = LONGEST_WINDOW_MS / this.windowEvents;
  }

  /** Time of the next payment. */
  get timeMs(): number {
    const index = this.#stoppedAt < 0 ? this.#next : this.#stoppedAt;
    return Math.floor(this.#events.timeMs(index) - this.#aheadMs);
  }

  stop(): void {
    this.#stoppedAt = this.#next;
  }

  goOn(): void {
    this.#aheadMs += (this.#next - this.#stoppedAt) * this.#stepMs;
    this.#stoppedAt = -1;
  }

  /** Adds the next payment. Returns the milliseconds it took. */
  give(state: FeatureState, out: Float64Array): number {
    if (this.#made.length === 0)
      this.#made = this.#events.make(this.#next, Math.min(this.#next + 256, this.#events.count)).reverse();
    const made = this.#made.pop();
    if (made === undefined) throw new Error('the load is at its end');
    const transaction = { ...made, eventTimeMs: this.timeMs };
    const offset = this.#next;
    this.#next += 1;
    const startMs = performance.now();
    state.addTransaction(transaction, offset, out, 0);
    return performance.now() - startMs;
  }
}
