import type { Candidates } from './candidates.ts';
import { BOUNDARY, ENGINE_TIME } from './eventNumbers.ts';
import type { CandidatePart } from './plan.ts';
import type { FeatureRead } from './windowReads.ts';

/** The features that are read from one list of candidates: its windows, the longest first. */
export interface CandidateReads {
  readonly at: number;
  /** 1 for the greatest, -1 for the least value; 0: the time since the newest. */
  readonly sign: number;
  readonly isWhole: boolean;
  /** Age at which an event leaves the list. */
  readonly expiryAgeMs: number;
  readonly features: Int32Array;
  /** By feature, the age at which an event leaves the window. */
  readonly leaveAgesMs: Float64Array;
}

export function compileCandidateReads(reads: readonly FeatureRead[]): CandidateReads[] {
  const lists = new Map<CandidatePart, { readonly feature: number; readonly leaveAgeMs: number }[]>();
  for (const { feature, read } of reads) {
    if (read.kind !== 'extreme' && read.kind !== 'newestCandidate') continue;
    const windows = lists.get(read.part) ?? [];
    windows.push({ feature, leaveAgeMs: read.leaveAgeMs });
    lists.set(read.part, windows);
  }
  return [...lists].map(([{ at, sign, isWhole, leaveAgeMs }, windows]) => {
    windows.sort((a, b) => b.leaveAgeMs - a.leaveAgeMs);
    return {
      at,
      sign,
      isWhole,
      expiryAgeMs: leaveAgeMs,
      features: Int32Array.from(windows, ({ feature }) => feature),
      leaveAgesMs: Float64Array.from(windows, (window) => window.leaveAgeMs),
    };
  });
}

/**
 * Writes the features to out[outBase + feature] from the key's row, which starts at `base`, as of the engine's time.
 * `whenEmpty` is by feature.
 */
export function readCandidates(
  { at, sign, isWhole, expiryAgeMs, features, leaveAgesMs }: CandidateReads,
  candidates: Candidates,
  row: Float64Array,
  base: number,
  event: Float64Array,
  whenEmpty: Float64Array,
  out: Float64Array,
  outBase: number,
): void {
  const list = base + at;
  const engineTimeMs = event[ENGINE_TIME]!;
  event[BOUNDARY] = engineTimeMs - expiryAgeMs;
  candidates.expire(row, list, event);
  let node = candidates.oldest(row, list);
  const newest = candidates.newest(row, list);
  for (let index = 0; index < features.length; index++) {
    const feature = features[index]!;
    event[BOUNDARY] = engineTimeMs - leaveAgesMs[index]!;
    if (sign === 0) node = candidates.newestAfter(row, list, event);
    else if (isWhole) node = candidates.wholeExtreme(row, list, sign, event);
    else node = candidates.prunedExtreme(node, newest, event);
    if (node === 0) out[outBase + feature] = whenEmpty[feature]!;
    else if (sign === 0)
      out[outBase + feature] = (engineTimeMs - candidates.page(node)[candidates.timeOffset(node)]!) / 1_000;
    else out[outBase + feature] = candidates.page(node)[candidates.valueOffset(node)]!;
  }
}
