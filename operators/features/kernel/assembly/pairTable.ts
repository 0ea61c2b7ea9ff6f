import { allocate } from './memory';

// A table's head, in bytes.
/** By the hash's high bits: a segment's address and number. */
const DIRECTORY: u32 = 0;
/** 32 - the number of those bits. */
const SHIFT: u32 = 4;
const SIZE: u32 = 8;
const SEGMENT_COUNT: u32 = 12;
/** By segment: its entries, and from bit 16 on how many high bits of the hash they have in common. */
const SEGMENT_ENTRIES: u32 = 16;
const SEGMENT_ENTRIES_LENGTH: u32 = 20;
/** Bytes of an entry, a power of two, so that none lies across two cache lines: its exponent. */
const ENTRY_SHIFT: u32 = 24;
/** Of the places of a segment, those at the beginning of a cache line: a pair is looked for from the beginning of the line that its hash names. */
const HOME_MASK: u32 = 28;
const BYTES: u32 = 32;
/** What follows is pairs.ts's. */
export const TABLE_BYTES: u32 = 40;
const HEAD_BYTES: u32 = 64;

/** An entry: key, value, and from here on 16 bits for each window; they are all 0 in an empty place. */
export const COUNTS: u32 = 8;
export const COUNT_SHIFT: u32 = 1;
const LEAST_ENTRY_SHIFT: u32 = 4;
const LINE_SHIFT: u32 = 6;

const PLACES_SHIFT: u32 = 9;
const PLACES: u32 = 1 << PLACES_SHIFT;
const PLACE_MASK: u32 = PLACES - 1;
/** Entries of a segment when it is split: three quarters, which keeps linear probing short. */
const MAX_ENTRIES: u32 = 384;
const DEPTH_SHIFT: u32 = 16;
const ENTRIES_MASK: u32 = 65535;
const MAX_DEPTH: u32 = 21;
const FIRST_SEGMENTS: u32 = 16;

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
  store<u32>(table, 31, SHIFT);
  store<u32>(table, take(table, 16), DIRECTORY);
  store<u32>(table, take(table, FIRST_SEGMENTS * 4), SEGMENT_ENTRIES);
  store<u32>(table, FIRST_SEGMENTS, SEGMENT_ENTRIES_LENGTH);
  addSegment(table);
  setRange(table, 0, 2, segment, 0);
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
  const entry = load<u32>(table, DIRECTORY) + ((hash >>> load<u32>(table, SHIFT)) << 3);
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
  const entry = load<u32>(table, DIRECTORY) + ((mixed >>> load<u32>(table, SHIFT)) << 3);
  return load<u32>(entry) + ((mixed & load<u32>(table, HOME_MASK)) << load<u32>(table, ENTRY_SHIFT));
}

/** Adds the pair, which the last findPair has not found, with no count yet, which must not stay so. False: there is no room. */
export function addPair(table: u32, key: i32, value: i32): bool {
  while ((load<u32>(load<u32>(table, SEGMENT_ENTRIES) + (number << 2)) & ENTRIES_MASK) >= MAX_ENTRIES) {
    if (!split(table)) return false;
    findPair(table, key, value);
  }
  store<u64>(at, keyOf(key, value));
  changeEntries(table, number, 1);
  store<u32>(table, load<u32>(table, SIZE) + 1, SIZE);
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
  changeEntries(table, number, -1);
  store<u32>(table, load<u32>(table, SIZE) - 1, SIZE);
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

function take(table: u32, bytes: u32): u32 {
  const address = allocate(bytes, 0);
  if (address != 0) store<u32>(table, load<u32>(table, BYTES) + bytes, BYTES);
  return address;
}

function changeEntries(table: u32, segmentNumber: u32, change: u32): void {
  const place = load<u32>(table, SEGMENT_ENTRIES) + (segmentNumber << 2);
  store<u32>(place, load<u32>(place) + change);
}

/** Sets `segment` and `number` to a new segment. False: there is no room. */
function addSegment(table: u32): bool {
  const added = load<u32>(table, SEGMENT_COUNT);
  const length = load<u32>(table, SEGMENT_ENTRIES_LENGTH);
  if (added == length) {
    const entries = take(table, length * 8);
    if (entries == 0) return false;
    memory.copy(entries, load<u32>(table, SEGMENT_ENTRIES), length * 4);
    store<u32>(table, entries, SEGMENT_ENTRIES);
    store<u32>(table, length * 2, SEGMENT_ENTRIES_LENGTH);
  }
  const address = take(table, PLACES << load<u32>(table, ENTRY_SHIFT));
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
  const depth = load<u32>(load<u32>(table, SEGMENT_ENTRIES) + (lowerNumber << 2)) >>> DEPTH_SHIFT;
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
  const entries = load<u32>(table, SEGMENT_ENTRIES);
  store<u32>(entries + (lowerNumber << 2), bits << DEPTH_SHIFT);
  store<u32>(entries + (upperNumber << 2), bits << DEPTH_SHIFT);
  redistribute(table, lower, upper, depth, entries + (lowerNumber << 2), entries + (upperNumber << 2));
  return true;
}

/** From a run's first entry on, so that none is put before another that it then cannot pass. */
function redistribute(table: u32, lower: u32, upper: u32, depth: u32, lowerCount: u32, upperCount: u32): void {
  const entryShift = load<u32>(table, ENTRY_SHIFT);
  let start: u32 = 0;
  while (!isEmpty(table, lower + (start << entryShift))) start++;
  for (let step: u32 = 1; step <= PLACES; step++) {
    const from = lower + (((start + step) & PLACE_MASK) << entryShift);
    if (isEmpty(table, from)) continue;
    const mixed = hashOf(load<u64>(from));
    const isUpper = (mixed << depth) >>> 31 != 0;
    const target = isUpper ? upper : lower;
    let place = mixed & load<u32>(table, HOME_MASK);
    let to = target + (place << entryShift);
    while (to != from && !isEmpty(table, to)) {
      place = (place + 1) & PLACE_MASK;
      to = target + (place << entryShift);
    }
    if (to != from) move(from, to, entryShift);
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
