import { addPruned, addWhole, expire } from './candidates';
import { amountHigh, amountLow, splitAmount, square0, square1, square2, takeLanes } from './lanes';
import { HOLDS, VALUES } from './layout';
import { holds } from './holds';
import { runPairs } from './pairs';
import { rowOf } from './rows';

// A program, which edgeProgram.ts writes, in 32-bit integers: how many steps it has of each kind, then the steps.
const MOMENTS: u32 = 0;
const SUMS: u32 = 4;
const RECENCIES: u32 = 8;
const CANDIDATES: u32 = 12;
const PAIRS: u32 = 16;
const STEPS: u32 = 20;

/** Sign, and the row offsets of count, sum and squares. */
const MOMENTS_STEP: u32 = 16;
/** Predicate's bit, sign, and the row offsets of count, sum (0: none) and squares (0: none). */
const SUM_STEP: u32 = 20;
/** Predicate's bit, row offset. */
const RECENCY_STEP: u32 = 8;
/** Predicate's bit, row offset, sign, whether the list is whole, age at which an event leaves it (a double), room in the row, nothing. */
const CANDIDATE_STEP: u32 = 32;
/** Of a pair, before its own steps: table, how many bytes these take. */
const PAIR_HEAD: u32 = 8;

function add(field: u32, value: f64): void {
  store<f64>(field, load<f64>(field) + value);
}

/**
 * Runs a program on the row of a key, for the event at hand: the bits of its first 32 predicates, the slot of its first value (HOLDS and
 * VALUES have the others), its numbers, and the lanes of its amount.
 */
export function cross(
  program: u32,
  slot: i32,
  bits: u32,
  firstValue: i32,
  timeMs: f64,
  amountMinor: f64,
  engineTimeMs: f64,
  low: f64,
  high: f64,
  first: f64,
  second: f64,
  third: f64,
): void {
  store<u32>(HOLDS, bits);
  store<i32>(VALUES, firstValue);
  takeLanes(low, high, first, second, third);
  const row = rowOf(slot);
  let step = program + STEPS;
  let end = step + load<u32>(program, MOMENTS) * MOMENTS_STEP;
  const sums = end;
  const sumsEnd = sums + load<u32>(program, SUMS) * SUM_STEP;
  for (; step < end; step += MOMENTS_STEP) {
    const sign = <f64>load<i32>(step);
    const count = row + load<u32>(step, 4);
    const sum = row + load<u32>(step, 8);
    const squares = row + load<u32>(step, 12);
    add(count, sign);
    add(sum, sign * amountLow);
    add(sum + 8, sign * amountHigh);
    add(squares, sign * square0);
    add(squares + 8, sign * square1);
    add(squares + 16, sign * square2);
  }
  for (; step < sumsEnd; step += SUM_STEP)
    if (holds(load<u32>(step)))
      addToSums(row, load<i32>(step, 4), load<u32>(step, 8), load<u32>(step, 12), load<u32>(step, 16));
  end = step + load<u32>(program, RECENCIES) * RECENCY_STEP;
  for (; step < end; step += RECENCY_STEP) {
    if (!holds(load<u32>(step))) continue;
    const field = row + load<u32>(step, 4);
    if (timeMs > load<f64>(field)) store<f64>(field, timeMs);
  }
  end = step + load<u32>(program, CANDIDATES) * CANDIDATE_STEP;
  for (; step < end; step += CANDIDATE_STEP) {
    if (!holds(load<u32>(step))) continue;
    const list = row + load<u32>(step, 4);
    const sign = load<i32>(step, 8);
    const boundaryMs = engineTimeMs - load<f64>(step, 16);
    const room = load<u32>(step, 24);
    expire(list, room, boundaryMs);
    // Time may have jumped over the whole window.
    if (timeMs <= boundaryMs) continue;
    if (load<i32>(step, 12) == 0) addPruned(list, room, sign, timeMs, amountMinor);
    else addWhole(list, timeMs, sign == 0 ? 0 : amountMinor);
  }
  const pairs = load<u32>(program, PAIRS);
  for (let pair: u32 = 0; pair < pairs; pair++) {
    const table = load<u32>(step);
    const bytes = load<u32>(step, 4);
    step += PAIR_HEAD;
    const value = load<i32>(VALUES + (pair << 2));
    if (value >= 0) runPairs(table, step, step + bytes, slot, value, row);
    step += bytes;
  }
}

/** Adds an event to a window's sums (sign 1), or takes it off (-1). Row offsets; 0 for none. */
function addToSums(row: u32, sign: i32, countAt: u32, sumAt: u32, squaresAt: u32): void {
  const factor = <f64>sign;
  add(row + countAt, factor);
  if (sumAt != 0) {
    add(row + sumAt, factor * amountLow);
    add(row + sumAt + 8, factor * amountHigh);
  }
  if (squaresAt != 0) {
    add(row + squaresAt, factor * square0);
    add(row + squaresAt + 8, factor * square1);
    add(row + squaresAt + 16, factor * square2);
  }
}

/** The same for a fact that became known. */
export function correctSums(slot: i32, sign: i32, countAt: u32, sumAt: u32, squaresAt: u32, amountMinor: f64): void {
  splitAmount(amountMinor);
  addToSums(rowOf(slot), sign, countAt, sumAt, squaresAt);
}

/** Hands in the bits of 32 predicates; */
export function setHolds(word: u32, bits: u32): void {
  store<u32>(HOLDS + (word << 2), bits);
}

/** and the slot of a value. */
export function setValue(index: u32, slot: i32): void {
  store<i32>(VALUES + (index << 2), slot);
}
