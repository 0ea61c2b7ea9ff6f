import { expire, newestAfter, newestOf, oldestOf, prunedExtreme, wholeExtreme, valueOf, timeOf } from './candidates';
import { LANE_20, LANE_27 } from './lanes';
import { FEATURES } from './layout';
import { rowOf } from './rows';

// A program, which windowReads.ts and candidateReads.ts write, in 32-bit integers: the address of the values for empty windows, how
// many steps it has of each kind, then the steps. Steps name features by their place among those of the program.
const WHEN_EMPTY: u32 = 0;
const COUNTS: u32 = 4;
const DISTINCTS: u32 = 8;
const SEEN: u32 = 12;
const SUMS: u32 = 16;
const SCORES: u32 = 20;
const RATES: u32 = 24;
const RECENCIES: u32 = 28;
const LISTS: u32 = 32;
const STEPS: u32 = 40;

/** Of a count, or of whether there is any: row offset, place. */
const COUNT_STEP: u32 = 8;
/** Of a number of values: row offset, place, number of the table of pairs. */
const DISTINCT_STEP: u32 = 12;
/** Row offsets of count, sum and squares; places of sum, avg and std, -1 for none. */
const SUM_STEP: u32 = 24;
/** Of a standard score: row offsets of count, sum and squares; place. */
const SCORE_STEP: u32 = 16;
/** Row offsets of the count that satisfies `where` and of the count of all; place. */
const RATE_STEP: u32 = 12;
/** Row offset, place, age at which an event leaves the window (a double). */
const RECENCY_STEP: u32 = 16;
/** Of a list: row offset, sign, whether it is whole, how many windows, age at which an event leaves it (a double), room in the row, nothing. */
const LIST_HEAD: u32 = 32;
/** Of each of its windows, the longest first: place, nothing, age at which an event leaves it (a double). */
const WINDOW_STEP: u32 = 16;

const SPLITTER: f64 = 134217729;

/** Has the host write the number of values for which a row holds this reference. */
declare function readSample(table: i32, reference: i32, target: u32): void;

/** Writes the features of a key to FEATURES, for a payment of that amount. */
export function read(program: u32, slot: i32, engineTimeMs: f64, amountMinor: f64): void {
  const row = rowOf(slot);
  const empty = load<u32>(program, WHEN_EMPTY);
  let step = program + STEPS;
  let end = step + load<u32>(program, COUNTS) * COUNT_STEP;
  for (; step < end; step += COUNT_STEP) {
    const count = load<f64>(row + load<u32>(step));
    const place = load<u32>(step, 4) << 3;
    store<f64>(FEATURES + place, count == 0 ? load<f64>(empty + place) : count);
  }
  end = step + load<u32>(program, DISTINCTS) * DISTINCT_STEP;
  for (; step < end; step += DISTINCT_STEP) {
    const count = load<f64>(row + load<u32>(step));
    const place = load<u32>(step, 4) << 3;
    if (count < 0) readSample(load<i32>(step, 8), <i32>count, FEATURES + place);
    else store<f64>(FEATURES + place, count);
    // A sample may turn out to be empty, too.
    if (load<f64>(FEATURES + place) == 0) store<f64>(FEATURES + place, load<f64>(empty + place));
  }
  end = step + load<u32>(program, SEEN) * COUNT_STEP;
  for (; step < end; step += COUNT_STEP) {
    const place = load<u32>(step, 4) << 3;
    store<f64>(FEATURES + place, load<f64>(row + load<u32>(step)) == 0 ? load<f64>(empty + place) : 1);
  }
  end = step + load<u32>(program, SUMS) * SUM_STEP;
  for (; step < end; step += SUM_STEP) readSums(row, step, empty);
  end = step + load<u32>(program, SCORES) * SCORE_STEP;
  for (; step < end; step += SCORE_STEP) {
    const place = load<u32>(step, 12) << 3;
    const counts = row + load<u32>(step);
    const sums = row + load<u32>(step, 4);
    const spread = spreadOf(load<f64>(counts), sums, row + load<u32>(step, 8));
    store<f64>(
      FEATURES + place,
      spread == 0 ? load<f64>(empty + place) : distanceOf(load<f64>(counts), sums, amountMinor) / spread,
    );
  }
  end = step + load<u32>(program, RATES) * RATE_STEP;
  for (; step < end; step += RATE_STEP) {
    const all = load<f64>(row + load<u32>(step, 4));
    const place = load<u32>(step, 8) << 3;
    store<f64>(FEATURES + place, all == 0 ? load<f64>(empty + place) : load<f64>(row + load<u32>(step)) / all);
  }
  end = step + load<u32>(program, RECENCIES) * RECENCY_STEP;
  for (; step < end; step += RECENCY_STEP) {
    const newestMs = load<f64>(row + load<u32>(step));
    const place = load<u32>(step, 4) << 3;
    const isEmpty = newestMs == 0 || newestMs <= engineTimeMs - load<f64>(step, 8);
    store<f64>(FEATURES + place, isEmpty ? load<f64>(empty + place) : (engineTimeMs - newestMs) / 1000);
  }
  for (let left = load<u32>(program, LISTS); left > 0; left--) step = readList(row, step, empty, engineTimeMs);
}

function readSums(row: u32, step: u32, empty: u32): void {
  const count = load<f64>(row + load<u32>(step));
  const sums = row + load<u32>(step, 4);
  const sumPlace = load<i32>(step, 12);
  const avgPlace = load<i32>(step, 16);
  const stdPlace = load<i32>(step, 20);
  if (count == 0) {
    if (sumPlace >= 0) store<f64>(FEATURES + (sumPlace << 3), load<f64>(empty + (sumPlace << 3)));
    if (avgPlace >= 0) store<f64>(FEATURES + (avgPlace << 3), load<f64>(empty + (avgPlace << 3)));
    if (stdPlace >= 0) store<f64>(FEATURES + (stdPlace << 3), load<f64>(empty + (stdPlace << 3)));
    return;
  }
  // Rounded once where it passes 2^53.
  const sum = load<f64>(sums, 8) * LANE_20 + load<f64>(sums);
  if (sumPlace >= 0) store<f64>(FEATURES + (sumPlace << 3), sum);
  if (avgPlace >= 0) store<f64>(FEATURES + (avgPlace << 3), sum / count);
  if (stdPlace >= 0) store<f64>(FEATURES + (stdPlace << 3), spreadOf(count, sums, row + load<u32>(step, 8)) / count);
}

function readList(row: u32, head: u32, empty: u32, engineTimeMs: f64): u32 {
  const list = row + load<u32>(head);
  const sign = load<i32>(head, 4);
  const isWhole = load<i32>(head, 8) != 0;
  expire(list, load<u32>(head, 24), engineTimeMs - load<f64>(head, 16));
  let node = oldestOf(list);
  const newest = newestOf(list);
  const end = head + LIST_HEAD + load<u32>(head, 12) * WINDOW_STEP;
  for (let step = head + LIST_HEAD; step < end; step += WINDOW_STEP) {
    const place = load<u32>(step) << 3;
    const boundaryMs = engineTimeMs - load<f64>(step, 8);
    if (sign == 0) node = newestAfter(list, boundaryMs);
    else if (isWhole) node = wholeExtreme(list, sign, boundaryMs);
    else node = prunedExtreme(node, newest, boundaryMs);
    let feature: f64;
    if (node == 0) feature = load<f64>(empty + place);
    else if (sign == 0) feature = (engineTimeMs - timeOf(node)) / 1000;
    else feature = valueOf(node);
    store<f64>(FEATURES + place, feature);
  }
  return end;
}

/**
 * n times the population standard deviation of n amounts, sqrt(n Q - S^2), whose sum S and sum of squares Q, both exact, have their
 * lanes at `sums` and `squares`. The difference is taken in double-double arithmetic (Dekker 1971; Knuth's two-sum), about 104 bits: the
 * result's relative error stays below 1e-12 while the mean is less than 1e9 standard deviations. The difference is an integer, so less
 * than a half means that all amounts are equal.
 */
function spreadOf(count: f64, sums: u32, squares: u32): f64 {
  const low = load<f64>(sums);
  const square0 = load<f64>(squares);
  const square1 = load<f64>(squares, 8);
  const square2 = load<f64>(squares, 16);
  // S = sumHigh + sumLow, exactly.
  const sumPart = load<f64>(sums, 8) * LANE_20;
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
  return total < 0.5 ? 0 : sqrt<f64>(total);
}

/** n x - S: an integer, rounded once. */
function distanceOf(count: f64, sums: u32, amountMinor: f64): f64 {
  const low = load<f64>(sums);
  const sumPart = load<f64>(sums, 8) * LANE_20;
  const sumHigh = sumPart + low;
  const product = count * amountMinor;
  const difference = product - sumHigh;
  // Integers far below 2^53 all, so that adding them up is exact.
  const error =
    twoSumError(product, -sumHigh, difference) +
    (twoProductError(count, amountMinor, product) - twoSumError(sumPart, low, sumHigh));
  return difference + error;
}

/** a + b - sum, exactly, where sum is a + b rounded. */
function twoSumError(a: f64, b: f64, sum: f64): f64 {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

/** a * b - product, exactly, where product is a * b rounded. */
function twoProductError(a: f64, b: f64, product: f64): f64 {
  const aSpread = SPLITTER * a;
  const aHigh = aSpread - (aSpread - a);
  const aLow = a - aHigh;
  const bSpread = SPLITTER * b;
  const bHigh = bSpread - (bSpread - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
