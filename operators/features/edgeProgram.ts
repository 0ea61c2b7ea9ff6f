import type { KernelDriver } from './kernel/kernelDriver.ts';
import { byteOffset, ProgramWords } from './kernel/programWords.ts';
import { ROW_EVENTS, type KeyTable } from './keyTable.ts';
import type { OldestSteps } from './oldestNumbers.ts';
import type { PairCounts } from './pairCounts.ts';
import type { FeaturePlan, SumPart, WindowPart } from './plan.ts';
import { LINE_DOUBLES } from './rowLayout.ts';

const WORD_BYTES = 4;

/** What happens to the rows of one event's keys when it crosses one edge. */
export interface EdgeProgram {
  readonly ageMs: number;
  /** The address of the driver's program (assembly/edges.ts), which has predicates and, of each key, the kernel's steps. */
  readonly program: number;
  /** Predicates that its other steps ask for. */
  readonly predicates: Int32Array;
  /** Of keys with steps that the kernel does not run. */
  readonly groups: readonly EdgeGroup[];
  /** Columns of the keys to which something happens. */
  readonly columns: readonly number[];
  readonly usesNets: boolean;
  /** Columns whose keys let go of the event here. */
  readonly releases: readonly number[];
}

/**
 * The part of an edge's program that concerns one key of the event and is not the kernel's (sums, recencies, lists of candidates and
 * counted pairs are): flat lists of steps, one list a kind.
 */
export interface EdgeGroup extends OldestSteps {
  readonly column: number;
  readonly table: KeyTable;
  /** Sums of net amounts (netSums.ts). */
  readonly nets: Int32Array;
  /** For each top share: predicate, sign, index, column of the value, row position. */
  readonly shares: Int32Array;
  readonly hours: Int32Array;
  readonly newest: Int32Array;
}

/** What programs are compiled for. */
export interface ProgramTargets {
  readonly driver: KernelDriver;
  readonly plan: FeaturePlan;
  readonly tables: readonly KeyTable[];
  readonly pairs: readonly PairCounts[];
}

export function compileEdges(targets: ProgramTargets): EdgeProgram[] {
  const { factBits } = targets.plan;
  const bytes = new Uint8Array(Math.ceil(factBits.length / WORD_BYTES) * WORD_BYTES);
  bytes.set(factBits);
  const factBitsAt = targets.driver.place([...new Int32Array(bytes.buffer)]);
  return targets.plan.edgeAgesMs.map((ageMs) => compileEdge(targets, ageMs, factBitsAt));
}

function compileEdge(targets: ProgramTargets, ageMs: number, factBitsAt: number): EdgeProgram {
  const { plan, tables } = targets;
  // Recencies and candidates need no step when an event leaves: whoever reads them looks at the times.
  const isEntered = (part: { readonly enterAgeMs: number }): boolean => part.enterAgeMs === ageMs;
  const isCrossing = (part: WindowPart): boolean => isEntered(part) || part.leaveAgeMs === ageMs;
  const crossing = [...plan.sums, ...plan.distincts, ...plan.shares, ...plan.hours].filter(isCrossing);
  const entered = [...plan.recencies, ...plan.candidates, ...plan.newest].filter(isEntered);
  const nets = plan.netSums.filter(isCrossing);
  const predicates = predicatesOf([...crossing, ...entered, ...nets]);
  const others = [...[...plan.shares, ...plan.hours].filter(isCrossing), ...nets, ...plan.newest.filter(isEntered)];
  const oldest = plan.candidates.filter(isEntered).filter(({ number }) => number !== null);
  const groups = tables.flatMap((table, column) => compileGroup(targets, table, column, ageMs, predicates));
  return {
    ageMs,
    program: targets.driver.place([
      predicates.length,
      groups.length,
      plan.columns.length,
      factBitsAt,
      ...predicates.flatMap((predicate) => [
        plan.predicates[predicate]!.firstBit,
        plan.predicates[predicate]!.factTable,
      ]),
      ...groups.flatMap(({ words }) => words),
    ]),
    predicates: Int32Array.from(predicatesOf([...others, ...oldest])),
    groups: groups.flatMap(({ others }) => others ?? []),
    columns: groups.map(({ column }) => column),
    usesNets: nets.length > 0,
    releases: plan.columns.flatMap(({ retentionMs }, column) => (retentionMs === ageMs ? [column] : [])),
  };
}

function predicatesOf(parts: readonly { readonly predicate: number }[]): number[] {
  return [...new Set(parts.map(({ predicate }) => predicate))];
}

interface CompiledGroup {
  readonly column: number;
  /** Of the driver's program. */
  readonly words: readonly number[];
  readonly others: EdgeGroup | null;
}

/** One group, or none if nothing of this key crosses the edge. */
function compileGroup(
  { plan, pairs }: ProgramTargets,
  table: KeyTable,
  column: number,
  ageMs: number,
  predicates: readonly number[],
): CompiledGroup[] {
  const isHere = (part: { readonly column: number }): boolean => part.column === column;
  const isEntered = (part: { readonly enterAgeMs: number }): boolean => part.enterAgeMs === ageMs;
  const isLeft = (part: { readonly leaveAgeMs: number }): boolean => part.leaveAgeMs === ageMs;
  const isCrossingHere = (part: WindowPart): boolean => isHere(part) && (isEntered(part) || isLeft(part));
  const isMoments = (part: SumPart): boolean =>
    plan.predicates[part.predicate]!.where === null && part.sumAt !== 0 && part.squaresAt !== 0;
  const signOf = (part: { readonly enterAgeMs: number }): number => (isEntered(part) ? 1 : -1);
  const bitOf = ({ predicate }: { readonly predicate: number }): number => predicates.indexOf(predicate);

  const sums = plan.sums.filter(isCrossingHere);
  const recencies = plan.recencies.filter(isHere).filter(isEntered);
  const lists = plan.candidates.filter(isHere).filter(isEntered);
  const candidates = lists.filter(({ number }) => number === null);
  const counted = plan.pairs.filter(isHere).flatMap(({ index, valueColumn }) => {
    const parts = plan.distincts.filter((part) => part.pairs.index === index);
    const entering = parts.filter(isEntered).map((part) => ({ part, sign: 1 }));
    const steps = [...entering, ...parts.filter(isLeft).map((part) => ({ part, sign: -1 }))];
    return steps.length === 0 ? [] : [{ table: pairs[index]!.table, valueColumn, steps }];
  });
  const shares = plan.shares.filter(isCrossingHere);
  const hours = plan.hours.filter(isCrossingHere);
  const newest = plan.newest.filter(isHere).filter(isEntered);
  const nets = plan.netSums.filter(isCrossingHere);
  const oldest = lists.flatMap(({ predicate, at, number, leaveAgeMs }) => {
    return number === null ? [] : [{ step: [predicate, at, number], leaveAgeMs }];
  });
  const others = [shares, hours, newest, nets, oldest].flat().length;
  if (others + [sums, recencies, candidates, counted].flat().length === 0) return [];

  const program = new ProgramWords();
  const fieldsOf = ({ countAt, sumAt, squaresAt }: SumPart): number[] => [countAt, sumAt, squaresAt].map(byteOffset);
  const moments = sums.filter(isMoments);
  const otherSums = sums.filter((part) => !isMoments(part));
  for (const part of moments) program.add(signOf(part), ...fieldsOf(part));
  for (const part of otherSums) program.add(bitOf(part), signOf(part), ...fieldsOf(part));
  for (const part of recencies) program.add(bitOf(part), byteOffset(part.at));
  for (const part of candidates) {
    program.add(bitOf(part), byteOffset(part.at), part.sign, Number(part.isWhole));
    program.addDouble(part.leaveAgeMs);
    program.add(part.room, 0);
  }
  for (const { table: pairTable, steps } of counted) {
    const words = steps.flatMap(({ part, sign }) => [bitOf(part), sign, part.window, byteOffset(part.at)]);
    program.add(pairTable, words.length * WORD_BYTES, ...words);
  }
  const lines = linesOf(plan, column, ageMs).map(byteOffset);
  const pairTables = counted.map(({ table: pairTable }) => pairTable);
  const counts = [moments.length, otherSums.length, recencies.length, candidates.length, counted.length];
  const kernelProgram = table.kernel.place([...counts, ...program.words]);
  const ahead = table.kernel.place([lines.length, pairTables.length, ...lines, ...pairTables]);
  const valueColumns = counted.map(({ valueColumn }) => valueColumn);
  const group = {
    column,
    table,
    nets: Int32Array.from(nets.flatMap((part) => [part.predicate, signOf(part), part.countAt, part.sumAt])),
    shares: Int32Array.from(
      shares.flatMap((part) => [part.predicate, signOf(part), part.index, part.valueColumn, part.at]),
    ),
    hours: Int32Array.from(hours.flatMap((part) => [part.predicate, signOf(part), part.at])),
    newest: Int32Array.from(newest.flatMap(({ predicate, at, first, second }) => [predicate, at, first, second])),
    oldest: Int32Array.from(oldest.flatMap(({ step }) => step)),
    oldestAgesMs: Float64Array.from(oldest, ({ leaveAgeMs }) => leaveAgeMs),
  };
  const words = [column, kernelProgram, ahead, valueColumns.length, ...valueColumns];
  return [{ column, words, others: others > 0 ? group : null }];
}

/** A position in each cache line of the row that events which leave windows here change. */
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
