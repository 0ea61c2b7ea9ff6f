import { byteOffset, type ProgramWords } from './kernel/programWords.ts';
import type { PairCounts } from './pairCounts.ts';
import type { ReadPlan, SumPart } from './plan.ts';

/** A feature's place among those of a program, and where its value is found. */
export interface FeatureRead {
  readonly place: number;
  readonly read: ReadPlan;
}

/** Steps of each kind, in the kernel's order (assembly/reads.ts). */
export interface WindowSteps {
  readonly counts: number;
  readonly distincts: number;
  readonly seen: number;
  readonly sums: number;
  readonly scores: number;
  readonly rates: number;
  readonly recencies: number;
}

/** Adds the steps for the features of one key that its row alone tells. */
export function addWindowSteps(
  program: ProgramWords,
  reads: readonly FeatureRead[],
  pairs: readonly PairCounts[],
): WindowSteps {
  const steps = { counts: 0, distincts: 0, seen: 0, sums: 0, scores: 0, rates: 0, recencies: 0 };
  const fieldsOf = ({ countAt, sumAt, squaresAt }: SumPart): number[] => [countAt, sumAt, squaresAt].map(byteOffset);
  for (const { place, read } of reads) {
    if (read.kind !== 'count') continue;
    program.add(byteOffset(read.part.countAt), place);
    steps.counts += 1;
  }
  for (const { place, read } of reads) {
    if (read.kind !== 'distinct') continue;
    program.add(byteOffset(read.part.at), place, pairs[read.part.pairs.index]!.number);
    steps.distincts += 1;
  }
  for (const { place, read } of reads) {
    if (read.kind !== 'seen') continue;
    program.add(byteOffset(read.part.countAt), place);
    steps.seen += 1;
  }
  for (const { part, sum, avg, std } of sumSteps(reads)) {
    program.add(...fieldsOf(part), sum, avg, std);
    steps.sums += 1;
  }
  for (const { place, read } of reads) {
    if (read.kind !== 'zScore') continue;
    program.add(...fieldsOf(read.part), place);
    steps.scores += 1;
  }
  for (const { place, read } of reads) {
    if (read.kind !== 'rate') continue;
    program.add(byteOffset(read.part.countAt), byteOffset(read.all.countAt), place);
    steps.rates += 1;
  }
  for (const { place, read } of reads) {
    if (read.kind !== 'recency') continue;
    program.add(byteOffset(read.part.at), place);
    program.addDouble(read.leaveAgeMs);
    steps.recencies += 1;
  }
  return steps;
}

interface SumStep {
  readonly part: SumPart;
  /** Places, -1 for none. */
  sum: number;
  avg: number;
  std: number;
}

/** Sum, avg and std of one window are read in one step; a feature that is declared twice takes another step. */
function sumSteps(reads: readonly FeatureRead[]): SumStep[] {
  const steps: SumStep[] = [];
  for (const { place, read } of reads) {
    const { kind } = read;
    if (kind !== 'sum' && kind !== 'avg' && kind !== 'std') continue;
    let step = steps.find((known) => known.part === read.part && known[kind] < 0);
    if (step === undefined) {
      step = { part: read.part, sum: -1, avg: -1, std: -1 };
      steps.push(step);
    }
    step[kind] = place;
  }
  return steps;
}
