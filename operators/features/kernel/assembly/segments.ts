import { allocate } from './memory';

/*
 * Extendible hashing (as operators/tables/segmentedTable.ts tells): the hash's high bits choose a segment of 512 places. What a place
 * holds, and how it is told apart, is its table's.
 */

// A table's head, in bytes.
/** By the hash's high bits: a segment's address and number. */
const DIRECTORY: u32 = 0;
/** 32 - the number of those bits. */
const SHIFT: u32 = 4;
/** Entries of all segments. */
export const SIZE: u32 = 8;
const SEGMENT_COUNT: u32 = 12;
/** By segment: its entries, and from bit 16 on how many high bits of the hash they have in common. */
const COUNTS: u32 = 16;
const COUNTS_LENGTH: u32 = 20;
/** Bytes of a place. */
export const STRIDE: u32 = 24;
export const BYTES: u32 = 40;
/** What follows is the table's own. */
export const TABLE_BYTES: u32 = 64;

export const PLACES: u32 = 512;
export const PLACE_MASK: u32 = PLACES - 1;
/** Entries of a segment when it is split: three quarters, which keeps linear probing short. */
const MAX_ENTRIES: u32 = 384;
const DEPTH_SHIFT: u32 = 16;
const ENTRIES_MASK: u32 = 65535;
const MAX_DEPTH: u32 = 21;
const FIRST_COUNTS: u32 = 16;

/** What the last split added, and how many bits the hashes of the segment that it split had in common. */
export let added: u32 = 0;
export let addedNumber: u32 = 0;
export let splitDepth: u32 = 0;

/** Begins the table at this head, which is zero. */
export function beginSegments(table: u32, stride: u32): void {
  store<u32>(table, stride, STRIDE);
  store<u32>(table, 31, SHIFT);
  store<u32>(table, take(table, 16, 0), DIRECTORY);
  store<u32>(table, take(table, FIRST_COUNTS * 4, 0), COUNTS);
  store<u32>(table, FIRST_COUNTS, COUNTS_LENGTH);
  addSegment(table, 0);
  setRange(table, 0, 2, added, 0);
}

/** So many bytes for the table. */
export function take(table: u32, bytes: u32, left: u64): u32 {
  const address = allocate(bytes, left);
  if (address != 0) store<u32>(table, load<u32>(table, BYTES) + bytes, BYTES);
  return address;
}

/** Where the directory has the segment of a hash: its address, then its number. */
export function entryOf(table: u32, hash: u32): u32 {
  return load<u32>(table, DIRECTORY) + ((hash >>> load<u32>(table, SHIFT)) << 3);
}

export function isFull(table: u32, number: u32): bool {
  return (load<u32>(load<u32>(table, COUNTS) + (number << 2)) & ENTRIES_MASK) >= MAX_ENTRIES;
}

/** Counts an entry in or out of a segment. */
export function changeCount(table: u32, number: u32, change: i32): void {
  changeEntries(table, number, change);
  store<u32>(table, load<u32>(table, SIZE) + change, SIZE);
}

/** The same when it only moves between segments. */
export function changeEntries(table: u32, number: u32, change: i32): void {
  const place = load<u32>(table, COUNTS) + (number << 2);
  store<u32>(place, load<u32>(place) + change);
}

/**
 * Adds a segment for the upper half of one's hashes, and has neither count any entry: the caller must move those of the lower one. False:
 * there are no further bits, or there is no room.
 */
export function splitSegment(table: u32, hash: u32, number: u32, left: u64): bool {
  const depth = load<u32>(load<u32>(table, COUNTS) + (number << 2)) >>> DEPTH_SHIFT;
  // A segment of all hashes has two entries in the directory: depth counts from 1.
  const bits = depth + 1;
  if (bits > MAX_DEPTH) return false;
  if (bits > 32 - load<u32>(table, SHIFT) && !doubleDirectory(table, left)) return false;
  if (!addSegment(table, left)) return false;
  const shift = load<u32>(table, SHIFT);
  const span = (<u32>1) << (32 - shift - depth);
  const first = (hash >>> shift) & ~(span - 1);
  setRange(table, first + (span >>> 1), first + span, added, addedNumber);
  const counts = load<u32>(table, COUNTS);
  store<u32>(counts + (number << 2), bits << DEPTH_SHIFT);
  store<u32>(counts + (addedNumber << 2), bits << DEPTH_SHIFT);
  splitDepth = depth;
  return true;
}

/** Sets `added` and `addedNumber` to a new segment. False: there is no room. */
function addSegment(table: u32, left: u64): bool {
  const count = load<u32>(table, SEGMENT_COUNT);
  const length = load<u32>(table, COUNTS_LENGTH);
  if (count == length) {
    const counts = take(table, length * 8, left);
    if (counts == 0) return false;
    memory.copy(counts, load<u32>(table, COUNTS), length * 4);
    store<u32>(table, counts, COUNTS);
    store<u32>(table, length * 2, COUNTS_LENGTH);
  }
  const address = take(table, PLACES * load<u32>(table, STRIDE), left);
  if (address == 0) return false;
  store<u32>(table, count + 1, SEGMENT_COUNT);
  added = address;
  addedNumber = count;
  return true;
}

function setRange(table: u32, from: u32, to: u32, address: u32, number: u32): void {
  const directory = load<u32>(table, DIRECTORY);
  for (let index = from; index < to; index++) {
    store<u32>(directory + (index << 3), address);
    store<u32>(directory + (index << 3), number, 4);
  }
}

function doubleDirectory(table: u32, left: u64): bool {
  const shift = load<u32>(table, SHIFT);
  const length = (<u32>1) << (32 - shift);
  const old = load<u32>(table, DIRECTORY);
  const doubled = take(table, length * 16, left);
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
