import { amountHigh, amountLow, splitAmount, square0, square1, square2 } from './lanes';
import { allocate } from './memory';

/*
 * The driver is one more instance of the kernel, whose own memory has an event's words and programs that say which columns' programs
 * to run. It calls the columns' instances through a table: between WebAssembly and WebAssembly a call costs next to nothing.
 */

/** Functions that each column has in the table, in this order (kernelDriver.ts). */
const FUNCTIONS: u32 = 12;
const CROSS: u32 = 0;
const SET_HOLDS: u32 = 1;
const SET_VALUE: u32 = 2;
const NOTE: u32 = 3;
const TOUCH: u32 = 4;
const TOUCH_LISTS: u32 = 5;
const READ: u32 = 6;
const HASH_KEY: u32 = 7;
const TOUCH_KEY: u32 = 8;
const FORESEE_KEY: u32 = 9;
const INTERN_KEY: u32 = 10;
const SET_KEY_WORD: u32 = 11;

// An edge's program in 32-bit integers: its predicates; groups; where the words have bits; address of the facts' bits; predicates, groups.
const PREDICATES: u32 = 0;
const GROUPS: u32 = 4;
const BITS_FROM: u32 = 8;
const FACT_BITS: u32 = 12;
const STEPS: u32 = 16;
/** First bit, table of facts. */
const PREDICATE_STEP: u32 = 8;
// Of a group: column, its program, its program that reads ahead, how many values its pairs have; their columns.
const COLUMN: u32 = 0;
const PROGRAM: u32 = 4;
const AHEAD_PROGRAM: u32 = 8;
const VALUES_COUNT: u32 = 12;
const VALUE_COLUMNS: u32 = 16;

/** In place of a slot: the column has no room for the key (columns' internKey says so), or the payment has no such key. */
const REFUSED: i32 = -1;
const NO_KEY: i32 = -2;

/** Addresses: by column, the payment's slots, and what the host has handed in of its texts; and an event's words. */
let slotsAt: u32 = 0;
let givenAt: u32 = 0;
let wordsAt: u32 = 0;

export function beginDriver(columns: u32, words: u32): void {
  slotsAt = allocate(columns << 2, 0);
  givenAt = allocate(columns << 2, 0);
  wordsAt = allocate(words << 2, 0);
}

export function driverSlots(): u32 {
  return slotsAt;
}

export function driverGiven(): u32 {
  return givenAt;
}

export function driverWords(): u32 {
  return wordsAt;
}

function wordOf(index: u32): i32 {
  return load<i32>(wordsAt + (index << 2));
}

/** Has the event whose words were handed in cross an edge. */
export function crossEdge(program: u32, facts: i32, timeMs: f64, amountMinor: f64, engineTimeMs: f64): void {
  const predicates = load<u32>(program, PREDICATES);
  const bitsFrom = load<u32>(program, BITS_FROM);
  const factBits = load<u32>(program, FACT_BITS) + facts;
  const first = program + STEPS;
  let group = first + predicates * PREDICATE_STEP;
  const holds = bitsOf(first, min<u32>(group, first + 32 * PREDICATE_STEP), bitsFrom, factBits);
  splitAmount(amountMinor);
  for (let left = load<u32>(program, GROUPS); left > 0; left--) {
    const column = load<u32>(group, COLUMN);
    const values = load<u32>(group, VALUES_COUNT);
    const slot = wordOf(column);
    if (slot >= 0) {
      const base = column * FUNCTIONS;
      if (predicates > 32) setFurtherHolds(base, first, predicates, bitsFrom, factBits);
      if (values > 1) setFurtherValues(base, group, values, wordsAt);
      call_indirect<void>(
        base + CROSS,
        load<u32>(group, PROGRAM),
        slot,
        holds,
        firstValueOf(group, values, wordsAt),
        timeMs,
        amountMinor,
        engineTimeMs,
        amountLow,
        amountHigh,
        square0,
        square1,
        square2,
      );
    }
    group += VALUE_COLUMNS + (values << 2);
  }
}

/** Lists what the event whose words were handed in will change when it crosses an edge. */
export function noteEdge(program: u32): void {
  let group = program + STEPS + load<u32>(program, PREDICATES) * PREDICATE_STEP;
  for (let left = load<u32>(program, GROUPS); left > 0; left--) {
    const values = load<u32>(group, VALUES_COUNT);
    const column = load<u32>(group, COLUMN);
    const slot = wordOf(column);
    if (slot >= 0) {
      if (values > 1) setFurtherValues(column * FUNCTIONS, group, values, wordsAt);
      call_indirect<void>(
        column * FUNCTIONS + NOTE,
        load<u32>(group, AHEAD_PROGRAM),
        slot,
        firstValueOf(group, values, wordsAt),
      );
    }
    group += VALUE_COLUMNS + (values << 2);
  }
}

// The keys' program: columns; of each how many members its tuples have, 0 for texts; their columns.
/**
 * Reads ahead what the payment's keys need, whose texts the host has put into the columns' memories: where they are looked up, with all
 * that was listed before; then what rowsProgram lists of the slots that they probably have.
 */
export function foreseeKeys(program: u32, rowsProgram: u32): void {
  const columns = load<u32>(program);
  hashTexts(program);
  touchTexts(program);
  touchListed(columns);
  let hasTuples = false;
  for (let column: u32 = 0, step = program + 4; column < columns; column++) {
    const members = load<u32>(step);
    let slot = givenOf(column);
    if (members == 0 && slot >= 0) slot = call_indirect<i32>(column * FUNCTIONS + FORESEE_KEY);
    if (members != 0) hasTuples = true;
    setSlot(column, slot);
    step += 4 + (members << 2);
  }
  if (hasTuples) foreseeTuples(program);
  touchRows(rowsProgram);
}

function hashTexts(program: u32): void {
  const columns = load<u32>(program);
  for (let column: u32 = 0, step = program + 4; column < columns; column++) {
    const members = load<u32>(step);
    if (members == 0 && givenOf(column) >= 0) call_indirect<void>(column * FUNCTIONS + HASH_KEY);
    step += 4 + (members << 2);
  }
}

function touchTexts(program: u32): void {
  const columns = load<u32>(program);
  for (let column: u32 = 0, step = program + 4; column < columns; column++) {
    const members = load<u32>(step);
    if (members == 0 && givenOf(column) >= 0) call_indirect<void>(column * FUNCTIONS + TOUCH_KEY);
    step += 4 + (members << 2);
  }
}

function foreseeTuples(program: u32): void {
  const columns = load<u32>(program);
  for (let column: u32 = 0, step = program + 4; column < columns; column++) {
    const members = load<u32>(step);
    if (members != 0) {
      const isWhole = hashTuple(column, step);
      setSlot(column, isWhole ? 0 : NO_KEY);
      if (isWhole) call_indirect<void>(column * FUNCTIONS + TOUCH_KEY);
    }
    step += 4 + (members << 2);
  }
  for (let column: u32 = 0, step = program + 4; column < columns; column++) {
    const members = load<u32>(step);
    if (members != 0 && slotOf(column) >= 0) setSlot(column, call_indirect<i32>(column * FUNCTIONS + FORESEE_KEY));
    step += 4 + (members << 2);
  }
}

/** Finds the payment's keys, adds those that are new, and reads its rows' lists ahead. Returns how many were refused. */
export function findKeys(program: u32, rowsProgram: u32): u32 {
  const columns = load<u32>(program);
  let refused: u32 = 0;
  let isForeseen = true;
  for (let column: u32 = 0, step = program + 4; column < columns; column++) {
    const members = load<u32>(step);
    let slot = NO_KEY;
    if (members == 0) {
      slot = givenOf(column);
      if (slot >= 0) slot = call_indirect<i32>(column * FUNCTIONS + INTERN_KEY);
    } else if (hashTuple(column, step)) slot = call_indirect<i32>(column * FUNCTIONS + INTERN_KEY);
    if (slot == REFUSED) refused++;
    if (slot != slotOf(column)) isForeseen = false;
    setSlot(column, slot);
    step += 4 + (members << 2);
  }
  if (!isForeseen) touchRows(rowsProgram);
  touchCandidates(rowsProgram);
  return refused;
}

/** Makes the tuple of the members' slots the key at hand, with a text's header. False: a member is missing. */
function hashTuple(column: u32, step: u32): bool {
  const base = column * FUNCTIONS;
  const members = load<u32>(step);
  for (let member: u32 = 0; member < members; member++) {
    const slot = slotOf(load<u32>(step + (member << 2), 4));
    if (slot < 0) return false;
    call_indirect<void>(base + SET_KEY_WORD, member + 1, slot);
  }
  call_indirect<void>(base + SET_KEY_WORD, <u32>0, <i32>((members << 2) | 1));
  call_indirect<void>(base + HASH_KEY);
  return true;
}

function slotOf(column: u32): i32 {
  return load<i32>(slotsAt + (column << 2));
}

function setSlot(column: u32, slot: i32): void {
  store<i32>(slotsAt + (column << 2), slot);
}

function givenOf(column: u32): i32 {
  return load<i32>(givenAt + (column << 2));
}

// A payment's program: columns; of each column its group as above, with the lists' program for a program and the row's to read ahead.
/** Reads what a payment is about to use, whose keys' slots were found or foreseen. */
function touchRows(program: u32): void {
  const columns = load<u32>(program);
  let group = program + 4;
  for (let column: u32 = 0; column < columns; column++) {
    const values = load<u32>(group, VALUES_COUNT);
    const slot = slotOf(column);
    if (slot >= 0) {
      if (values > 1) setFurtherValues(column * FUNCTIONS, group, values, slotsAt);
      call_indirect<void>(
        column * FUNCTIONS + NOTE,
        load<u32>(group, AHEAD_PROGRAM),
        slot,
        firstValueOf(group, values, slotsAt),
      );
    }
    group += VALUE_COLUMNS + (values << 2);
  }
  touchListed(columns);
}

function touchListed(columns: u32): void {
  for (let column: u32 = 0; column < columns; column++) call_indirect<void>(column * FUNCTIONS + TOUCH);
}

/** The lists in the rows of the payment's keys. */
function touchCandidates(program: u32): void {
  const columns = load<u32>(program);
  let group = program + 4;
  for (let column: u32 = 0; column < columns; column++) {
    const lists = load<u32>(group, PROGRAM);
    const slot = slotOf(column);
    if (lists != 0 && slot >= 0) call_indirect<void>(column * FUNCTIONS + TOUCH_LISTS, lists, slot);
    group += VALUE_COLUMNS + (load<u32>(group, VALUES_COUNT) << 2);
  }
}

/** Reads the features of the payment's keys. Of the program: columns; of each its number and program. */
export function readColumns(program: u32, engineTimeMs: f64, amountMinor: f64): void {
  const end = program + 4 + (load<u32>(program) << 3);
  for (let step = program + 4; step < end; step += 8) {
    const column = load<u32>(step);
    const slot = load<i32>(slotsAt + (column << 2));
    if (slot >= 0) call_indirect<void>(column * FUNCTIONS + READ, load<u32>(step, 4), slot, engineTimeMs, amountMinor);
  }
}

/** A group's first value among the slots from an address on; -1: it has none. */
function firstValueOf(group: u32, values: u32, slots: u32): i32 {
  return values == 0 ? -1 : load<i32>(slots + (load<u32>(group, VALUE_COLUMNS) << 2));
}

function setFurtherValues(base: u32, group: u32, values: u32, slots: u32): void {
  for (let value: u32 = 1; value < values; value++) {
    const column = load<u32>(group + (value << 2), VALUE_COLUMNS);
    call_indirect<void>(base + SET_VALUE, value, load<i32>(slots + (column << 2)));
  }
}

function setFurtherHolds(base: u32, first: u32, predicates: u32, bitsFrom: u32, factBits: u32): void {
  const end = first + predicates * PREDICATE_STEP;
  for (let word: u32 = 1; word << 5 < predicates; word++) {
    const from = first + (word << 5) * PREDICATE_STEP;
    const to = min<u32>(end, from + 32 * PREDICATE_STEP);
    call_indirect<void>(base + SET_HOLDS, word, bitsOf(from, to, bitsFrom, factBits));
  }
}

/** Of up to 32 predicates, whether each holds: a bit. */
function bitsOf(step: u32, end: u32, bitsFrom: u32, factBits: u32): u32 {
  let holds: u32 = 0;
  for (let place: u32 = 0; step < end; step += PREDICATE_STEP, place++) {
    const bit = load<u32>(step) + <u32>load<u8>(factBits + load<u32>(step, 4));
    holds |= (((<u32>wordOf(bitsFrom + (bit >>> 5))) >>> (bit & 31)) & 1) << place;
  }
  return holds;
}
