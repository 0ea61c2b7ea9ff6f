import { getHeapStatistics } from 'node:v8';
import { createFeatureState } from '../operators/features/createFeatureState.ts';
import type { FeatureState } from '../operators/features/featureState.ts';
import { significant, type Measurement } from './benchmark.ts';
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
const HEAP_INTERVAL = 8_192;

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

  const growing = timeEach(state, prepared, 0, prepared.windowEvents, out).subarray(COMPILED_AFTER).sort();
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
  for (let index = from; index < to; index++) {
    const transaction = events.at(index);
    const startMs = performance.now();
    state.addTransaction(transaction, index, out, 0);
    durationsMs[index - from] = performance.now() - startMs;
  }
  return durationsMs;
}

function timeAll(
  state: FeatureState,
  events: StateEvents,
  from: number,
  to: number,
  out: Float64Array,
): { readonly seconds: number; readonly cpuSeconds: number; readonly heapBytes: number } {
  let heapBytes = 0;
  let usedBefore = getHeapStatistics().used_heap_size;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  for (let index = from; index < to; index++) {
    state.addTransaction(events.at(index), index, out, 0);
    if (index % HEAP_INTERVAL !== 0) continue;
    const used = getHeapStatistics().used_heap_size;
    // Less than before: a collection, and what was allocated until then is not known.
    heapBytes += Math.max(0, used - usedBefore);
    usedBefore = used;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seconds: (performance.now() - startMs) / 1_000, cpuSeconds: (user + system) / 1e6, heapBytes };
}

function percentileUs(sortedMs: Float64Array, share: number): number {
  const index = Math.min(sortedMs.length - 1, Math.floor(sortedMs.length * share));
  return significant((sortedMs[index] ?? Number.NaN) * 1_000);
}
