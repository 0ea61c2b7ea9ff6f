import { ENGINE_TIME } from './eventNumbers.ts';
import { sumOfLanes, writeStandardDeviation, writeStandardScore } from './exactSums.ts';
import type { PairCounts } from './pairCounts.ts';
import type { ReadPlan, SumPart } from './plan.ts';

/** Integers of one count, or of whether there is any: row position, feature. */
const COUNT_STEP = 2;
/** Of one number of different values: row position, feature, and whose pair counts they are. */
const DISTINCT_STEP = 3;
/** Of one window's sums: row positions of count, sum and squares; features of sum, avg and std, -1 for none. */
const SUM_STEP = 6;
/** Of one standard score: row positions of count, sum and squares; feature. */
const SCORE_STEP = 4;
/** Of one rate: row positions of the count that satisfies `where` and of the count of all; feature. */
const RATE_STEP = 3;
/** Of one recency: row position, feature. */
const RECENCY_STEP = 2;

/** A feature and where its value is found. */
export interface FeatureRead {
  readonly feature: number;
  readonly read: ReadPlan;
}

/** The features of one key that its row alone tells: flat lists of steps, one list a kind. */
export interface WindowReads {
  readonly counts: Int32Array;
  readonly distincts: Int32Array;
  readonly seen: Int32Array;
  readonly sums: Int32Array;
  readonly scores: Int32Array;
  readonly rates: Int32Array;
  readonly recencies: Int32Array;
  /** By recency step, the age at which an event leaves the window. */
  readonly recencyAgesMs: Float64Array;
}

export function compileWindowReads(reads: readonly FeatureRead[]): WindowReads {
  const recencies = reads.flatMap(({ feature, read }) => (read.kind === 'recency' ? [{ feature, read }] : []));
  return {
    counts: Int32Array.from(
      reads.flatMap(({ feature, read }) => (read.kind === 'count' ? [read.part.countAt, feature] : [])),
    ),
    distincts: Int32Array.from(
      reads.flatMap(({ feature, read }) => {
        return read.kind === 'distinct' ? [read.part.at, feature, read.part.pairs.index] : [];
      }),
    ),
    seen: Int32Array.from(
      reads.flatMap(({ feature, read }) => (read.kind === 'seen' ? [read.part.countAt, feature] : [])),
    ),
    sums: compileSums(reads),
    scores: Int32Array.from(
      reads.flatMap(({ feature, read }) => {
        return read.kind === 'zScore' ? [read.part.countAt, read.part.sumAt, read.part.squaresAt, feature] : [];
      }),
    ),
    rates: Int32Array.from(
      reads.flatMap(({ feature, read }) => {
        return read.kind === 'rate' ? [read.part.countAt, read.all.countAt, feature] : [];
      }),
    ),
    recencies: Int32Array.from(recencies.flatMap(({ feature, read }) => [read.part.at, feature])),
    recencyAgesMs: Float64Array.from(recencies, ({ read }) => read.leaveAgeMs),
  };
}

/** Sum, avg and std of one window are read in one step; a feature that is declared twice takes another step. */
function compileSums(reads: readonly FeatureRead[]): Int32Array {
  const steps: { readonly part: SumPart; sum: number; avg: number; std: number }[] = [];
  for (const { feature, read } of reads) {
    const { kind } = read;
    if (kind !== 'sum' && kind !== 'avg' && kind !== 'std') continue;
    let step = steps.find((known) => known.part === read.part && known[kind] < 0);
    if (step === undefined) {
      step = { part: read.part, sum: -1, avg: -1, std: -1 };
      steps.push(step);
    }
    step[kind] = feature;
  }
  return Int32Array.from(
    steps.flatMap(({ part, sum, avg, std }) => [part.countAt, part.sumAt, part.squaresAt, sum, avg, std]),
  );
}

/**
 * Writes the features to out[outBase + feature] from the key's row, which starts at `base`, as of the engine's time and for the
 * event's amount. `whenEmpty` is by feature.
 */
export function readWindows(
  { counts, distincts, seen, sums, scores, rates, recencies, recencyAgesMs }: WindowReads,
  row: Float64Array,
  base: number,
  event: Float64Array,
  pairs: readonly PairCounts[],
  whenEmpty: Float64Array,
  out: Float64Array,
  outBase: number,
): void {
  for (let step = 0; step < counts.length; step += COUNT_STEP) {
    const count = row[base + counts[step]!]!;
    const feature = counts[step + 1]!;
    out[outBase + feature] = count === 0 ? whenEmpty[feature]! : count;
  }
  for (let step = 0; step < distincts.length; step += DISTINCT_STEP) {
    const count = row[base + distincts[step]!]!;
    const feature = distincts[step + 1]!;
    if (count < 0) pairs[distincts[step + 2]!]!.writeSampled(count | 0, event, out, outBase + feature);
    else out[outBase + feature] = count;
    // A sample may turn out to be empty, too.
    if (out[outBase + feature] === 0) out[outBase + feature] = whenEmpty[feature]!;
  }
  for (let step = 0; step < seen.length; step += COUNT_STEP) {
    const feature = seen[step + 1]!;
    out[outBase + feature] = row[base + seen[step]!] === 0 ? whenEmpty[feature]! : 1;
  }
  for (let step = 0; step < sums.length; step += SUM_STEP) {
    const countAt = base + sums[step]!;
    const sumAt = base + sums[step + 1]!;
    const sumFeature = sums[step + 3]!;
    const avgFeature = sums[step + 4]!;
    const stdFeature = sums[step + 5]!;
    const count = row[countAt]!;
    if (count === 0) {
      if (sumFeature >= 0) out[outBase + sumFeature] = whenEmpty[sumFeature]!;
      if (avgFeature >= 0) out[outBase + avgFeature] = whenEmpty[avgFeature]!;
      if (stdFeature >= 0) out[outBase + stdFeature] = whenEmpty[stdFeature]!;
      continue;
    }
    const sum = sumOfLanes(row[sumAt]!, row[sumAt + 1]!);
    if (sumFeature >= 0) out[outBase + sumFeature] = sum;
    if (avgFeature >= 0) out[outBase + avgFeature] = sum / count;
    if (stdFeature >= 0) writeStandardDeviation(row, countAt, sumAt, base + sums[step + 2]!, out, outBase + stdFeature);
  }
  for (let step = 0; step < scores.length; step += SCORE_STEP) {
    const countAt = base + scores[step]!;
    const sumAt = base + scores[step + 1]!;
    const feature = scores[step + 3]!;
    const outAt = outBase + feature;
    if (!writeStandardScore(event, row, countAt, sumAt, base + scores[step + 2]!, out, outAt))
      out[outAt] = whenEmpty[feature]!;
  }
  for (let step = 0; step < rates.length; step += RATE_STEP) {
    const all = row[base + rates[step + 1]!]!;
    const feature = rates[step + 2]!;
    out[outBase + feature] = all === 0 ? whenEmpty[feature]! : row[base + rates[step]!]! / all;
  }
  const engineTimeMs = event[ENGINE_TIME]!;
  for (let step = 0, index = 0; step < recencies.length; step += RECENCY_STEP, index++) {
    const newestMs = row[base + recencies[step]!]!;
    const feature = recencies[step + 1]!;
    const isEmpty = newestMs === 0 || newestMs <= engineTimeMs - recencyAgesMs[index]!;
    out[outBase + feature] = isEmpty ? whenEmpty[feature]! : (engineTimeMs - newestMs) / 1_000;
  }
}
