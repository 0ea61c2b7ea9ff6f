import { compileCandidateReads, readCandidates, type CandidateReads } from './candidateReads.ts';
import type { Candidates } from './candidates.ts';
import type { EventDoubles } from './eventDoubles.ts';
import type { PairCounts } from './pairCounts.ts';
import type { FeaturePlan } from './plan.ts';
import { compileProfileReads, readProfiles, type ProfileReads } from './profileReads.ts';
import { compileWindowReads, readWindows, type WindowReads } from './windowReads.ts';

/** How features are read from the rows of a payment's keys. */
export interface ReadProgram {
  readonly columns: readonly ColumnReads[];
  /** By feature. */
  readonly whenEmpty: Float64Array;
}

interface ColumnReads {
  readonly column: number;
  readonly features: Int32Array;
  readonly windows: WindowReads;
  readonly lists: readonly CandidateReads[];
  readonly profiles: ProfileReads;
}

/** The reads of all windows that do, or do not, include the current payment. */
export function compileReads(plan: FeaturePlan, includeCurrent: boolean): ReadProgram {
  const columns = plan.columns.flatMap((_, column) => {
    const reads = [...plan.reads.entries()].flatMap(([feature, read]) => {
      const isHere = read.kind !== 'expression' && read.column === column && read.includeCurrent === includeCurrent;
      return isHere ? [{ feature, read }] : [];
    });
    if (reads.length === 0) return [];
    const features = Int32Array.from(reads, ({ feature }) => feature);
    const [windows, lists] = [compileWindowReads(reads), compileCandidateReads(reads)];
    return [{ column, features, windows, lists, profiles: compileProfileReads(reads) }];
  });
  return { columns, whenEmpty: Float64Array.from(plan.reads, ({ whenEmpty }) => whenEmpty) };
}

/**
 * Writes the features of the current payment, whose keys have these slots (negative: none, so NaN) and rows, as of the
 * engine's time.
 */
export function readFeatures(
  { columns, whenEmpty }: ReadProgram,
  slots: Int32Array,
  rows: readonly Float64Array[],
  bases: Int32Array,
  event: Float64Array,
  doubles: EventDoubles,
  pairs: readonly PairCounts[],
  candidates: Candidates,
  out: Float64Array,
  outBase: number,
): void {
  for (let index = 0; index < columns.length; index++) {
    const { column, features, windows, lists, profiles } = columns[index]!;
    if (slots[column]! < 0) {
      for (let place = 0; place < features.length; place++) out[outBase + features[place]!] = Number.NaN;
      continue;
    }
    const row = rows[column]!;
    const base = bases[column]!;
    readWindows(windows, row, base, event, pairs, whenEmpty, out, outBase);
    for (let list = 0; list < lists.length; list++)
      readCandidates(lists[list]!, candidates, row, base, event, whenEmpty, out, outBase);
    if (profiles.steps.length > 0)
      readProfiles(profiles, row, base, event, doubles, candidates, whenEmpty, out, outBase);
  }
}
