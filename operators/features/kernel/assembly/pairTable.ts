import { allocate } from './memory';
import {
  added,
  addedNumber,
  beginSegments,
  BYTES,
  changeCount,
  changeEntries,
  entryOf,
  isFull,
  PLACE_MASK,
  PLACES,
  SIZE,
  splitDepth,
  splitSegment,
  TABLE_BYTES as SEGMENTS_BYTES,
} from './segments';

// A table's head, beside what segments.ts has there.
/** Bytes of an entry, a power of two, so that none lies across two cache lines: its exponent. */
const ENTRY_SHIFT: u32 = 28;
/** Of the places of a segment, those at the beginning of a cache line: a pair is looked for from the beginning of the line that its hash names. */
const HOME_MASK: u32 = 32;
/** What follows is pairs.ts's. */
export const TABLE_BYTES: u32 = SEGMENTS_BYTES;
const HEAD_BYTES: u32 = TABLE_BYTES + 32;

/** An entry: key, value, and from here on 16 bits for each window; they are all 0 in an empty place. */
export const COUNTS: u32 = 8;
export const COUNT_SHIFT: u32 = 1;
const LEAST_ENTRY_SHIFT: u32 = 4;
const LINE_SHIFT: u32 = 6;

// Of the last find: where the entry is, and its segment.
export let at: u32 = 0;
let hash: u32 = 0;
let segment: u32 = 0;
let number: u32 = 0;

/** The address of a new table of pairs that are counted in so many windows; 0: there is no room. */
export function createTable(windows: u32): u32 {
  let entryShift = LEAST_ENTRY_SHIFT;
  while ((<u32>1) << entryShift < COUNTS + (windows << COUNT_SHIFT)) entryShift++;
  const table = allocate(HEAD_BYTES, (PLACES << entryShift) + 4096);
  if (table == 0) return 0;
  store<u32>(table, entryShift, ENTRY_SHIFT);
  const lineMask = entryShift < LINE_SHIFT ? ((<u32>1) << (LINE_SHIFT - entryShift)) - 1 : 0;
  store<u32>(table, PLACE_MASK & ~lineMask, HOME_MASK);
  beginSegments(table, (<u32>1) << entryShift);
  return table;
}

export function sizeOf(table: u32): u32 {
  return load<u32>(table, SIZE);
}

export function bytesOf(table: u32): u32 {
  return load<u32>(table, BYTES);
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

/** Whether the place is empty. */
export function isEmpty(table: u32, place: u32): bool {
  if (load<u64>(place, COUNTS) != 0) return false;
  const end = place + ((<u32>1) << load<u32>(table, ENTRY_SHIFT));
  for (let word = place + COUNTS + 8; word < end; word += 8) if (load<u64>(word) != 0) return false;
  return true;
}

/** Sets `at` to where the pair is, or to the empty place where it belongs. */
export function findPair(table: u32, key: i32, value: i32): void {
  const pair = keyOf(key, value);
  hash = hashOf(pair);
  const entry = entryOf(table, hash);
  segment = load<u32>(entry);
  number = load<u32>(entry, 4);
  const entryShift = load<u32>(table, ENTRY_SHIFT);
  let place = hash & load<u32>(table, HOME_MASK);
  let found = segment + (place << entryShift);
  // An empty place may still have the pair that was taken out of it.
  while (load<u64>(found) != pair && !isEmpty(table, found)) {
    place = (place + 1) & PLACE_MASK;
    found = segment + (place << entryShift);
  }
  at = found;
}

/** Where findPair will begin to look. */
export function placeOfPair(table: u32, key: i32, value: i32): u32 {
  const mixed = hashOf(keyOf(key, value));
  return load<u32>(entryOf(table, mixed)) + ((mixed & load<u32>(table, HOME_MASK)) << load<u32>(table, ENTRY_SHIFT));
}

/** Adds the pair, which the last findPair has not found, with no count yet, which must not stay so. False: there is no room. */
export function addPair(table: u32, key: i32, value: i32): bool {
  while (isFull(table, number)) {
    if (!split(table)) return false;
    findPair(table, key, value);
  }
  store<u64>(at, keyOf(key, value));
  changeCount(table, number, 1);
  return true;
}

/** Takes out the pair that the last findPair has found, whose counts are all 0 (Knuth, TAOCP 6.4, algorithm R). */
export function removePair(table: u32): void {
  const entryShift = load<u32>(table, ENTRY_SHIFT);
  let hole = (at - segment) >>> entryShift;
  let next = hole;
  for (;;) {
    next = (next + 1) & PLACE_MASK;
    const from = segment + (next << entryShift);
    if (isEmpty(table, from)) break;
    const home = hashOf(load<u64>(from)) & load<u32>(table, HOME_MASK);
    // It may move into the hole unless its home lies after the hole.
    if (((next - home) & PLACE_MASK) < ((next - hole) & PLACE_MASK)) continue;
    move(from, segment + (hole << entryShift), entryShift);
    hole = next;
  }
  changeCount(table, number, -1);
}

/** Moves an entry to an empty place. */
function move(from: u32, to: u32, entryShift: u32): void {
  if (entryShift == LEAST_ENTRY_SHIFT) {
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u64>(from, COUNTS), COUNTS);
    store<u64>(from, 0, COUNTS);
    return;
  }
  const bytes = (<u32>1) << entryShift;
  memory.copy(to, from, bytes);
  memory.fill(from + COUNTS, 0, bytes - COUNTS);
}

/** Splits the segment of the last find. False: there is no room. */
function split(table: u32): bool {
  if (!splitSegment(table, hash, number, 0)) return false;
  redistribute(table, segment, number);
  return true;
}

/**
 * What goes up is put into the segment that was added; what stays moves together by being taken out and put in again. From a run's first
 * entry on, so that none is put before another that it then cannot pass.
 */
function redistribute(table: u32, lower: u32, lowerNumber: u32): void {
  const entryShift = load<u32>(table, ENTRY_SHIFT);
  let start: u32 = 0;
  while (!isEmpty(table, lower + (start << entryShift))) start++;
  for (let step: u32 = 1; step <= PLACES; step++) {
    const from = lower + (((start + step) & PLACE_MASK) << entryShift);
    if (isEmpty(table, from)) continue;
    const mixed = hashOf(load<u64>(from));
    const isUpper = (mixed << splitDepth) >>> 31 != 0;
    const target = isUpper ? added : lower;
    let place = mixed & load<u32>(table, HOME_MASK);
    let to = target + (place << entryShift);
    while (to != from && !isEmpty(table, to)) {
      place = (place + 1) & PLACE_MASK;
      to = target + (place << entryShift);
    }
    if (to != from) move(from, to, entryShift);
    changeEntries(table, isUpper ? addedNumber : lowerNumber, 1);
  }
}
