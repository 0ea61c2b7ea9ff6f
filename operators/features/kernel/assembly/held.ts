import { clearList } from './candidates';
import { releaseKey } from './keys';
import { rowOf } from './rows';

// A row's first double is how many events its key holds. What goes with the key, in 32-bit integers: how many lists, and distinct counts;
// row offsets of the lists; of the distinct counts table number and row offset.
const LISTS: u32 = 0;
const DISTINCTS: u32 = 4;
const STEPS: u32 = 8;

/** Gives up the sample of the values that are too many to count. */
declare function clearSample(table: i32, field: u32): void;

export function hold(slot: i32): void {
  const row = rowOf(slot);
  store<f64>(row, load<f64>(row) + 1);
}

/** Takes an event off the key; one that holds none goes. */
export function letGo(program: u32, slot: i32): void {
  const row = rowOf(slot);
  const events = load<f64>(row) - 1;
  store<f64>(row, events);
  if (events == 0) release(program, slot, row);
}

/** Has a key go that was looked up but holds no event. */
export function releaseUnused(program: u32, slot: i32): void {
  const row = rowOf(slot);
  if (load<f64>(row) == 0) release(program, slot, row);
}

function release(program: u32, slot: i32, row: u32): void {
  let step = program + STEPS;
  const listsEnd = step + (load<u32>(program, LISTS) << 2);
  for (; step < listsEnd; step += 4) clearList(row + load<u32>(step));
  const end = step + (load<u32>(program, DISTINCTS) << 3);
  for (; step < end; step += 8) {
    const field = row + load<u32>(step, 4);
    if (load<f64>(field) < 0) clearSample(load<i32>(step), field);
  }
  if (!releaseKey(slot)) unreachable();
}
