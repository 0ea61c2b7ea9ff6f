import { AMOUNT, AMOUNT_LANES, SQUARE_LANES } from './eventNumbers.ts';

/**
 * Exact integer sums of amounts and of their squares, over as many as 2^26 (67 million) amounts of up to 1e12 in one
 * window, by plain double additions: every lane adds integers below 2^27, so no lane reaches 2^53, and a value that
 * leaves takes off exactly what it added.
 *
 * A sum takes two lanes (2^20 apart), a sum of squares three (2^27 apart).
 */

const LANE_20 = 1_048_576;
const LANE_27 = 134_217_728;
const SPLITTER = LANE_27 + 1;

/** Splits an event's integer amount, from 0 to 1e12, into its lanes. */
export function splitAmount(event: Float64Array): void {
  const amountMinor = event[AMOUNT]!;
  const high = Math.floor(amountMinor * (1 / LANE_20));
  event[AMOUNT_LANES] = amountMinor - high * LANE_20;
  event[AMOUNT_LANES + 1] = high;
}

/** The same of any amount, into two lanes at `at`. Not for every event: the amount may be allocated. */
export function splitLanes(amountMinor: number, lanes: Float64Array, at: number): void {
  const high = Math.floor(amountMinor * (1 / LANE_20));
  lanes[at] = amountMinor - high * LANE_20;
  lanes[at + 1] = high;
}

/** Splits the square of the amount that `splitAmount` has split. */
export function splitSquare(event: Float64Array): void {
  const low = event[AMOUNT_LANES]!;
  const high = event[AMOUNT_LANES + 1]!;
  // amount^2 = low^2 + 2 low high 2^20 + high^2 2^40; every intermediate stays below 2^53.
  const cross = 2 * low * high;
  const crossCarry = Math.floor(cross * (1 / 128));
  const bottom = low * low + (cross - crossCarry * 128) * LANE_20;
  const bottomCarry = Math.floor(bottom * (1 / LANE_27));
  const middle = crossCarry + bottomCarry + high * high * 8_192;
  const middleCarry = Math.floor(middle * (1 / LANE_27));
  event[SQUARE_LANES] = bottom - bottomCarry * LANE_27;
  event[SQUARE_LANES + 1] = middle - middleCarry * LANE_27;
  event[SQUARE_LANES + 2] = middleCarry;
}

/** The sum, rounded once where it passes 2^53. */
export function sumOfLanes(low: number, high: number): number {
  return high * LANE_20 + low;
}

/**
 * Writes to out[at] the population standard deviation sqrt(n Q - S^2) / n of n amounts, whose sum S and sum of squares Q,
 * both exact, have their lanes at `sums` and `squares` of a row.
 */
export function writeStandardDeviation(
  row: Float64Array,
  countAt: number,
  sums: number,
  squares: number,
  out: Float64Array,
  at: number,
): void {
  writeSpread(row, countAt, sums, squares, out, at);
  out[at]! /= row[countAt]!;
}

/**
 * Writes to out[at] how many standard deviations an amount x is from the mean of n amounts, (n x - S) / sqrt(n Q - S^2);
 * x is the event's AMOUNT. The dividend is an integer, rounded once. Returns false when the amounts are all equal, or there are
 * none: there is no such number then.
 */
export function writeStandardScore(
  event: Float64Array,
  row: Float64Array,
  countAt: number,
  sums: number,
  squares: number,
  out: Float64Array,
  at: number,
): boolean {
  writeSpread(row, countAt, sums, squares, out, at);
  const spread = out[at]!;
  if (spread === 0) return false;
  const low = row[sums]!;
  const sumPart = row[sums + 1]! * LANE_20;
  const sumHigh = sumPart + low;
  const count = row[countAt]!;
  const amountMinor = event[AMOUNT]!;
  const product = count * amountMinor;
  const difference = product - sumHigh;
  // Integers far below 2^53 all, so that adding them up is exact.
  const error =
    twoSumError(product, -sumHigh, difference) +
    (twoProductError(count, amountMinor, product) - twoSumError(sumPart, low, sumHigh));
  out[at] = (difference + error) / spread;
  return true;
}

/**
 * Writes to out[at] n times the standard deviation, sqrt(n Q - S^2). The difference is taken in double-double arithmetic
 * (Dekker 1971; Knuth's two-sum), about 104 bits: the result's relative error stays below 1e-12 while the mean is less
 * than 1e9 standard deviations. The difference is an integer, so less than a half means that all amounts are equal.
 */
function writeSpread(
  row: Float64Array,
  countAt: number,
  sums: number,
  squares: number,
  out: Float64Array,
  at: number,
): void {
  const count = row[countAt]!;
  const low = row[sums]!;
  const square0 = row[squares]!;
  const square1 = row[squares + 1]!;
  const square2 = row[squares + 2]!;
  // S = sumHigh + sumLow, exactly.
  const sumPart = row[sums + 1]! * LANE_20;
  const sumHigh = sumPart + low;
  const sumLow = twoSumError(sumPart, low, sumHigh);
  // Q = squareHigh + squareLow, to about 106 bits.
  const top = square2 * LANE_27 * LANE_27;
  const middle = square1 * LANE_27;
  const upper = top + middle;
  const upperError = twoSumError(top, middle, upper);
  const squareHigh = upper + square0;
  const squareLow = twoSumError(upper, square0, squareHigh) + upperError;

  const scaled = count * squareHigh;
  const scaledLow = twoProductError(count, squareHigh, scaled) + count * squareLow;
  const squaredSum = sumHigh * sumHigh;
  const squaredSumLow = twoProductError(sumHigh, sumHigh, squaredSum) + (2 * sumHigh * sumLow + sumLow * sumLow);

  const difference = scaled - squaredSum;
  const differenceLow = twoSumError(scaled, -squaredSum, difference) + (scaledLow - squaredSumLow);
  const total = difference + differenceLow;
  out[at] = total < 0.5 ? 0 : Math.sqrt(total);
}

/** a + b - sum, exactly, where sum is a + b rounded. */
function twoSumError(a: number, b: number, sum: number): number {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

/** a * b - product, exactly, where product is a * b rounded. */
function twoProductError(a: number, b: number, product: number): number {
  const aSpread = SPLITTER * a;
  const aHigh = aSpread - (aSpread - a);
  const aLow = a - aHigh;
  const bSpread = SPLITTER * b;
  const bHigh = bSpread - (bSpread - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
