import { FREE_SLOT, MAX_KEYS, ROW_BYTES, ROW_SEGMENTS, ROWS_MASK, ROWS_SHIFT, SLOT_COUNT } from './layout';
import { allocate } from './memory';

/** What new keys leave free for the counts and candidates of those that are there. */
export const RESERVED_BYTES: u64 = 268435456;

/** Rows of so many bytes for so many keys at most, of which each is a multiple of 8. */
export function beginRows(rowBytes: u32, maxKeys: u32): void {
  store<u32>(ROW_BYTES, rowBytes);
  store<u32>(MAX_KEYS, maxKeys);
  store<u32>(ROW_SEGMENTS, allocate((((<u64>maxKeys + ROWS_MASK) >> ROWS_SHIFT) + 1) * 4, 0));
}

export function rowOf(slot: i32): u32 {
  const segment = load<u32>(load<u32>(ROW_SEGMENTS) + (((<u32>slot) >>> ROWS_SHIFT) << 2));
  return segment + ((<u32>slot) & ROWS_MASK) * load<u32>(ROW_BYTES);
}

/** A slot with an all-zero row; -1: there is no room. */
export function allocateRow(): i32 {
  const free = load<i32>(FREE_SLOT);
  if (free != 0) {
    const row = rowOf(free - 1);
    store<i32>(FREE_SLOT, <i32>load<f64>(row));
    store<f64>(row, 0);
    return free - 1;
  }
  const slot = load<u32>(SLOT_COUNT);
  if (slot >= load<u32>(MAX_KEYS)) return -1;
  if ((slot & ROWS_MASK) == 0) {
    const segment = allocate((<u64>load<u32>(ROW_BYTES)) << ROWS_SHIFT, RESERVED_BYTES);
    if (segment == 0) return -1;
    store<u32>(load<u32>(ROW_SEGMENTS) + ((slot >>> ROWS_SHIFT) << 2), segment);
  }
  store<u32>(SLOT_COUNT, slot + 1);
  return <i32>slot;
}

/** The row's first double becomes the slot that was freed before, counted from 1. */
export function freeRow(slot: i32): void {
  const row = rowOf(slot);
  memory.fill(row, 0, load<u32>(ROW_BYTES));
  store<f64>(row, <f64>load<i32>(FREE_SLOT));
  store<i32>(FREE_SLOT, slot + 1);
}
