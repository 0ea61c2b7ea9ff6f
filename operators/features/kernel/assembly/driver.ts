import { allocate } from './memory';

/*
 * The driver is one more instance of the kernel, whose own memory has an event's words and programs that say which columns' programs
 * to run. It calls the columns' instances through a table: between WebAssembly and WebAssembly a call costs next to nothing.
 */

/** Functions that each column has in the table, in this order (kernelDriver.ts). */
const FUNCTIONS: u32 = 7;
const CROSS: u32 = 0;
const SET_HOLDS: u32 = 1;
const SET_VALUE: u32 = 2;
const NOTE: u32 = 3;
const TOUCH: u32 = 4;
const TOUCH_LISTS: u32 = 5;
const READ: u32 = 6;

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

/** Addresses: of the payment's slots by column, and of an event's words. */
let slotsAt: u32 = 0;
let wordsAt: u32 = 0;

export function beginDriver(columns: u32, words: u32): void {
  slotsAt = allocate(columns << 2, 0);
  wordsAt = allocate(words << 2, 0);
}

export function driverSlots(): u32 {
  return slotsAt;
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
  let holds: u32 = 0;
  if (predicates <= 32) holds = bitsOf(first, group, bitsFrom, factBits);
  for (let left = load<u32>(program, GROUPS); left > 0; left--) {
    const column = load<u32>(group, COLUMN);
    const values = load<u32>(group, VALUES_COUNT);
    const slot = wordOf(column);
    if (slot >= 0) {
      const base = column * FUNCTIONS;
      if (predicates <= 32) call_indirect<void>(base + SET_HOLDS, <u32>0, holds);
      else setAllHolds(base, first, group, predicates, bitsFrom, factBits);
      setValues(base, group, values);
      call_indirect<void>(base + CROSS, load<u32>(group, PROGRAM), slot, timeMs, amountMinor, engineTimeMs);
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
      setValues(column * FUNCTIONS, group, values);
      call_indirect<void>(column * FUNCTIONS + NOTE, load<u32>(group, AHEAD_PROGRAM), slot);
    }
    group += VALUE_COLUMNS + (values << 2);
  }
}

// A payment's program: columns; of each column its group as above, with the lists' program for a program and the row's to read ahead.
/** Lists what a payment is about to use, whose keys' slots were handed in, and reads all that was listed. */
export function touchRows(program: u32): void {
  const columns = load<u32>(program);
  let group = program + 4;
  for (let column: u32 = 0; column < columns; column++) {
    const values = load<u32>(group, VALUES_COUNT);
    const slot = load<i32>(slotsAt + (column << 2));
    if (slot >= 0) {
      for (let value: u32 = 0; value < values; value++) {
        const valueColumn = load<u32>(group + (value << 2), VALUE_COLUMNS);
        call_indirect<void>(column * FUNCTIONS + SET_VALUE, value, load<i32>(slotsAt + (valueColumn << 2)));
      }
      call_indirect<void>(column * FUNCTIONS + NOTE, load<u32>(group, AHEAD_PROGRAM), slot);
    }
    group += VALUE_COLUMNS + (values << 2);
  }
  for (let column: u32 = 0; column < columns; column++) call_indirect<void>(column * FUNCTIONS + TOUCH);
}

/** The lists in the rows of the payment's keys. */
export function touchCandidates(program: u32): void {
  const columns = load<u32>(program);
  let group = program + 4;
  for (let column: u32 = 0; column < columns; column++) {
    const lists = load<u32>(group, PROGRAM);
    const slot = load<i32>(slotsAt + (column << 2));
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

function setValues(base: u32, group: u32, values: u32): void {
  for (let value: u32 = 0; value < values; value++)
    call_indirect<void>(base + SET_VALUE, value, wordOf(load<u32>(group + (value << 2), VALUE_COLUMNS)));
}

function setAllHolds(base: u32, first: u32, end: u32, predicates: u32, bitsFrom: u32, factBits: u32): void {
  for (let word: u32 = 0; word << 5 < predicates; word++) {
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
