import type { Candidates } from './candidates.ts';
import { standardDeviation, sumOfLanes } from './exactSums.ts';
import type { FeaturePlan, ReadPlan } from './plan.ts';

const COUNT = 0;
const SUM = 1;
const AVG = 2;
const STD = 3;
const RATE = 4;
const RECENCY = 5;
const NEWEST_CANDIDATE = 6;
const PRUNED_EXTREME = 7;
const WHOLE_EXTREME = 8;
const DISTINCT = 9;

/** How one feature is read from a key's row; all of one shape, so that the engine's loop stays monomorphic. */
export interface ReadStep {
  readonly feature: number;
  readonly column: number;
  readonly operation: number;
  /** The count, time, list or number of values; for rate the count that satisfies `where`. */
  readonly at: number;
  /** The sum, or for rate the count of all. */
  readonly secondAt: number;
  readonly squaresAt: number;
  readonly sign: number;
  readonly leaveAgeMs: number;
  readonly whenEmpty: number;
}

/** The read steps of all windows that do, or do not, include the current payment. */
export function compileReads(plan: FeaturePlan, includeCurrent: boolean): ReadStep[] {
  return plan.reads.flatMap((read, feature) => {
    if (read.kind === 'expression' || read.includeCurrent !== includeCurrent) return [];
    return [{ feature, ...locate(read) }];
  });
}

function locate(read: Exclude<ReadPlan, { kind: 'expression' }>): Omit<ReadStep, 'feature'> {
  const { column, leaveAgeMs, whenEmpty } = read;
  const step = { column, leaveAgeMs, whenEmpty, secondAt: 0, squaresAt: 0, sign: 0 };
  switch (read.kind) {
    case 'count':
      return { ...step, operation: COUNT, at: read.part.countAt };
    case 'sum':
      return { ...step, operation: SUM, at: read.part.countAt, secondAt: read.part.sumAt };
    case 'avg':
      return { ...step, operation: AVG, at: read.part.countAt, secondAt: read.part.sumAt };
    case 'std': {
      const { countAt, sumAt, squaresAt } = read.part;
      return { ...step, operation: STD, at: countAt, secondAt: sumAt, squaresAt };
    }
    case 'rate':
      return { ...step, operation: RATE, at: read.part.countAt, secondAt: read.all.countAt };
    case 'recency':
      return { ...step, operation: RECENCY, at: read.part.at };
    case 'newestCandidate':
      return { ...step, operation: NEWEST_CANDIDATE, at: read.part.at };
    case 'extreme': {
      const operation = read.part.isWhole ? WHOLE_EXTREME : PRUNED_EXTREME;
      return { ...step, operation, at: read.part.at, sign: read.part.sign };
    }
    case 'distinct':
      return { ...step, operation: DISTINCT, at: read.part.at };
  }
}

/** One feature's value for the key whose row starts at `base`, at the engine's time. */
export function readFeature(
  step: ReadStep,
  row: Float64Array,
  base: number,
  engineTimeMs: number,
  candidates: Candidates,
): number {
  const at = base + step.at;
  switch (step.operation) {
    case COUNT:
    case DISTINCT: {
      const count = row[at]!;
      return count === 0 ? step.whenEmpty : count;
    }
    case SUM: {
      const sum = base + step.secondAt;
      return row[at] === 0 ? step.whenEmpty : sumOfLanes(row[sum]!, row[sum + 1]!);
    }
    case AVG: {
      const count = row[at]!;
      const sum = base + step.secondAt;
      return count === 0 ? step.whenEmpty : sumOfLanes(row[sum]!, row[sum + 1]!) / count;
    }
    case STD: {
      const count = row[at]!;
      if (count === 0) return step.whenEmpty;
      const sum = base + step.secondAt;
      const squares = base + step.squaresAt;
      return standardDeviation(count, row[sum]!, row[sum + 1]!, row[squares]!, row[squares + 1]!, row[squares + 2]!);
    }
    case RATE: {
      const all = row[base + step.secondAt]!;
      return all === 0 ? step.whenEmpty : row[at]! / all;
    }
    case RECENCY: {
      const newestMs = row[at]!;
      if (newestMs === 0 || newestMs <= engineTimeMs - step.leaveAgeMs) return step.whenEmpty;
      return (engineTimeMs - newestMs) / 1_000;
    }
    case NEWEST_CANDIDATE:
      candidates.expire(row, at, engineTimeMs - step.leaveAgeMs);
      if (candidates.isEmpty(row, at)) return step.whenEmpty;
      return (engineTimeMs - candidates.newestTimeMs(row, at)) / 1_000;
    case PRUNED_EXTREME:
      candidates.expire(row, at, engineTimeMs - step.leaveAgeMs);
      return candidates.isEmpty(row, at) ? step.whenEmpty : candidates.prunedExtreme(row, at);
    default:
      candidates.expire(row, at, engineTimeMs - step.leaveAgeMs);
      return candidates.isEmpty(row, at) ? step.whenEmpty : candidates.wholeExtreme(row, at, step.sign);
  }
}
