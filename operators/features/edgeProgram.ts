import type { Candidates } from './candidates.ts';
import { AMOUNT, AMOUNT_LANES, BOUNDARY, ENGINE_TIME, SQUARE_LANES, TIME, VALUE } from './eventNumbers.ts';
import { ROW_EVENTS, type KeyTable } from './keyTable.ts';
import type { OldestSteps } from './oldestNumbers.ts';
import type { CandidatePart, FeaturePlan, SumPart, WindowPart } from './plan.ts';
import { LINE_DOUBLES } from './rowLayout.ts';

/** Integers of one moments step: sign, and the row positions of count, sum and squares. */
const MOMENTS_STEP = 4;
/** Of a sum step: predicate, sign, and the row positions of count, sum and squares. */
const SUM_STEP = 5;
/** Of a recency step: predicate, row position. */
const RECENCY_STEP = 2;
/** Of a candidate step: predicate, row position, sign, whether the list is whole. */
const CANDIDATE_STEP = 4;

/** What happens to the rows of one event's keys when it crosses one edge. */
export interface EdgeProgram {
  readonly ageMs: number;
  /** Predicates that its steps ask for. */
  readonly predicates: Int32Array;
  readonly groups: readonly EdgeGroup[];
  readonly usesSums: boolean;
  readonly usesSquares: boolean;
  readonly usesNets: boolean;
  /** Columns whose keys let go of the event here. */
  readonly releases: readonly number[];
}

/** The part of an edge's program that concerns one key of the event: flat lists of steps, one list a kind. */
export interface EdgeGroup extends OldestSteps {
  readonly column: number;
  readonly table: KeyTable;
  /** Sums of all events, with squares. */
  readonly moments: Int32Array;
  /** All other sums. */
  readonly sums: Int32Array;
  readonly recencies: Int32Array;
  readonly candidates: Int32Array;
  /** By candidate step, the age at which an event leaves its list. */
  readonly candidateAgesMs: Float64Array;
  readonly distincts: readonly DistinctGroup[];
  /** Sums of net amounts (netSums.ts). */
  readonly nets: Int32Array;
  /** For each top share: predicate, sign, index, column of the value, row position. */
  readonly shares: Int32Array;
  readonly hours: Int32Array;
  readonly newest: Int32Array;
  /** A position in each cache line of the row that events which leave windows here change. */
  readonly lines: Int32Array;
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
  // Recencies and candidates need no step when an event leaves: whoever reads them looks at the times.
  const isEntered = (part: { readonly enterAgeMs: number }): boolean => part.enterAgeMs === ageMs;
  const isCrossing = (part: WindowPart): boolean => isEntered(part) || part.leaveAgeMs === ageMs;
  const crossing = plan.sums.filter(isCrossing);
  const counted = [...plan.distincts, ...plan.shares, ...plan.hours].filter(isCrossing);
  const entered = [...plan.recencies, ...plan.candidates, ...plan.newest].filter(isEntered);
  const nets = plan.netSums.filter(isCrossing);
  const predicates = new Set([...crossing, ...counted, ...entered, ...nets].map(({ predicate }) => predicate));
  return {
    ageMs,
    predicates: Int32Array.from(predicates),
    groups: tables.flatMap((table, column) => compileGroup(plan, table, column, ageMs)),
    usesSums: crossing.some(({ sumAt }) => sumAt !== 0),
    usesSquares: crossing.some(({ squaresAt }) => squaresAt !== 0),
    usesNets: nets.length > 0,
    releases: plan.columns.flatMap(({ retentionMs }, column) => (retentionMs === ageMs ? [column] : [])),
  };
}

/** One group, or none if nothing of this key crosses the edge. */
function compileGroup(plan: FeaturePlan, table: KeyTable, column: number, ageMs: number): EdgeGroup[] {
  const isHere = (part: { readonly column: number }): boolean => part.column === column;
  const isEntered = (part: { readonly enterAgeMs: number }): boolean => part.enterAgeMs === ageMs;
  const isLeft = (part: { readonly leaveAgeMs: number }): boolean => part.leaveAgeMs === ageMs;
  const isMoments = (part: SumPart): boolean =>
    plan.predicates[part.predicate]!.where === null && part.sumAt !== 0 && part.squaresAt !== 0;
  const isCrossingHere = (part: WindowPart): boolean => isHere(part) && (isEntered(part) || isLeft(part));
  const sums = plan.sums.filter(isCrossingHere);
  const signOf = (part: { readonly enterAgeMs: number }): number => (isEntered(part) ? 1 : -1);
  const shares = plan.shares.filter(isCrossingHere);
  const hours = plan.hours.filter(isCrossingHere);
  const sumSteps = (part: SumPart): number[] => [signOf(part), part.countAt, part.sumAt, part.squaresAt];
  const recencies = plan.recencies.filter(isHere).filter(isEntered);
  const lists = plan.candidates.filter(isHere).filter(isEntered);
  const candidates = lists.filter(({ number }) => number === null);
  const oldest = lists.flatMap(({ predicate, at, number, leaveAgeMs }) => {
    return number === null ? [] : [{ step: [predicate, at, number], leaveAgeMs }];
  });
  const newest = plan.newest.filter(isHere).filter(isEntered);
  const distincts = plan.pairs.filter(isHere).flatMap(({ index, valueColumn }) => {
    const parts = plan.distincts.filter((part) => part.pairs.index === index);
    const steps = [
      ...parts.filter(isEntered).flatMap((part) => [part.predicate, 1, part.window, part.at]),
      ...parts.filter(isLeft).flatMap((part) => [part.predicate, -1, part.window, part.at]),
    ];
    return steps.length === 0 ? [] : [{ valueColumn, pairs: index, steps: Int32Array.from(steps) }];
  });
  const nets = plan.netSums.filter(isCrossingHere);
  if ([sums, recencies, lists, distincts, shares, hours, newest, nets].flat().length === 0) return [];
  const others = sums.filter((part) => !isMoments(part));
  return [
    {
      column,
      table,
      moments: Int32Array.from(sums.filter(isMoments).flatMap(sumSteps)),
      sums: Int32Array.from(others.flatMap((part) => [part.predicate, ...sumSteps(part)])),
      recencies: Int32Array.from(recencies.flatMap(({ predicate, at }) => [predicate, at])),
      candidates: Int32Array.from(
        candidates.flatMap(({ predicate, at, sign, isWhole }) => [predicate, at, sign, Number(isWhole)]),
      ),
      candidateAgesMs: Float64Array.from(candidates, ({ leaveAgeMs }) => leaveAgeMs),
      distincts,
      nets: Int32Array.from(nets.flatMap((part) => [part.predicate, signOf(part), part.countAt, part.sumAt])),
      shares: Int32Array.from(
        shares.flatMap((part) => [part.predicate, signOf(part), part.index, part.valueColumn, part.at]),
      ),
      hours: Int32Array.from(hours.flatMap((part) => [part.predicate, signOf(part), part.at])),
      newest: Int32Array.from(newest.flatMap(({ predicate, at, first, second }) => [predicate, at, first, second])),
      oldest: Int32Array.from(oldest.flatMap(({ step }) => step)),
      oldestAgesMs: Float64Array.from(oldest, ({ leaveAgeMs }) => leaveAgeMs),
      lines: Int32Array.from(linesOf(plan, column, ageMs)),
    },
  ];
}

function linesOf(
  { columns, sums, netSums, distincts, shares, hours }: FeaturePlan,
  column: number,
  ageMs: number,
): number[] {
  const leaves = (part: WindowPart): boolean => part.column === column && part.leaveAgeMs === ageMs;
  const positions = [
    ...[...sums, ...netSums].filter(leaves).flatMap(sumPositions),
    ...[...distincts, ...shares, ...hours].filter(leaves).map(({ at }) => at),
  ];
  if (columns[column]!.retentionMs === ageMs) positions.push(ROW_EVENTS);
  return [...new Set(positions.map((position) => position - (position % LINE_DOUBLES)))];
}

/** Of a sum's fields, each one's first and last double: together they may take more than a line. */
function sumPositions({ countAt, sumAt, squaresAt }: SumPart): number[] {
  return [countAt, ...(sumAt === 0 ? [] : [sumAt, sumAt + 1]), ...(squaresAt === 0 ? [] : [squaresAt, squaresAt + 2])];
}

/** Runs a group's sum steps on a key's row; `holds` has 1 for each predicate that holds. */
export function runSums(
  { moments, sums }: EdgeGroup,
  row: Float64Array,
  base: number,
  holds: Uint8Array,
  event: Float64Array,
): void {
  for (let step = 0; step < moments.length; step += MOMENTS_STEP) {
    const sign = moments[step]!;
    row[base + moments[step + 1]!]! += sign;
    addAmount(row, base + moments[step + 2]!, sign, event);
    addSquare(row, base + moments[step + 3]!, sign, event);
  }
  for (let step = 0; step < sums.length; step += SUM_STEP) {
    if (holds[sums[step]!] === 0) continue;
    const sign = sums[step + 1]!;
    row[base + sums[step + 2]!]! += sign;
    const sumAt = sums[step + 3]!;
    if (sumAt === 0) continue;
    addAmount(row, base + sumAt, sign, event);
    const squaresAt = sums[step + 4]!;
    if (squaresAt !== 0) addSquare(row, base + squaresAt, sign, event);
  }
}

/** Applies one event to one sum part, for a fact that became known. */
export function correctSums(row: Float64Array, base: number, sign: number, part: SumPart, event: Float64Array): void {
  row[base + part.countAt]! += sign;
  if (part.sumAt !== 0) addAmount(row, base + part.sumAt, sign, event);
  if (part.squaresAt !== 0) addSquare(row, base + part.squaresAt, sign, event);
}

function addAmount(row: Float64Array, at: number, sign: number, event: Float64Array): void {
  row[at]! += sign * event[AMOUNT_LANES]!;
  row[at + 1]! += sign * event[AMOUNT_LANES + 1]!;
}

function addSquare(row: Float64Array, at: number, sign: number, event: Float64Array): void {
  row[at]! += sign * event[SQUARE_LANES]!;
  row[at + 1]! += sign * event[SQUARE_LANES + 1]!;
  row[at + 2]! += sign * event[SQUARE_LANES + 2]!;
}

/** Runs a group's recency steps on a key's row. */
export function runRecencies(
  steps: Int32Array,
  row: Float64Array,
  base: number,
  holds: Uint8Array,
  event: Float64Array,
): void {
  for (let step = 0; step < steps.length; step += RECENCY_STEP) {
    if (holds[steps[step]!] === 0) continue;
    const at = base + steps[step + 1]!;
    if (event[TIME]! > row[at]!) row[at] = event[TIME]!;
  }
}

/** Runs a group's candidate steps on a key's row. */
export function runCandidates(
  { candidates: steps, candidateAgesMs }: EdgeGroup,
  candidates: Candidates,
  row: Float64Array,
  base: number,
  holds: Uint8Array,
  event: Float64Array,
): void {
  for (let step = 0, index = 0; step < steps.length; step += CANDIDATE_STEP, index++) {
    if (holds[steps[step]!] === 0) continue;
    const at = base + steps[step + 1]!;
    const sign = steps[step + 2]!;
    event[BOUNDARY] = event[ENGINE_TIME]! - candidateAgesMs[index]!;
    candidates.expire(row, at, event);
    // Time may have jumped over the whole window.
    if (event[TIME]! <= event[BOUNDARY]) continue;
    event[VALUE] = sign === 0 ? 0 : event[AMOUNT]!;
    if (steps[step + 3] === 0) candidates.addPruned(row, at, sign, event);
    else candidates.addWhole(row, at, event);
  }
}

/** Puts an event into a window's candidates (sign 1) or takes it out (-1), for a fact that became known. */
export function correctCandidates(
  candidates: Candidates,
  part: CandidatePart,
  sign: number,
  row: Float64Array,
  at: number,
  event: Float64Array,
): void {
  // Facts change whole lists only; in one without a sign only times matter.
  event[VALUE] = part.sign === 0 ? 0 : event[AMOUNT]!;
  if (sign > 0) candidates.addWhole(row, at, event);
  else candidates.removeWhole(row, at, event);
}
