import { oldestOf } from './candidates';
import { AHEAD, MAX_AHEAD, VALUES } from './layout';
import { placeOfPair } from './pairTable';
import { rowOf } from './rows';

// A program, which edgeProgram.ts and paymentKeys.ts write, in 32-bit integers: how many positions and tables follow; row offsets; tables of pairs.
const POSITIONS: u32 = 0;
const TABLES: u32 = 4;
const STEPS: u32 = 8;

/** Of the list of addresses. */
let end: u32 = AHEAD;
/** What was read goes here, lest the compiler leave the reading out. */
let touched: i32 = 0;

export function touchedSum(): i32 {
  return touched;
}

export function keep(value: i32): void {
  touched += value;
}

/** Lists what is about to be used of a key: positions of its row, and where the pairs with this value, and those that VALUES has, are looked for. */
export function note(program: u32, slot: i32, firstValue: i32): void {
  store<i32>(VALUES, firstValue);
  const row = rowOf(slot);
  const tables = load<u32>(program, TABLES);
  const positions = load<u32>(program, POSITIONS);
  if (end + ((positions + tables) << 2) > AHEAD + (MAX_AHEAD << 2)) return;
  let step = program + STEPS;
  const positionsEnd = step + (positions << 2);
  let to = end;
  for (; step < positionsEnd; step += 4, to += 4) store<u32>(to, row + load<u32>(step));
  for (let index: u32 = 0; index < tables; index++, step += 4) {
    const value = load<i32>(VALUES + (index << 2));
    if (value < 0) continue;
    store<u32>(to, placeOfPair(load<u32>(step), slot, value));
    to += 4;
  }
  end = to;
}

/**
 * Reads what was listed since the last time, so that it is in the cache when it is used. A processor has a dozen memory accesses under
 * way as long as none needs another's result and they lie close enough in the program: the steps that use the memory do too much
 * between two of them, this loop does next to nothing. Reading changes nothing, so that what is listed may be a guess.
 */
export function touch(): void {
  let sum = 0;
  for (let at: u32 = AHEAD; at < end; at += 4) sum += load<i32>(load<u32>(at));
  touched += sum;
  end = AHEAD;
}

/** The same of the lists at those positions of a key's row, which was touched before. */
export function touchLists(program: u32, slot: i32): void {
  const row = rowOf(slot);
  const positionsEnd = program + STEPS + (load<u32>(program, POSITIONS) << 2);
  let sum = 0;
  for (let step = program + STEPS; step < positionsEnd; step += 4) sum += load<i32>(oldestOf(row + load<u32>(step)));
  touched += sum;
}
