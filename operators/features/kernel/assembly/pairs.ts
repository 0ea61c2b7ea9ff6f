import { holds } from './holds';
import {
  addPair,
  at,
  bytesOf,
  COUNT_SHIFT,
  COUNTS,
  createTable,
  findPair,
  isEmpty,
  removePair,
  sizeOf,
  TABLE_BYTES,
} from './pairTable';

// Of a table's head, in bytes.
const MAX_VALUES: u32 = TABLE_BYTES;
/** By which the host knows the table. */
const NUMBER: u32 = TABLE_BYTES + 4;
const WINDOWS: u32 = TABLE_BYTES + 8;
/** The table of what the counts' 16 bits do not hold; 0: none. */
const HIGH: u32 = TABLE_BYTES + 12;
const UNCOUNTED: u32 = TABLE_BYTES + 16;

/**
 * A count that would pass what it holds carries half of that over to the same count of the pair in the table HIGH, and takes it back when
 * it comes down to 0. So one in 32,768 events of a pair takes longer, and a pair may have 2^31 in a window.
 */
const MOST: u32 = 65535;
const CARRIED: u32 = 32768;
const CARRIED_SHIFT: u32 = 15;

/** Integers of one step: bit of the predicate, sign, window, and the row offset of the number of values. */
const PAIR_STEP_BYTES: u32 = 16;

/** Have the host count the value of the key in a sample, or begin one: distinctSamples.ts. */
declare function countInSample(table: i32, key: i32, value: i32, sign: i32, window: i32, field: u32): void;
/** One value fewer is counted beside the sample. */
declare function dropBeside(table: i32, field: u32): void;
/** An event has left the window of a sample in its turn. Whether the table is another then. */
declare function settleSample(table: i32, key: i32, window: i32, field: u32): i32;

/** The address of a new table. */
export function createPairs(windows: u32, maxValues: u32, tableNumber: u32): u32 {
  const table = createTable(windows);
  store<u32>(table, maxValues, MAX_VALUES);
  store<u32>(table, tableNumber, NUMBER);
  store<u32>(table, windows, WINDOWS);
  return table;
}

/** Counts the pair in (sign 1) or out (-1) of one window. The field of the key's row has the number of its values there. */
export function countPair(table: u32, key: i32, value: i32, sign: i32, window: u32, field: u32): void {
  findPair(table, key, value);
  count(table, key, value, sign, window, field);
}

/** Sets a pair's count in a window in which it has none: of a sample that is given up. False: there is no room. */
export function setPair(table: u32, key: i32, value: i32, window: u32, events: i32): bool {
  const carried = <u32>events > MOST ? (<u32>events - CARRIED) >>> CARRIED_SHIFT : 0;
  if (carried > 0 && !carry(table, key, value, window, carried)) return false;
  findPair(table, key, value);
  if (isEmpty(table, at) && !addPair(table, key, value)) {
    addUncounted(table);
    return false;
  }
  store<u16>(at + (window << COUNT_SHIFT), <u16>(<u32>events - (carried << CARRIED_SHIFT)), COUNTS);
  return true;
}

export function addUncounted(table: u32): void {
  store<f64>(table, load<f64>(table, UNCOUNTED) + 1, UNCOUNTED);
}

export function uncountedOf(table: u32): f64 {
  return load<f64>(table, UNCOUNTED);
}

export function pairsOf(table: u32): u32 {
  return sizeOf(table);
}

export function pairBytesOf(table: u32): u32 {
  const high = load<u32>(table, HIGH);
  return bytesOf(table) + (high == 0 ? 0 : bytesOf(high));
}

/** Runs so many steps on the pair, for an event that crosses an edge. */
export function runPairs(table: u32, step: u32, end: u32, key: i32, value: i32, row: u32): void {
  let isFound = false;
  for (; step < end; step += PAIR_STEP_BYTES) {
    if (!holds(load<u32>(step))) continue;
    const sign = load<i32>(step, 4);
    const window = load<u32>(step, 8);
    const field = row + load<u32>(step, 12);
    if (!isFound) findPair(table, key, value);
    isFound = count(table, key, value, sign, window, field);
    if (sign > 0 || load<f64>(field) >= 0) continue;
    if (settleSample(load<i32>(table, NUMBER), key, window, field) != 0) isFound = false;
  }
}

/** Counts the pair last looked for. False: it stands in no window any more, and its place is gone. */
function count(table: u32, key: i32, value: i32, sign: i32, window: u32, field: u32): bool {
  const place = at + COUNTS + (window << COUNT_SHIFT);
  const events = <u32>load<u16>(place);
  if (sign < 0) {
    if (events > 1) {
      store<u16>(place, <u16>(events - 1));
      return true;
    }
    return countLastOut(table, key, value, window, field, events);
  }
  if (events > 0) {
    if (events < MOST) store<u16>(place, <u16>(events + 1));
    else if (carry(table, key, value, window, 1)) {
      findPair(table, key, value);
      store<u16>(at + (window << COUNT_SHIFT), <u16>(MOST + 1 - CARRIED), COUNTS);
    } else {
      findPair(table, key, value);
      addUncounted(table);
    }
    return true;
  }
  const values = load<f64>(field);
  if (values < 0 || values >= <f64>load<u32>(table, MAX_VALUES)) {
    countInSample(load<i32>(table, NUMBER), key, value, 1, window, field);
    return true;
  }
  if (isEmpty(table, at) && !addPair(table, key, value)) {
    addUncounted(table);
    return true;
  }
  store<f64>(field, values + 1);
  store<u16>(at + (window << COUNT_SHIFT), 1, COUNTS);
  return true;
}

/** The same for an event that leaves a window in which the pair's count is 1 or 0. */
function countLastOut(table: u32, key: i32, value: i32, window: u32, field: u32, events: u32): bool {
  const values = load<f64>(field);
  if (events == 0) {
    // If it was not counted when it came, there is nothing to do.
    if (values < 0) countInSample(load<i32>(table, NUMBER), key, value, -1, window, field);
    return true;
  }
  if (load<u32>(table, HIGH) != 0) {
    const isCarried = takeBack(table, key, value, window);
    findPair(table, key, value);
    if (isCarried) {
      store<u16>(at + (window << COUNT_SHIFT), <u16>CARRIED, COUNTS);
      return true;
    }
  }
  store<u16>(at + (window << COUNT_SHIFT), 0, COUNTS);
  if (values < 0) dropBeside(load<i32>(table, NUMBER), field);
  else store<f64>(field, values - 1);
  if (!isEmpty(table, at)) return true;
  removePair(table);
  return false;
}

/** Carries so many halves over. False: there is no room. The last find is void. */
function carry(table: u32, key: i32, value: i32, window: u32, halves: u32): bool {
  let high = load<u32>(table, HIGH);
  if (high == 0) {
    high = createTable(load<u32>(table, WINDOWS));
    if (high == 0) return false;
    store<u32>(table, high, HIGH);
  }
  findPair(high, key, value);
  const carried = <u32>load<u16>(at + (window << COUNT_SHIFT), COUNTS) + halves;
  if (carried > MOST || (isEmpty(high, at) && !addPair(high, key, value))) return false;
  store<u16>(at + (window << COUNT_SHIFT), <u16>carried, COUNTS);
  return true;
}

/** Takes back what was carried over last. False: there is none. The last find is void. */
function takeBack(table: u32, key: i32, value: i32, window: u32): bool {
  const high = load<u32>(table, HIGH);
  findPair(high, key, value);
  const carried = <u32>load<u16>(at + (window << COUNT_SHIFT), COUNTS);
  if (carried == 0) return false;
  store<u16>(at + (window << COUNT_SHIFT), <u16>(carried - 1), COUNTS);
  if (isEmpty(high, at)) removePair(high);
  return true;
}
