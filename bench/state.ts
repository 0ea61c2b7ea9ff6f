import { getHeapStatistics } from 'node:v8';
import { createFeatureState } from '../operators/features/createFeatureState.ts';
import type { FeatureState } from '../operators/features/featureState.ts';
import { atShare, significant, type Measurement } from './benchmark.ts';
import { stateCatalogue } from './stateCatalogue.ts';
import { StateEvents, type StateLoad } from './stateLoad.ts';

export interface StateBenchmarkOptions {
  /** Live keys aimed at. */
  readonly keys: number;
  /** Events of the steady state: once for the rate, once for each one's time. */
  readonly events: number;
}

/** Events after which the compiler has seen all there is to see: before, the slowest event is the compiler's. */
const COMPILED_AFTER = 100_000;
/** Payments made before the clock runs again: few, since an engine finds what it has just decoded in the cache. */
const CHUNK = 256;

/**
 * The feature state alone. The longest window is filled first, each event timed (what growing costs); then events enter and
 * leave all windows at one rate: a first part measures the rate and what is allocated, a second the time of each event.
 */
export function benchmarkState(load: StateLoad, { keys, events }: StateBenchmarkOptions): Measurement {
  const catalogue = stateCatalogue();
  // Every distinct count is to be exact, the hot merchant's too.
  const state = createFeatureState(catalogue, { maxDistinctPerKey: 1_000_000_000 });
  const out = new Float64Array(catalogue.names.length);
  const prepared = new StateEvents(load, keys, 2 * events);
  const firstTimed = prepared.windowEvents + events;

  const compiledAfter = Math.min(COMPILED_AFTER, prepared.windowEvents / 2);
  const growing = timeEach(state, prepared, 0, prepared.windowEvents, out).subarray(compiledAfter).sort();
  const { seconds, cpuSeconds, heapBytes } = timeAll(state, prepared, prepared.windowEvents, firstTimed, out);
  const switchesBefore = process.resourceUsage().involuntaryContextSwitches;
  const steady = timeEach(state, prepared, firstTimed, prepared.count, out).sort();
  const preemptions = process.resourceUsage().involuntaryContextSwitches - switchesBefore;

  const statistics = state.statistics();
  return {
    fields: {
      load,
      keys: state.keyCount,
      events_per_s: significant(events / seconds),
      cpu_us_per_event: significant((cpuSeconds * 1e6) / events),
      p50_us: percentileUs(steady, 0.5),
      p999_us: percentileUs(steady, 0.999),
      p9999_us: percentileUs(steady, 0.9999),
      max_us: percentileUs(steady, 1),
      growing_max_us: percentileUs(growing, 1),
      heap_bytes_per_event: significant(heapBytes / events),
      bytes_per_key: Math.round((statistics.bytes - statistics.eventBytes) / state.keyCount),
      features: catalogue.names.length,
    },
    conditions:
      `${events} events after ${prepared.windowEvents} that fill the longest window, 1% of them late; the process was ` +
      `preempted ${preemptions} times while each event was timed; distinct counts without a bound`,
  };
}

/** Milliseconds of each event. */
function timeEach(state: FeatureState, events: StateEvents, from: number, to: number, out: Float64Array): Float64Array {
  const durationsMs = new Float64Array(to - from);
  for (let start = from; start < to; start += CHUNK) {
    const transactions = events.make(start, Math.min(start + CHUNK, to));
    for (let place = 0; place < transactions.length; place++) {
      const transaction = transactions[place]!;
      const startMs = performance.now();
      state.addTransaction(transaction, start + place, out, 0);
      durationsMs[start + place - from] = performance.now() - startMs;
    }
  }
  return durationsMs;
}

/** Without the making of the payments. */
function timeAll(
  state: FeatureState,
  events: StateEvents,
  from: number,
  to: number,
  out: Float64Array,
): { readonly seconds: number; readonly cpuSeconds: number; readonly heapBytes: number } {
  let milliseconds = 0;
  let cpuMicroseconds = 0;
  let heapBytes = 0;
  for (let start = from; start < to; start += CHUNK) {
    const transactions = events.make(start, Math.min(start + CHUNK, to));
    const usedBefore = getHeapStatistics().used_heap_size;
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    for (let place = 0; place < transactions.length; place++)
      state.addTransaction(transactions[place]!, start + place, out, 0);
    milliseconds += performance.now() - startMs;
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuMicroseconds += user + system;
    // Less than before: a collection, and what was allocated until then is not known.
    heapBytes += Math.max(0, getHeapStatistics().used_heap_size - usedBefore);
  }
  return { seconds: milliseconds / 1_000, cpuSeconds: cpuMicroseconds / 1e6, heapBytes };
}

function percentileUs(sortedMs: Float64Array, share: number): number {
  return significant(atShare(sortedMs, share) * 1_000);
}
