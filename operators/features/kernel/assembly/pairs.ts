import { allocate } from './memory';

// A table's head, in bytes.
/** By the hash's high bits: a segment's address and number. */
const DIRECTORY: u32 = 0;
/** 32 - the number of those bits. */
const SHIFT: u32 = 4;
export const SIZE: u32 = 8;
const SEGMENT_COUNT: u32 = 12;
/** By segment: its entries, and from bit 16 on how many high bits of the hash they have in common. */
const COUNTS: u32 = 16;
const COUNTS_LENGTH: u32 = 20;
const STRIDE: u32 = 24;
const MAX_VALUES: u32 = 28;
/** By which the host knows the table. */
const NUMBER: u32 = 32;
const BYTES: u32 = 40;
const UNCOUNTED: u32 = 48;
const HEAD_BYTES: u32 = 64;

// An entry: key, value; the sum of the windows' counts, 0 for an empty place; the windows' counts.
const TOTAL: u32 = 8;
const WINDOWS: u32 = 12;

const PLACES: u32 = 512;
const PLACE_MASK: u32 = PLACES - 1;
/** Entries of a segment when it is split: three quarters, which keeps linear probing short. */
const MAX_ENTRIES: u32 = 384;
const DEPTH_SHIFT: u32 = 16;
const ENTRIES_MASK: u32 = 65535;
const MAX_DEPTH: u32 = 21;
const FIRST_COUNTS: u32 = 16;

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
  const table = allocate(HEAD_BYTES, 0);
  store<u32>(table, (WINDOWS + 4 * windows + 7) & ~7, STRIDE);
  store<u32>(table, maxValues, MAX_VALUES);
  store<u32>(table, tableNumber, NUMBER);
  store<u32>(table, 31, SHIFT);
  store<u32>(table, take(table, 16), DIRECTORY);
  store<u32>(table, take(table, FIRST_COUNTS * 4), COUNTS);
  store<u32>(table, FIRST_COUNTS, COUNTS_LENGTH);
  addSegment(table);
  setRange(table, 0, 2, segment, 0);
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
  const entry = load<u32>(table, DIRECTORY) + ((hash >>> load<u32>(table, SHIFT)) << 3);
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
  const entry = load<u32>(table, DIRECTORY) + ((mixed >>> load<u32>(table, SHIFT)) << 3);
  return load<u32>(entry) + (mixed & PLACE_MASK) * load<u32>(table, STRIDE);
}

/** Where its last integer is, from there. */
export function lastWordOfPair(table: u32): u32 {
  return load<u32>(table, STRIDE) - 4;
}

/** Adds the pair, which the last findPair has not found, with a total of 0 that must not stay. False: there is no room. */
export function addPair(table: u32, key: i32, value: i32): bool {
  while ((load<u32>(load<u32>(table, COUNTS) + (number << 2)) & ENTRIES_MASK) >= MAX_ENTRIES) {
    if (!split(table)) return false;
    findPair(table, key, value);
  }
  memory.fill(at, 0, load<u32>(table, STRIDE));
  store<u64>(at, keyOf(key, value));
  changeCount(table, number, 1);
  store<u32>(table, load<u32>(table, SIZE) + 1, SIZE);
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
  store<u32>(table, load<u32>(table, SIZE) - 1, SIZE);
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

export function pairsOf(table: u32): u32 {
  return load<u32>(table, SIZE);
}

export function pairBytesOf(table: u32): u32 {
  return load<u32>(table, BYTES);
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

function take(table: u32, bytes: u32): u32 {
  const address = allocate(bytes, 0);
  if (address != 0) store<u32>(table, load<u32>(table, BYTES) + bytes, BYTES);
  return address;
}

function changeCount(table: u32, segmentNumber: u32, change: u32): void {
  const place = load<u32>(table, COUNTS) + (segmentNumber << 2);
  store<u32>(place, load<u32>(place) + change);
}

/** Sets `segment` and `number` to a new segment. False: there is no room. */
function addSegment(table: u32): bool {
  const added = load<u32>(table, SEGMENT_COUNT);
  const length = load<u32>(table, COUNTS_LENGTH);
  if (added == length) {
    const counts = take(table, length * 8);
    if (counts == 0) return false;
    memory.copy(counts, load<u32>(table, COUNTS), length * 4);
    store<u32>(table, counts, COUNTS);
    store<u32>(table, length * 2, COUNTS_LENGTH);
  }
  const address = take(table, PLACES * load<u32>(table, STRIDE));
  if (address == 0) return false;
  store<u32>(table, added + 1, SEGMENT_COUNT);
  segment = address;
  number = added;
  return true;
}

function setRange(table: u32, from: u32, to: u32, address: u32, segmentNumber: u32): void {
  const directory = load<u32>(table, DIRECTORY);
  for (let index = from; index < to; index++) {
    store<u32>(directory + (index << 3), address);
    store<u32>(directory + (index << 3), segmentNumber, 4);
  }
}

/** Splits the segment of the last find by the next bit of the hash. False: there are no further bits, or there is no room. */
function split(table: u32): bool {
  const lower = segment;
  const lowerNumber = number;
  const depth = load<u32>(load<u32>(table, COUNTS) + (lowerNumber << 2)) >>> DEPTH_SHIFT;
  // A segment of all hashes has two entries in the directory: depth counts from 1.
  const bits = depth + 1;
  if (bits > MAX_DEPTH) return false;
  if (bits > 32 - load<u32>(table, SHIFT) && !doubleDirectory(table)) return false;
  if (!addSegment(table)) return false;
  const upper = segment;
  const upperNumber = number;
  const shift = load<u32>(table, SHIFT);
  const span = (<u32>1) << (32 - shift - depth);
  const first = (hash >>> shift) & ~(span - 1);
  setRange(table, first + (span >>> 1), first + span, upper, upperNumber);

  // What goes up is put into the new segment; what stays moves together by being taken out and put in again.
  const stride = load<u32>(table, STRIDE);
  const counts = load<u32>(table, COUNTS);
  store<u32>(counts + (lowerNumber << 2), bits << DEPTH_SHIFT);
  store<u32>(counts + (upperNumber << 2), bits << DEPTH_SHIFT);
  redistribute(lower, upper, stride, depth, counts + (lowerNumber << 2), counts + (upperNumber << 2));
  return true;
}

/** From a run's first entry on, so that none is put before another that it then cannot pass. */
function redistribute(lower: u32, upper: u32, stride: u32, depth: u32, lowerCount: u32, upperCount: u32): void {
  let start: u32 = 0;
  while (load<i32>(lower + start * stride, TOTAL) != 0) start++;
  for (let step: u32 = 1; step <= PLACES; step++) {
    const from = lower + ((start + step) & PLACE_MASK) * stride;
    if (load<i32>(from, TOTAL) == 0) continue;
    const mixed = hashOf(load<u64>(from));
    const isUpper = (mixed << depth) >>> 31 != 0;
    const target = isUpper ? upper : lower;
    const total = load<i32>(from, TOTAL);
    store<i32>(from, 0, TOTAL);
    let place = mixed & PLACE_MASK;
    while (load<i32>(target + place * stride, TOTAL) != 0) place = (place + 1) & PLACE_MASK;
    const to = target + place * stride;
    if (to != from) memory.copy(to, from, stride);
    store<i32>(to, total, TOTAL);
    const counted = isUpper ? upperCount : lowerCount;
    store<u32>(counted, load<u32>(counted) + 1);
  }
}

function doubleDirectory(table: u32): bool {
  const shift = load<u32>(table, SHIFT);
  const length = (<u32>1) << (32 - shift);
  const old = load<u32>(table, DIRECTORY);
  const doubled = take(table, length * 16);
  if (doubled == 0) return false;
  for (let index: u32 = 0; index < length; index++) {
    const entry = load<u64>(old + (index << 3));
    store<u64>(doubled + (index << 4), entry);
    store<u64>(doubled + (index << 4), entry, 8);
  }
  store<u32>(table, doubled, DIRECTORY);
  store<u32>(table, shift - 1, SHIFT);
  return true;
}
