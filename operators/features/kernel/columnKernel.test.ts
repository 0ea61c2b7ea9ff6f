import { expect, it } from 'vitest';
import { SavedStateError } from '../../savedState.ts';
import { StateParts, StatePartsInput } from '../../stateParts.ts';
import { copyState } from '../../testing/memoryState.ts';
import { ColumnKernel } from './columnKernel.ts';

const ROW = 9;
const KEYS = 20_000;

function create(program: readonly number[] = [1, 2, 3]): ColumnKernel {
  const kernel = new ColumnKernel({ rowLength: ROW, maxKeys: KEYS, maxCandidatesPerKey: 8 });
  kernel.place(program);
  return kernel;
}

/** A kernel whose rows say which they are. */
function filled(): ColumnKernel {
  const kernel = create();
  for (let key = 0; key < KEYS; key++) {
    expect(kernel.calls.allocateRow()).toBe(key);
    kernel.doubles.fill(key, kernel.rowBase(key), kernel.rowBase(key) + ROW);
  }
  return kernel;
}

function rowOf(kernel: ColumnKernel, key: number): number[] {
  return [...kernel.doubles.subarray(kernel.rowBase(key), kernel.rowBase(key) + ROW)];
}

it('never moves a row as it grows, and has room for so many keys', () => {
  const kernel = filled();
  expect(kernel.calls.allocateRow()).toBe(-1);
  for (const key of [0, 1_023, 1_024, KEYS - 1]) expect(rowOf(kernel, key)).toEqual(new Array(ROW).fill(key));
  expect(kernel.rowBytes).toBe(Math.ceil(KEYS / 1_024) * 1_024 * ROW * 8);
  kernel.calls.freeRow(7);
  expect(kernel.calls.allocateRow()).toBe(7);
  expect(rowOf(kernel, 7)).toEqual(new Array(ROW).fill(0));
});

it('goes on from what was saved; a thread that takes it over has the memory itself', () => {
  const kernel = filled();
  expect(rowOf(copyState(kernel, create()), 5)).toEqual(new Array(ROW).fill(5));
  const parts = new StateParts();
  kernel.save(parts);
  const taken = create();
  taken.load(new StatePartsInput(parts.parts));
  taken.doubles[taken.rowBase(5)] = 0.5;
  expect(rowOf(kernel, 5)[0]).toBe(0.5);
});

it('refuses what a kernel of other programs has saved', () => {
  expect(() => copyState(create(), create([1, 2, 4]))).toThrow(SavedStateError);
});
