import { amountOf, beginBlocks, COUNT, factsOf, NEXT, timeOf, wordsOf } from './blocks';
import {
  COLUMN,
  columnCount,
  CROSS,
  firstValueOf,
  FUNCTIONS,
  HOLD,
  LET_GO,
  noteGroup,
  PROGRAM,
  RELEASE_UNUSED,
  SET_HOLDS,
  setFurtherValues,
  slotOf,
  VALUE_COLUMNS,
  VALUES_COUNT,
} from './columns';
import { amountHigh, amountLow, splitAmount, square0, square1, square2 } from './lanes';
import { allocate } from './memory';

/*
 * Events cross edges: the driver's part of windowEdges.ts. Each edge has a cursor, which reservoir.ts moves from block to block; the
 * steps within a block are made here.
 */

// An edge's program in 32-bit integers: its predicates; groups; where the words have bits; address of the facts' bits; predicates, groups.
const PREDICATES: u32 = 0;
const GROUPS: u32 = 4;
const BITS_FROM: u32 = 8;
const FACT_BITS: u32 = 12;
const STEPS: u32 = 16;
/** First bit, table of facts. */
const PREDICATE_STEP: u32 = 8;

// The edges' program: how many; of each its age (a double), its program, whether the host has steps for it, and how many columns let go
// of an event here, and these.
const AGE: u32 = 0;
const EDGE_PROGRAM: u32 = 8;
const HAS_OTHERS: u32 = 12;
const RELEASES: u32 = 16;
const EDGE_STEPS: u32 = 20;

// The columns' program: of each the age at which it lets go of an event (a double), and its program of what goes with a key.
const RETENTION: u32 = 0;
const RELEASE_PROGRAM: u32 = 8;
const COLUMN_STEP: u32 = 12;

// A cursor (cursor.ts): events crossed since the first of all; the block, and the place in it; whether it is sealed; events that wait.
const POSITION: u32 = 0;
const BLOCK: u32 = 8;
const INDEX: u32 = 12;
const IS_SEALED: u32 = 16;
const WAITING: u32 = 20;
const CURSOR_BYTES: u32 = 32;

// The numbers of the event at hand (eventNumbers.ts).
const AMOUNT: u32 = 0;
const TIME: u32 = 8;
const ENGINE_TIME: u32 = 16;
const EVENT_BYTES: u32 = 64;

/** Has events that wait at the edge cross, and those that are due wait; returns how many crossings are left. */
declare function crossWaiting(edge: i32, left: i32): i32;
/** Moves a cursor that stands at its block's end to the next event, if there is one up to this time. */
declare function moveOn(edge: i32, boundaryMs: f64): i32;
declare function holdBack(edge: i32): void;
declare function passInserted(edge: i32): void;
/** Runs the steps that the host has. */
declare function crossOthers(edge: i32, words: u32, facts: i32): void;

let edgeCount: u32 = 0;
let cursorsAt: u32 = 0;
let eventAt: u32 = 0;
let edgesProgram: u32 = 0;
let columnsProgram: u32 = 0;
/** Where the words are of an event that the host hands in; and those of the event at hand. */
let handedAt: u32 = 0;
let wordsAt: u32 = 0;

export function beginEdges(eventWords: u32, edges: u32): void {
  beginBlocks(eventWords << 2);
  edgeCount = edges;
  handedAt = allocate(eventWords << 2, 0);
  cursorsAt = allocate(edges * CURSOR_BYTES, 0);
  eventAt = allocate(EVENT_BYTES, 0);
}

export function setPrograms(edges: u32, columns: u32): void {
  edgesProgram = edges;
  columnsProgram = columns;
}

export function driverCursors(): u32 {
  return cursorsAt;
}

export function driverEvent(): u32 {
  return eventAt;
}

export function driverWords(): u32 {
  return handedAt;
}

function wordOf(index: u32): i32 {
  return load<i32>(wordsAt + (index << 2));
}

function nextStep(step: u32): u32 {
  return step + EDGE_STEPS + (load<u32>(step, RELEASES) << 2);
}

/** Lists what the event at each edge will change, if it crosses the edge when time moves on to this. */
export function noteNext(timeMs: f64): void {
  let step = edgesProgram + 4;
  for (let edge: u32 = 0; edge < edgeCount; edge++, step = nextStep(step)) {
    const cursor = cursorsAt + edge * CURSOR_BYTES;
    const block = load<u32>(cursor, BLOCK);
    const index = load<u32>(cursor, INDEX);
    if (index >= load<u32>(block, COUNT) || timeOf(block, index) > timeMs - load<f64>(step, AGE)) continue;
    wordsAt = wordsOf(block, index);
    noteEdge(load<u32>(step, EDGE_PROGRAM));
  }
}

/** Has at most so many of the events cross whose time has come, youngest edge first; each edge may spend `least`. The host has the others wait. */
export function advance(crossings: i32, least: i32): void {
  const engineTimeMs = load<f64>(eventAt, ENGINE_TIME);
  let left = crossings;
  let step = edgesProgram + 4;
  for (let edge: u32 = 0; edge < edgeCount; edge++, step = nextStep(step)) {
    if (left < least) left = least;
    const cursor = cursorsAt + edge * CURSOR_BYTES;
    if (load<u32>(cursor, WAITING) == 0) {
      left = crossDue(edge, step, cursor, engineTimeMs, left);
      if (left >= 0) continue;
      left = 0;
    }
    left = crossWaiting(edge, left);
  }
}

/** Returns how many crossings are left; -1: none, and an event is due. */
function crossDue(edge: u32, step: u32, cursor: u32, engineTimeMs: f64, crossings: i32): i32 {
  const dueMs = engineTimeMs - load<f64>(step, AGE);
  let left = crossings;
  for (;;) {
    const block = load<u32>(cursor, BLOCK);
    let index = load<u32>(cursor, INDEX);
    while (index < load<u32>(block, COUNT)) {
      const timeMs = timeOf(block, index);
      if (timeMs > dueMs) return left;
      if (left == 0) return -1;
      left--;
      const words = wordsOf(block, index);
      store<f64>(eventAt, timeMs, TIME);
      store<f64>(eventAt, amountOf(block, index), AMOUNT);
      cross(edge, step, words, factsOf(block, index));
      wordsAt = words;
      letGoEvent(step);
      index++;
      store<u32>(cursor, index, INDEX);
      store<f64>(cursor, load<f64>(cursor, POSITION) + 1, POSITION);
    }
    if (load<u32>(cursor, IS_SEALED) == 0 && load<u32>(block, NEXT) == 0) break;
    if (moveOn(edge, dueMs) == 0) break;
  }
  return left;
}

/** Has the event at hand, whose words are there, cross an edge. */
function cross(edge: u32, step: u32, words: u32, facts: i32): void {
  wordsAt = words;
  runEdge(load<u32>(step, EDGE_PROGRAM), facts);
  if (load<u32>(step, HAS_OTHERS) != 0) crossOthers(edge, words, facts);
}

function letGoEvent(step: u32): void {
  const end = nextStep(step);
  for (let release = step + EDGE_STEPS; release < end; release += 4) {
    const column = load<u32>(release);
    const slot = wordOf(column);
    if (slot >= 0) call_indirect<void>(column * FUNCTIONS + LET_GO, releaseProgramOf(column), slot);
  }
}

function releaseProgramOf(column: u32): u32 {
  return load<u32>(columnsProgram + column * COLUMN_STEP, RELEASE_PROGRAM);
}

/** The keys of the event that was handed in let go of it, as they do at the edge whose step this is. */
export function letGoHanded(step: u32): void {
  wordsAt = handedAt;
  letGoEvent(step);
}

/** Has the event that was handed in, and is at hand, cross an edge. */
export function crossHanded(program: u32, facts: i32): void {
  wordsAt = handedAt;
  runEdge(program, facts);
}

/**
 * Gives the event just inserted, the one at hand, the payment's slots, and has it cross those edges that its time has passed. Cursors that
 * stand in sealed blocks, or may have to go back a block, are the host's.
 */
export function insertEvent(block: u32, index: u32): void {
  const words = wordsOf(block, index);
  const timeMs = load<f64>(eventAt, TIME);
  const engineTimeMs = load<f64>(eventAt, ENGINE_TIME);
  for (let column: u32 = 0; column < columnCount; column++) {
    const slot = slotOf(column);
    const isHeld = slot >= 0 && timeMs > engineTimeMs - load<f64>(columnsProgram + column * COLUMN_STEP, RETENTION);
    store<i32>(words + (column << 2), isHeld ? slot : -1);
    if (isHeld) call_indirect<void>(column * FUNCTIONS + HOLD, slot);
  }
  const next = load<u32>(block, NEXT);
  let step = edgesProgram + 4;
  for (let edge: u32 = 0; edge < edgeCount; edge++, step = nextStep(step)) {
    const cursor = cursorsAt + edge * CURSOR_BYTES;
    const isSealed = load<u32>(cursor, IS_SEALED) != 0;
    if (timeMs > engineTimeMs - load<f64>(step, AGE)) {
      if (!isSealed && next != 0 && load<u32>(cursor, INDEX) == 0 && load<u32>(cursor, BLOCK) == next) holdBack(edge);
      continue;
    }
    if (isSealed) passInserted(edge);
    else {
      store<f64>(cursor, load<f64>(cursor, POSITION) + 1, POSITION);
      if (load<u32>(cursor, BLOCK) == block) store<u32>(cursor, load<u32>(cursor, INDEX) + 1, INDEX);
    }
    cross(edge, step, words, 0);
  }
}

/** Keys of the payment that hold no event, because it is older than all their windows, go. */
export function releaseUnusedKeys(): void {
  for (let column: u32 = 0; column < columnCount; column++) {
    const slot = slotOf(column);
    if (slot >= 0) call_indirect<void>(column * FUNCTIONS + RELEASE_UNUSED, releaseProgramOf(column), slot);
  }
}

function runEdge(program: u32, facts: i32): void {
  const timeMs = load<f64>(eventAt, TIME);
  const amountMinor = load<f64>(eventAt, AMOUNT);
  const engineTimeMs = load<f64>(eventAt, ENGINE_TIME);
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

function noteEdge(program: u32): void {
  let group = program + STEPS + load<u32>(program, PREDICATES) * PREDICATE_STEP;
  for (let left = load<u32>(program, GROUPS); left > 0; left--) {
    const column = load<u32>(group, COLUMN);
    const slot = wordOf(column);
    if (slot >= 0) noteGroup(column, group, slot, wordsAt);
    group += VALUE_COLUMNS + (load<u32>(group, VALUES_COUNT) << 2);
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
