import type { Candidates } from './candidates.ts';
import { hasBit } from './eventBits.ts';
import type { AmountLanes } from './exactSums.ts';
import type { KeyTable } from './keyTable.ts';
import type { CandidatePart, FeaturePlan, SumPart } from './plan.ts';

/** Integers of one sum step: bit, fact table, sign, and the row positions of count, sum and squares. */
const SUM_STEP = 6;
/** Of a recency step: bit, fact table, row position. */
const RECENCY_STEP = 3;
/** Of a candidate step: bit, fact table, row position, sign, whether the list is whole. */
const CANDIDATE_STEP = 5;

/** What happens to the rows of one event's keys when it crosses one edge. */
export interface EdgeProgram {
  readonly ageMs: number;
  readonly groups: readonly EdgeGroup[];
  readonly usesSums: boolean;
  readonly usesSquares: boolean;
  /** Columns whose keys let go of the event here. */
  readonly releases: readonly number[];
}

/** The part of an edge's program that concerns one key of the event: flat lists of steps. */
export interface EdgeGroup {
  readonly column: number;
  readonly table: KeyTable;
  readonly sums: Int32Array;
  readonly recencies: Int32Array;
  readonly candidates: Int32Array;
  /** By candidate step, the age at which an event leaves its list. */
  readonly candidateAgesMs: Float64Array;
  readonly distincts: readonly DistinctGroup[];
  readonly hasOnlySums: boolean;
}

/** The steps that concern one pair of the event's keys. */
export interface DistinctGroup {
  readonly valueColumn: number;
  /** Index into the state's pair counts. */
  readonly pairs: number;
  readonly steps: Int32Array;
}

export function compileEdges(plan: FeaturePlan, tables: readonly KeyTable[]): EdgeProgram[] {
  return plan.edgeAgesMs.map((ageMs) => compileEdge(plan, tables, ageMs));
}

function compileEdge(plan: FeaturePlan, tables: readonly KeyTable[], ageMs: number): EdgeProgram {
  const groups: EdgeGroup[] = [];
  const crossing = plan.sums.filter((sum) => sum.enterAgeMs === ageMs || sum.leaveAgeMs === ageMs);
  for (const [column, table] of tables.entries()) {
    const isHere = (part: { readonly column: number }): boolean => part.column === column;
    // Recencies and candidates need no step when an event leaves: whoever reads them looks at the times.
    const isEntered = (part: { readonly enterAgeMs: number }): boolean => part.enterAgeMs === ageMs;
    const guard = ({ predicate }: { readonly predicate: number }): [number, number] => {
      const { firstBit, factTable } = plan.predicates[predicate]!;
      return [firstBit, factTable];
    };
    const sums = crossing.filter(isHere).flatMap((part) => {
      return [...guard(part), isEntered(part) ? 1 : -1, part.countAt, part.sumAt, part.squaresAt];
    });
    const recencies = plan.recencies.filter(isHere).filter(isEntered);
    const candidates = plan.candidates.filter(isHere).filter(isEntered);
    const distincts = plan.pairs.filter(isHere).flatMap(({ index, valueColumn }) => {
      const parts = plan.distincts.filter((part) => part.pairs.index === index);
      const entered = parts.filter(isEntered);
      const left = parts.filter((part) => part.leaveAgeMs === ageMs);
      if (entered.length + left.length === 0) return [];
      const steps = [
        ...entered.flatMap((part) => [...guard(part), 1, part.window, part.at]),
        ...left.flatMap((part) => [...guard(part), -1, part.window, part.at]),
      ];
      return [{ valueColumn, pairs: index, steps: Int32Array.from(steps) }];
    });
    const others = recencies.length + candidates.length + distincts.length;
    if (sums.length + others === 0) continue;
    groups.push({
      column,
      table,
      sums: Int32Array.from(sums),
      recencies: Int32Array.from(recencies.flatMap((part) => [...guard(part), part.at])),
      candidates: Int32Array.from(
        candidates.flatMap((part) => [...guard(part), part.at, part.sign, Number(part.isWhole)]),
      ),
      candidateAgesMs: Float64Array.from(candidates, ({ leaveAgeMs }) => leaveAgeMs),
      distincts,
      hasOnlySums: others === 0,
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

/** Runs a group's sum steps on a key's row. */
export function runSums(
  steps: Int32Array,
  row: Float64Array,
  base: number,
  words: Int32Array,
  bitsAt: number,
  facts: number,
  factBits: Uint8Array,
  lanes: AmountLanes,
): void {
  for (let step = 0; step < steps.length; step += SUM_STEP) {
    const bit = steps[step]! + factBits[steps[step + 1]! + facts]!;
    if (!hasBit(words, bitsAt, bit)) continue;
    addToSums(row, base, steps[step + 2]!, steps[step + 3]!, steps[step + 4]!, steps[step + 5]!, lanes);
  }
}

/** Applies one event to one sum part, for a fact that became known. */
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

/** Runs a group's recency steps on a key's row. */
export function runRecencies(
  steps: Int32Array,
  row: Float64Array,
  base: number,
  words: Int32Array,
  bitsAt: number,
  facts: number,
  factBits: Uint8Array,
  timeMs: number,
): void {
  for (let step = 0; step < steps.length; step += RECENCY_STEP) {
    if (!hasBit(words, bitsAt, steps[step]! + factBits[steps[step + 1]! + facts]!)) continue;
    const at = base + steps[step + 2]!;
    if (timeMs > row[at]!) row[at] = timeMs;
  }
}

/** Runs a group's candidate steps on a key's row. */
export function runCandidates(
  group: EdgeGroup,
  candidates: Candidates,
  row: Float64Array,
  base: number,
  words: Int32Array,
  bitsAt: number,
  facts: number,
  factBits: Uint8Array,
  timeMs: number,
  amountMinor: number,
  engineTimeMs: number,
): void {
  const steps = group.candidates;
  for (let step = 0, index = 0; step < steps.length; step += CANDIDATE_STEP, index++) {
    if (!hasBit(words, bitsAt, steps[step]! + factBits[steps[step + 1]! + facts]!)) continue;
    const at = base + steps[step + 2]!;
    const sign = steps[step + 3]!;
    const boundaryMs = engineTimeMs - group.candidateAgesMs[index]!;
    candidates.expire(row, at, boundaryMs);
    // Time may have jumped over the whole window.
    if (timeMs <= boundaryMs) continue;
    if (steps[step + 4] === 0) candidates.addPruned(row, at, timeMs, amountMinor, sign);
    else candidates.addWhole(row, at, timeMs, sign === 0 ? 0 : amountMinor);
  }
}

/** Puts an event into a window's candidates (sign 1) or takes it out (-1), for a fact that became known. */
export function correctCandidates(
  candidates: Candidates,
  part: CandidatePart,
  sign: number,
  row: Float64Array,
  at: number,
  timeMs: number,
  amountMinor: number,
): void {
  // Facts change whole lists only; in one without a sign only times matter.
  const value = part.sign === 0 ? 0 : amountMinor;
  if (sign > 0) candidates.addWhole(row, at, timeMs, value);
  else candidates.removeWhole(row, at, timeMs, value);
}
