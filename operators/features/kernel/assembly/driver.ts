import {
  beginColumns,
  FORESEE_KEY,
  FUNCTIONS,
  HASH_KEY,
  INTERN_KEY,
  noteGroup,
  PROGRAM,
  READ,
  SET_KEY_WORD,
  setSlot,
  slotOf,
  slotsAt,
  TOUCH,
  TOUCH_KEY,
  TOUCH_LISTS,
  VALUE_COLUMNS,
  VALUES_COUNT,
} from './columns';
import { beginEdges, noteNext } from './edges';
import { allocate } from './memory';

/*
 * The driver is one more instance of the kernel, whose own memory has the events and programs that say which columns' programs to run.
 * Here is what a payment's keys need; edges.ts has events cross.
 */

/** In place of a slot: the column has no room for the key (columns' internKey says so), or the payment has no such key. */
const REFUSED: i32 = -1;
const NO_KEY: i32 = -2;

/** By column, what the host has handed in of the payment's texts. */
let givenAt: u32 = 0;

export function beginDriver(columns: u32, eventWords: u32, edges: u32): void {
  beginColumns(columns, allocate(columns << 2, 0));
  givenAt = allocate(columns << 2, 0);
  beginEdges(eventWords, edges);
}

export function driverSlots(): u32 {
  return slotsAt;
}

export function driverGiven(): u32 {
  return givenAt;
}

// The keys' program: columns; of each how many members its tuples have, 0 for texts; their columns.
/**
 * Reads ahead what the payment's keys need, whose texts the host has put into the columns' memories: where they are looked up, with what
 * the events change that will cross edges at the payment's time; then what rowsProgram lists of the slots that the keys probably have.
 */
export function foreseeKeys(program: u32, rowsProgram: u32, timeMs: f64): void {
  const columns = load<u32>(program);
  noteNext(timeMs);
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
    } else if (isForeseen ? slotOf(column) != NO_KEY : hashTuple(column, step)) {
      // Of members that were all foreseen the tuple is still at hand.
      slot = call_indirect<i32>(column * FUNCTIONS + INTERN_KEY);
    }
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

function givenOf(column: u32): i32 {
  return load<i32>(givenAt + (column << 2));
}

// A payment's program: columns; of each column its group as above, with the lists' program for a program and the row's to read ahead.
/** Reads what a payment is about to use, whose keys' slots were found or foreseen. */
function touchRows(program: u32): void {
  const columns = load<u32>(program);
  let group = program + 4;
  for (let column: u32 = 0; column < columns; column++) {
    const slot = slotOf(column);
    if (slot >= 0) noteGroup(column, group, slot, slotsAt);
    group += VALUE_COLUMNS + (load<u32>(group, VALUES_COUNT) << 2);
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
