import { allocate } from './memory';
import {
  added,
  addedNumber,
  beginSegments,
  changeCount,
  changeEntries,
  entryOf,
  isFull,
  PLACE_MASK,
  PLACES,
  splitDepth,
  splitSegment,
  STRIDE,
  TABLE_BYTES,
} from './segments';

// A table's head, beside what segments.ts has there.
const MAX_VALUES: u32 = 28;
/** By which the host knows the table. */
const NUMBER: u32 = 32;
const UNCOUNTED: u32 = 48;

// An entry: key, value; the sum of the windows' counts, 0 for an empty place; the windows' counts.
const TOTAL: u32 = 8;
const WINDOWS: u32 = 12;

/** Integers of one step: bit of the predicate, sign, window, and the row offset of the number of values. */
const PAIR_STEP_BYTES: u32 = 16;

/** Have the host count the value of the key in a sample, or begin one: distinctSamples.ts. */
declare function countInSample(table: i32, key: i32, value: i32, sign: i32, window: i32, field: u32): void;
/** One value fewer is counted beside the sample. */
declare function dropBeside(table: i32, field: u32): void;
/** An event has left the window of a sample in its turn. Whether the table is another then. */
declare function settleSample(table: i32, key: i32, window: i32, field: u32): i32;

// Of the last find.
let hash: u32 = 0;
let segment: u32 = 0;
let number: u32 = 0;
let at: u32 = 0;

/** The address of a new table. */
export function createPairs(windows: u32, maxValues: u32, tableNumber: u32): u32 {
  const table = allocate(TABLE_BYTES, 0);
  store<u32>(table, maxValues, MAX_VALUES);
  store<u32>(table, tableNumber, NUMBER);
  beginSegments(table, (WINDOWS + 4 * windows + 7) & ~7);
  return table;
}

// Stafford's mixer 13 of a product: its high half, all of whose bits depend on all of the key's.
function hashOf(key: u64): u32 {
  let mixed = key * 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 32)) * 0xc2b2ae3d27d4eb4f;
  return <u32>(mixed >> 32);
}

function keyOf(key: i32, value: i32): u64 {
  return ((<u64>(<u32>value)) << 32) | (<u64>(<u32>key));
}

/** Where the pair is, or the empty place where it belongs. */
export function findPair(table: u32, key: i32, value: i32): u32 {
  const pair = keyOf(key, value);
  hash = hashOf(pair);
  const entry = entryOf(table, hash);
  segment = load<u32>(entry);
  number = load<u32>(entry, 4);
  const stride = load<u32>(table, STRIDE);
  let place = hash & PLACE_MASK;
  at = segment + place * stride;
  while (load<i32>(at, TOTAL) != 0 && load<u64>(at) != pair) {
    place = (place + 1) & PLACE_MASK;
    at = segment + place * stride;
  }
  return at;
}

/** Where findPair will begin to look. */
export function placeOfPair(table: u32, key: i32, value: i32): u32 {
  const mixed = hashOf(keyOf(key, value));
  return load<u32>(entryOf(table, mixed)) + (mixed & PLACE_MASK) * load<u32>(table, STRIDE);
}

/** Where its last integer is, from there. */
export function lastWordOfPair(table: u32): u32 {
  return load<u32>(table, STRIDE) - 4;
}

/** Adds the pair, which the last findPair has not found, with a total of 0 that must not stay. False: there is no room. */
export function addPair(table: u32, key: i32, value: i32): bool {
  while (isFull(table, number)) {
    if (!split(table)) return false;
    findPair(table, key, value);
  }
  memory.fill(at, 0, load<u32>(table, STRIDE));
  store<u64>(at, keyOf(key, value));
  changeCount(table, number, 1);
  return true;
}

/** Takes out the pair that the last findPair has found (Knuth, TAOCP 6.4, algorithm R). */
function removePair(table: u32): void {
  const stride = load<u32>(table, STRIDE);
  let hole = (at - segment) / stride;
  let next = hole;
  for (;;) {
    next = (next + 1) & PLACE_MASK;
    const from = segment + next * stride;
    if (load<i32>(from, TOTAL) == 0) break;
    const home = hashOf(load<u64>(from)) & PLACE_MASK;
    // It may move into the hole unless its home lies after the hole.
    if (((next - home) & PLACE_MASK) < ((next - hole) & PLACE_MASK)) continue;
    memory.copy(segment + hole * stride, from, stride);
    hole = next;
  }
  store<i32>(segment + hole * stride, 0, TOTAL);
  changeCount(table, number, -1);
}

/** Counts the pair in (sign 1) or out (-1) of one window. The field of the key's row has the number of its values there. */
export function countPair(table: u32, key: i32, value: i32, sign: i32, window: u32, field: u32): void {
  findPair(table, key, value);
  count(table, key, value, sign, window, field);
}

/** Sets a pair's count in a window in which it has none: of a sample that is given up. False: there is no room. */
export function setPair(table: u32, key: i32, value: i32, window: u32, events: i32): bool {
  findPair(table, key, value);
  const total = load<i32>(at, TOTAL);
  if (total == 0 && !addPair(table, key, value)) {
    addUncounted(table);
    return false;
  }
  store<i32>(at, total + events, TOTAL);
  store<i32>(at + (window << 2), events, WINDOWS);
  return true;
}

export function addUncounted(table: u32): void {
  store<f64>(table, load<f64>(table, UNCOUNTED) + 1, UNCOUNTED);
}

export function uncountedOf(table: u32): f64 {
  return load<f64>(table, UNCOUNTED);
}

/** Runs so many steps on the pair, for an event that crosses an edge. `holds`: address of the predicates' bits. */
export function runPairs(table: u32, step: u32, end: u32, key: i32, value: i32, row: u32, holds: u32): void {
  let isFound = false;
  for (; step < end; step += PAIR_STEP_BYTES) {
    const bit = load<u32>(step);
    if (((load<u32>(holds + ((bit >>> 5) << 2)) >>> (bit & 31)) & 1) == 0) continue;
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
  const total = load<i32>(at, TOTAL);
  const events = total == 0 ? 0 : load<i32>(at + (window << 2), WINDOWS);
  const values = load<f64>(field);
  if (events == 0) {
    if (values < 0 || (sign > 0 && values >= <f64>load<u32>(table, MAX_VALUES))) {
      countInSample(load<i32>(table, NUMBER), key, value, sign, window, field);
      return true;
    }
    // It was not counted when it came.
    if (sign < 0) return true;
    if (total == 0 && !addPair(table, key, value)) {
      addUncounted(table);
      return true;
    }
    store<f64>(field, values + 1);
  } else if (sign < 0) {
    if (events == 1) {
      if (values < 0) dropBeside(load<i32>(table, NUMBER), field);
      else store<f64>(field, values - 1);
    }
    if (total == 1) {
      removePair(table);
      return false;
    }
  }
  store<i32>(at, total + sign, TOTAL);
  store<i32>(at + (window << 2), events + sign, WINDOWS);
  return true;
}

/** Splits the segment of the last find. False: there is no room. */
function split(table: u32): bool {
  if (!splitSegment(table, hash, number, 0)) return false;
  redistribute(table, segment, number);
  return true;
}

/**
 * Moves what belongs up to the segment that was added; what stays moves together by being taken out and put in again. From a run's first
 * entry on, so that none is put before another that it then cannot pass.
 */
function redistribute(table: u32, lower: u32, lowerNumber: u32): void {
  const stride = load<u32>(table, STRIDE);
  let start: u32 = 0;
  while (load<i32>(lower + start * stride, TOTAL) != 0) start++;
  for (let step: u32 = 1; step <= PLACES; step++) {
    const from = lower + ((start + step) & PLACE_MASK) * stride;
    if (load<i32>(from, TOTAL) == 0) continue;
    const mixed = hashOf(load<u64>(from));
    const isUpper = (mixed << splitDepth) >>> 31 != 0;
    const target = isUpper ? added : lower;
    const total = load<i32>(from, TOTAL);
    store<i32>(from, 0, TOTAL);
    let place = mixed & PLACE_MASK;
    while (load<i32>(target + place * stride, TOTAL) != 0) place = (place + 1) & PLACE_MASK;
    const to = target + place * stride;
    if (to != from) memory.copy(to, from, stride);
    store<i32>(to, total, TOTAL);
    changeEntries(table, isUpper ? addedNumber : lowerNumber, 1);
  }
}
