import { keep } from './ahead';
import { KEY, KEYS, MAX_KEYS, ROWS_MASK, ROWS_SHIFT } from './layout';
import { allocate } from './memory';
import { allocateRow, freeRow, RESERVED_BYTES } from './rows';
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
  TABLE_BYTES,
} from './segments';

/*
 * The keys of a column, each a header and then as many words as the header tells: a text (tables/packedText.ts), or a tuple's slots, which
 * has the header of a wide text. The key at hand is at KEY. The table knows of each key its hash, its slot and where its record is; two
 * keys are one if all words of their records are.
 */

// The table's head, beside what segments.ts has there: addresses of the records by slot, in pages; rest of the chunk for records.
const RECORD_PAGES: u32 = 28;
const CHUNK_NEXT: u32 = 32;
const CHUNK_END: u32 = 36;
/** Bytes of pages; of records' chunks: doubles. */
const PAGE_BYTES: u32 = 48;
const RECORD_BYTES: u32 = 56;
/** By words of a record, the one that was freed last; its first word is the address of the one before. */
const FREE_RECORDS: u32 = TABLE_BYTES;
const MOST_WORDS: u32 = 257;

// A place: hash; slot + 1, 0 for an empty place; address of the record.
const SLOT: u32 = 4;
const RECORD: u32 = 8;
const STRIDE: u32 = 12;

const PAGE_SHIFT: u32 = ROWS_SHIFT + 2;
const CHUNK_BYTES: u32 = 65536;
/** Keys of one hash, at most: what may have to be compared. Chance gives two or three. */
const MOST_ALIKE: u32 = 64;

/** Of the key at hand. */
let words: u32 = 0;
let hash: u32 = 0;

export function beginKeys(): void {
  const table = allocate(TABLE_BYTES + ((MOST_WORDS + 1) << 2), 0);
  store<u32>(KEYS, table);
  beginSegments(table, STRIDE);
  store<u32>(table, allocate((((<u64>load<u32>(MAX_KEYS) + ROWS_MASK) >> ROWS_SHIFT) + 1) * 4, 0), RECORD_PAGES);
}

export function liveKeys(): u32 {
  return load<u32>(load<u32>(KEYS), SIZE);
}

/** Of what leads from a key to its slot, and back. */
export function indexBytes(): f64 {
  return <f64>load<u32>(load<u32>(KEYS), BYTES) + load<f64>(load<u32>(KEYS), PAGE_BYTES);
}

export function recordBytes(): f64 {
  return load<f64>(load<u32>(KEYS), RECORD_BYTES);
}

function wordsOf(header: u32): u32 {
  const units = header >>> 1;
  return 1 + ((header & 1) == 1 ? (units + 1) >>> 1 : (units + 3) >>> 2);
}

/** MurmurHash3_x86_32, as tables/murmur3.ts has it. */
function murmur3(from: u32, count: u32): u32 {
  let mixed: u32 = 0;
  for (let at = from; at < from + (count << 2); at += 4) {
    mixed ^= rotl<u32>(load<u32>(at) * 0xcc9e2d51, 15) * 0x1b873593;
    mixed = rotl<u32>(mixed, 13) * 5 + 0xe6546b64;
  }
  mixed ^= count << 2;
  mixed = (mixed ^ (mixed >>> 16)) * 0x85ebca6b;
  mixed = (mixed ^ (mixed >>> 13)) * 0xc2b2ae35;
  return mixed ^ (mixed >>> 16);
}

/** Sets a word of the tuple at hand. */
export function setKeyWord(index: u32, word: i32): void {
  store<i32>(KEY + (index << 2), word);
}

/** To be called first for the key at hand. */
export function hashKey(): void {
  words = wordsOf(load<u32>(KEY));
  hash = murmur3(KEY, words);
}

/** Reads where the key will be looked for; */
export function touchKey(): void {
  keep(load<i32>(load<u32>(entryOf(load<u32>(KEYS), hash)) + (hash & PLACE_MASK) * STRIDE));
}

/** then its record. Returns the slot that it probably has, -1 for none. */
export function foreseeKey(): i32 {
  const segment = load<u32>(entryOf(load<u32>(KEYS), hash));
  let at = segment + (hash & PLACE_MASK) * STRIDE;
  for (let place = hash; load<i32>(at, SLOT) != 0; at = segment + (place & PLACE_MASK) * STRIDE) {
    place++;
    if (load<u32>(at) != hash) continue;
    keep(load<i32>(load<u32>(at, RECORD)));
    return load<i32>(at, SLOT) - 1;
  }
  return -1;
}

/** The slot of the key at hand, a new one with an all-zero row if it has none; -1: there is no room for it. */
export function internKey(): i32 {
  const segment = load<u32>(entryOf(load<u32>(KEYS), hash));
  let alike: u32 = 0;
  let at = segment + (hash & PLACE_MASK) * STRIDE;
  for (let place = hash; load<i32>(at, SLOT) != 0; at = segment + (place & PLACE_MASK) * STRIDE) {
    place++;
    if (load<u32>(at) != hash) continue;
    if (isAtHand(load<u32>(at, RECORD))) return load<i32>(at, SLOT) - 1;
    alike++;
  }
  return alike < MOST_ALIKE ? addKey() : -1;
}

function isAtHand(record: u32): bool {
  for (let at: u32 = 0; at < words << 2; at += 4) if (load<u32>(record + at) != load<u32>(KEY + at)) return false;
  return true;
}

function addKey(): i32 {
  const table = load<u32>(KEYS);
  while (isFull(table, load<u32>(entryOf(table, hash), 4))) if (!split(table)) return -1;
  const slot = allocateRow();
  if (slot < 0) return -1;
  const reference = referenceTo(table, slot);
  const record = reference == 0 ? 0 : allocateRecord(table, words);
  if (record == 0) {
    freeRow(slot);
    return -1;
  }
  memory.copy(record, KEY, words << 2);
  store<u32>(reference, record);
  const entry = entryOf(table, hash);
  const segment = load<u32>(entry);
  let place = hash & PLACE_MASK;
  while (load<i32>(segment + place * STRIDE, SLOT) != 0) place = (place + 1) & PLACE_MASK;
  const at = segment + place * STRIDE;
  store<u32>(at, hash);
  store<i32>(at, slot + 1, SLOT);
  store<u32>(at, record, RECORD);
  changeCount(table, load<u32>(entry, 4), 1);
  return slot;
}

/** The key's record, in whose words it is; 0 if the slot has no key. */
export function recordOf(slot: i32): u32 {
  const page = load<u32>(load<u32>(load<u32>(KEYS), RECORD_PAGES) + (((<u32>slot) >>> ROWS_SHIFT) << 2));
  return page == 0 ? 0 : load<u32>(page + (((<u32>slot) & ROWS_MASK) << 2));
}

/** Takes out the slot's key (Knuth, TAOCP 6.4, algorithm R), and gives the slot back. False: it has none. */
export function releaseKey(slot: i32): bool {
  const record = recordOf(slot);
  if (record == 0) return false;
  const table = load<u32>(KEYS);
  const count = wordsOf(load<u32>(record));
  const mixed = murmur3(record, count);
  const entry = entryOf(table, mixed);
  const segment = load<u32>(entry);
  let hole = mixed & PLACE_MASK;
  while (load<i32>(segment + hole * STRIDE, SLOT) != slot + 1) hole = (hole + 1) & PLACE_MASK;
  for (let next = hole; ;) {
    next = (next + 1) & PLACE_MASK;
    const from = segment + next * STRIDE;
    if (load<i32>(from, SLOT) == 0) break;
    // It may move into the hole unless its home lies after the hole.
    const home = load<u32>(from) & PLACE_MASK;
    if (((next - home) & PLACE_MASK) < ((next - hole) & PLACE_MASK)) continue;
    memory.copy(segment + hole * STRIDE, from, STRIDE);
    hole = next;
  }
  store<i32>(segment + hole * STRIDE, 0, SLOT);
  changeCount(table, load<u32>(entry, 4), -1);
  store<u32>(referenceTo(table, slot), 0);
  const free = table + FREE_RECORDS + (count << 2);
  store<u32>(record, load<u32>(free));
  store<u32>(free, record);
  freeRow(slot);
  return true;
}

/** Where the address of the slot's record is; 0: there is no room. */
function referenceTo(table: u32, slot: i32): u32 {
  const place = load<u32>(table, RECORD_PAGES) + (((<u32>slot) >>> ROWS_SHIFT) << 2);
  let page = load<u32>(place);
  if (page == 0) {
    page = allocate(1 << PAGE_SHIFT, RESERVED_BYTES);
    if (page == 0) return 0;
    store<u32>(place, page);
    store<f64>(table, load<f64>(table, PAGE_BYTES) + <f64>(1 << PAGE_SHIFT), PAGE_BYTES);
  }
  return page + (((<u32>slot) & ROWS_MASK) << 2);
}

/** What was freed is given again to a record of as many words. 0: there is no room. */
function allocateRecord(table: u32, count: u32): u32 {
  const free = table + FREE_RECORDS + (count << 2);
  const freed = load<u32>(free);
  if (freed != 0) {
    store<u32>(free, load<u32>(freed));
    return freed;
  }
  let record = load<u32>(table, CHUNK_NEXT);
  if (record + (count << 2) > load<u32>(table, CHUNK_END)) {
    record = allocate(CHUNK_BYTES, RESERVED_BYTES);
    if (record == 0) return 0;
    store<u32>(table, record + CHUNK_BYTES, CHUNK_END);
    store<f64>(table, load<f64>(table, RECORD_BYTES) + <f64>CHUNK_BYTES, RECORD_BYTES);
  }
  store<u32>(table, record + (count << 2), CHUNK_NEXT);
  return record;
}

/** Splits the segment of the key at hand. False: there is no room. */
function split(table: u32): bool {
  const entry = entryOf(table, hash);
  const lower = load<u32>(entry);
  const number = load<u32>(entry, 4);
  if (!splitSegment(table, hash, number, RESERVED_BYTES)) return false;
  // From a run's first entry on, as pairs are.
  let start: u32 = 0;
  while (load<i32>(lower + start * STRIDE, SLOT) != 0) start++;
  for (let step: u32 = 1; step <= PLACES; step++) {
    const from = lower + ((start + step) & PLACE_MASK) * STRIDE;
    const slot = load<i32>(from, SLOT);
    if (slot == 0) continue;
    const mixed = load<u32>(from);
    const isUpper = (mixed << splitDepth) >>> 31 != 0;
    const target = isUpper ? added : lower;
    store<i32>(from, 0, SLOT);
    let place = mixed & PLACE_MASK;
    while (load<i32>(target + place * STRIDE, SLOT) != 0) place = (place + 1) & PLACE_MASK;
    const to = target + place * STRIDE;
    if (to != from) memory.copy(to, from, STRIDE);
    store<i32>(to, slot, SLOT);
    changeEntries(table, isUpper ? addedNumber : number, 1);
  }
  return true;
}
