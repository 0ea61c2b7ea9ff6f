import type { Candidates } from './candidates.ts';
import type { AmountLanes } from './exactSums.ts';
import type { KeyTable } from './keyTable.ts';
import type { PairCounts } from './pairCounts.ts';
import type { CandidatePart, FeaturePlan, RecencyPart, SumPart } from './plan.ts';

/** Integers of one sum step: bit, label stride, sign, and the row positions of count, sum and squares. */
const SUM_STEP = 6;

/** What happens to the rows of one event's keys when it crosses one edge. */
export interface EdgeProgram {
  readonly ageMs: number;
  readonly groups: readonly EdgeGroup[];
  readonly usesSums: boolean;
  readonly usesSquares: boolean;
  /** Columns whose keys let go of the event here. */
  readonly releases: readonly number[];
}

/** The part of an edge's program that concerns one key of the event. */
export interface EdgeGroup {
  readonly column: number;
  readonly table: KeyTable;
  readonly sums: Int32Array;
  readonly recencies: readonly Guarded<RecencyPart>[];
  readonly candidates: readonly Guarded<CandidatePart>[];
  readonly distincts: readonly Guarded<DistinctStep>[];
}

/** A step for the events whose bit `bit + label * labelStride` is set. */
export interface Guarded<T> {
  readonly bit: number;
  readonly labelStride: number;
  readonly step: T;
}

export interface DistinctStep {
  readonly at: number;
  readonly valueColumn: number;
  /** Index into the state's pair counts. */
  readonly part: number;
  readonly sign: number;
}

export function compileEdges(plan: FeaturePlan, tables: readonly KeyTable[]): EdgeProgram[] {
  return plan.edgeAgesMs.map((ageMs) => compileEdge(plan, tables, ageMs));
}

function compileEdge(plan: FeaturePlan, tables: readonly KeyTable[], ageMs: number): EdgeProgram {
  const groups: EdgeGroup[] = [];
  const crossing = plan.sums.filter((sum) => sum.enterAgeMs === ageMs || sum.leaveAgeMs === ageMs);
  for (const [column, table] of tables.entries()) {
    const guarded = <T>(part: { readonly predicate: number }, step: T): Guarded<T> => {
      const { firstBit, labelStride } = plan.predicates[part.predicate]!;
      return { bit: firstBit, labelStride, step };
    };
    const isHere = (part: { readonly column: number }): boolean => part.column === column;
    // Recencies and candidates need no step when an event leaves: whoever reads them looks at the times.
    const isEntered = (part: { readonly enterAgeMs: number }): boolean => part.enterAgeMs === ageMs;
    const sums = crossing.filter(isHere).flatMap((part) => {
      const { firstBit, labelStride } = plan.predicates[part.predicate]!;
      const sign = part.enterAgeMs === ageMs ? 1 : -1;
      return [firstBit, labelStride, sign, part.countAt, part.sumAt, part.squaresAt];
    });
    const distincts = plan.distincts.flatMap((part, index) => {
      if (part.column !== column || (part.enterAgeMs !== ageMs && part.leaveAgeMs !== ageMs)) return [];
      const sign = part.enterAgeMs === ageMs ? 1 : -1;
      return [guarded(part, { at: part.at, valueColumn: part.valueColumn, part: index, sign })];
    });
    const recencies = plan.recencies.filter(isHere).filter(isEntered);
    const candidates = plan.candidates.filter(isHere).filter(isEntered);
    if (sums.length + distincts.length + recencies.length + candidates.length === 0) continue;
    groups.push({
      column,
      table,
      sums: Int32Array.from(sums),
      recencies: recencies.map((part) => guarded(part, part)),
      candidates: candidates.map((part) => guarded(part, part)),
      distincts,
    });
  }
  return {
    ageMs,
    groups,
    usesSums: crossing.some(({ sumAt }) => sumAt !== 0),
    usesSquares: crossing.some(({ squaresAt }) => squaresAt !== 0),
    releases: plan.columns.flatMap(({ retentionMs }, column) => (retentionMs === ageMs ? [column] : [])),
  };
}

/** Whether the event whose bits start at `bitsAt` has this bit. */
export function hasBit(words: Int32Array, bitsAt: number, bit: number): boolean {
  return ((words[bitsAt + (bit >>> 5)]! >>> (bit & 31)) & 1) === 1;
}

/** Runs a group's sum steps on a key's row. */
export function runSums(
  steps: Int32Array,
  row: Float64Array,
  base: number,
  words: Int32Array,
  bitsAt: number,
  label: number,
  lanes: AmountLanes,
): void {
  for (let step = 0; step < steps.length; step += SUM_STEP) {
    const bit = steps[step]! + label * steps[step + 1]!;
    if (!hasBit(words, bitsAt, bit)) continue;
    addToSums(row, base, steps[step + 2]!, steps[step + 3]!, steps[step + 4]!, steps[step + 5]!, lanes);
  }
}

/** Applies one event to one sum part, for a label that changed its mind. */
export function correctSums(row: Float64Array, base: number, sign: number, part: SumPart, lanes: AmountLanes): void {
  addToSums(row, base, sign, part.countAt, part.sumAt, part.squaresAt, lanes);
}

function addToSums(
  row: Float64Array,
  base: number,
  sign: number,
  countAt: number,
  sumAt: number,
  squaresAt: number,
  lanes: AmountLanes,
): void {
  row[base + countAt]! += sign;
  if (sumAt === 0) return;
  const sums = base + sumAt;
  row[sums]! += sign * lanes.low;
  row[sums + 1]! += sign * lanes.high;
  if (squaresAt === 0) return;
  const squares = base + squaresAt;
  row[squares]! += sign * lanes.square0;
  row[squares + 1]! += sign * lanes.square1;
  row[squares + 2]! += sign * lanes.square2;
}

/** Adds an event to a window's candidates. */
export function addCandidate(
  candidates: Candidates,
  part: CandidatePart,
  row: Float64Array,
  at: number,
  timeMs: number,
  amountMinor: number,
): void {
  if (!part.isWhole) candidates.addPruned(row, at, timeMs, amountMinor, part.sign);
  else candidates.addWhole(row, at, timeMs, part.sign === 0 ? 0 : amountMinor);
}

/**
 * Counts a value in (sign 1) or out (-1) of a key's distinct values, which number row[at]. Returns false when the key
 * holds the most it may, or there is no room, and the value is a further one.
 */
export function countValue(
  pairs: PairCounts,
  key: number,
  value: number,
  sign: number,
  row: Float64Array,
  at: number,
  maxValues: number,
): boolean {
  if (sign < 0) {
    if (pairs.decrement(key, value) === 0) row[at]! -= 1;
    return true;
  }
  if (pairs.incrementExisting(key, value) > 0) return true;
  if (row[at]! >= maxValues || !pairs.add()) return false;
  row[at]! += 1;
  return true;
}
