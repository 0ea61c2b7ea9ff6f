import { timeOffset, valueOffset, type Candidates } from './candidates.ts';
import { sumOfLanes, writeStandardDeviation, writeStandardScore } from './exactSums.ts';
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
const SEEN = 10;
const STANDARD_SCORE = 11;

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
  /** Age at which an event leaves the list of candidates, which longer windows may share. */
  readonly expiryAgeMs: number;
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
  const step = { column, leaveAgeMs, whenEmpty, secondAt: 0, squaresAt: 0, sign: 0, expiryAgeMs: 0 };
  switch (read.kind) {
    case 'count':
      return { ...step, operation: COUNT, at: read.part.countAt };
    case 'sum':
      return { ...step, operation: SUM, at: read.part.countAt, secondAt: read.part.sumAt };
    case 'avg':
      return { ...step, operation: AVG, at: read.part.countAt, secondAt: read.part.sumAt };
    case 'seen':
      return { ...step, operation: SEEN, at: read.part.countAt };
    case 'std':
    case 'zScore': {
      const { countAt, sumAt, squaresAt } = read.part;
      const operation = read.kind === 'std' ? STD : STANDARD_SCORE;
      return { ...step, operation, at: countAt, secondAt: sumAt, squaresAt };
    }
    case 'rate':
      return { ...step, operation: RATE, at: read.part.countAt, secondAt: read.all.countAt };
    case 'recency':
      return { ...step, operation: RECENCY, at: read.part.at };
    case 'newestCandidate':
      return { ...step, operation: NEWEST_CANDIDATE, at: read.part.at, expiryAgeMs: read.part.leaveAgeMs };
    case 'extreme': {
      const operation = read.part.isWhole ? WHOLE_EXTREME : PRUNED_EXTREME;
      const { at, sign } = read.part;
      return { ...step, operation, at, sign, expiryAgeMs: read.part.leaveAgeMs };
    }
    case 'distinct':
      return { ...step, operation: DISTINCT, at: read.part.at };
  }
}

/**
 * Writes the features of the current payment, which has this amount and whose keys have these slots (negative: none, so NaN) and rows, as of the
 * engine's time. It writes and returns nothing: a double that a function returns costs an allocation.
 */
export function readFeatures(
  steps: readonly ReadStep[],
  slots: Int32Array,
  rows: readonly Float64Array[],
  bases: Int32Array,
  engineTimeMs: number,
  amountMinor: number,
  candidates: Candidates,
  out: Float64Array,
  outBase: number,
): void {
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index]!;
    const { column } = step;
    const outAt = outBase + step.feature;
    if (slots[column]! < 0) {
      out[outAt] = Number.NaN;
      continue;
    }
    const row = rows[column]!;
    const base = bases[column]!;
    const at = base + step.at;
    switch (step.operation) {
      case COUNT:
      case DISTINCT: {
        const count = row[at]!;
        out[outAt] = count === 0 ? step.whenEmpty : count;
        break;
      }
      case SUM: {
        const sum = base + step.secondAt;
        out[outAt] = row[at] === 0 ? step.whenEmpty : sumOfLanes(row[sum]!, row[sum + 1]!);
        break;
      }
      case AVG: {
        const count = row[at]!;
        const sum = base + step.secondAt;
        out[outAt] = count === 0 ? step.whenEmpty : sumOfLanes(row[sum]!, row[sum + 1]!) / count;
        break;
      }
      case STD: {
        const count = row[at]!;
        if (count === 0) out[outAt] = step.whenEmpty;
        else writeStandardDeviation(count, row, base + step.secondAt, base + step.squaresAt, out, outAt);
        break;
      }
      case STANDARD_SCORE: {
        const { secondAt, squaresAt, whenEmpty } = step;
        writeStandardScore(amountMinor, row[at]!, row, base + secondAt, base + squaresAt, whenEmpty, out, outAt);
        break;
      }
      case SEEN: {
        out[outAt] = row[at] === 0 ? step.whenEmpty : 1;
        break;
      }
      case RATE: {
        const all = row[base + step.secondAt]!;
        out[outAt] = all === 0 ? step.whenEmpty : row[at]! / all;
        break;
      }
      case RECENCY: {
        const newestMs = row[at]!;
        const isEmpty = newestMs === 0 || newestMs <= engineTimeMs - step.leaveAgeMs;
        out[outAt] = isEmpty ? step.whenEmpty : (engineTimeMs - newestMs) / 1_000;
        break;
      }
      default:
        readCandidates(step, row, at, engineTimeMs, candidates, out, outAt);
    }
  }
}

function readCandidates(
  step: ReadStep,
  row: Float64Array,
  at: number,
  engineTimeMs: number,
  candidates: Candidates,
  out: Float64Array,
  outAt: number,
): void {
  candidates.expire(row, at, engineTimeMs - step.expiryAgeMs);
  const boundaryMs = engineTimeMs - step.leaveAgeMs;
  out[outAt] = step.whenEmpty;
  if (step.operation === NEWEST_CANDIDATE) {
    const newest = candidates.newest(row, at);
    if (newest === 0) return;
    const newestMs = candidates.page(newest)[timeOffset(newest)]!;
    if (newestMs > boundaryMs) out[outAt] = (engineTimeMs - newestMs) / 1_000;
    return;
  }
  const extreme =
    step.operation === PRUNED_EXTREME
      ? candidates.prunedExtreme(row, at, boundaryMs)
      : candidates.wholeExtreme(row, at, boundaryMs, step.sign);
  if (extreme !== 0) out[outAt] = candidates.page(extreme)[valueOffset(extreme)]!;
}
