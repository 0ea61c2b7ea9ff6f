/*
 * What the driver knows of the columns: it calls their instances through a table, since between WebAssembly and WebAssembly a call costs
 * next to nothing.
 */

/** Functions that each column has in the table, in this order (kernelDriver.ts). */
export const FUNCTIONS: u32 = 15;
export const CROSS: u32 = 0;
export const SET_HOLDS: u32 = 1;
export const SET_VALUE: u32 = 2;
export const NOTE: u32 = 3;
export const TOUCH: u32 = 4;
export const TOUCH_LISTS: u32 = 5;
export const READ: u32 = 6;
export const HASH_KEY: u32 = 7;
export const TOUCH_KEY: u32 = 8;
export const FORESEE_KEY: u32 = 9;
export const INTERN_KEY: u32 = 10;
export const SET_KEY_WORD: u32 = 11;
export const HOLD: u32 = 12;
export const LET_GO: u32 = 13;
export const RELEASE_UNUSED: u32 = 14;

// Of a group in a program: column, its program, its program that reads ahead, how many values its pairs have; their columns.
export const COLUMN: u32 = 0;
export const PROGRAM: u32 = 4;
export const AHEAD_PROGRAM: u32 = 8;
export const VALUES_COUNT: u32 = 12;
export const VALUE_COLUMNS: u32 = 16;

/** How many there are, and where the payment's slots are by column. */
export let columnCount: u32 = 0;
export let slotsAt: u32 = 0;

export function beginColumns(count: u32, slots: u32): void {
  columnCount = count;
  slotsAt = slots;
}

export function slotOf(column: u32): i32 {
  return load<i32>(slotsAt + (column << 2));
}

export function setSlot(column: u32, slot: i32): void {
  store<i32>(slotsAt + (column << 2), slot);
}

/** Lists what a column's group will change of this slot's; its values are among the slots from an address on. */
export function noteGroup(column: u32, group: u32, slot: i32, slots: u32): void {
  const values = load<u32>(group, VALUES_COUNT);
  const base = column * FUNCTIONS;
  if (values > 1) setFurtherValues(base, group, values, slots);
  call_indirect<void>(base + NOTE, load<u32>(group, AHEAD_PROGRAM), slot, firstValueOf(group, values, slots));
}

/** A group's first value among the slots from an address on; -1: it has none. */
export function firstValueOf(group: u32, values: u32, slots: u32): i32 {
  return values == 0 ? -1 : load<i32>(slots + (load<u32>(group, VALUE_COLUMNS) << 2));
}

/** Hands in the others. */
export function setFurtherValues(base: u32, group: u32, values: u32, slots: u32): void {
  for (let value: u32 = 1; value < values; value++) {
    const column = load<u32>(group + (value << 2), VALUE_COLUMNS);
    call_indirect<void>(base + SET_VALUE, value, load<i32>(slots + (column << 2)));
  }
}
