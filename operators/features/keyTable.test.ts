import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefetchList } from '../tables/prefetchList.ts';
import { textsOfOneHash } from '../tables/testing/collisions.ts';
import { MAX_TEXTS_PER_HASH } from '../tables/textIndex.ts';
import { copyState } from '../testing/memoryState.ts';
import { ColumnKernel } from './kernel/columnKernel.ts';
import { KEY_REFUSED, NO_KEY, StringKeyTable, TupleKeyTable } from './keyTable.ts';

const ROW = 3;
const step = fc.record({ key: fc.nat(30), releases: fc.boolean(), restarts: fc.nat(30).map((roll) => roll === 0) });

const list = new PrefetchList();

function kernelOf(maxKeys: number): ColumnKernel {
  return new ColumnKernel({ rowLength: ROW, maxKeys, maxCandidatesPerKey: 1 });
}

function intern(table: StringKeyTable, key: string): number {
  table.prepare(key, list);
  return table.internPrepared();
}

describe('key tables', () => {
  it('give each string a slot with a row of its own, the slot freed last first, through saving and loading', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (steps, maxKeys) => {
        let table = new StringKeyTable(kernelOf(maxKeys));
        const slots = new Map<number, number>();
        const free: number[] = [];
        for (const { key, releases, restarts } of steps) {
          if (restarts) table = copyState(table, new StringKeyTable(kernelOf(maxKeys)));
          const known = slots.get(key);
          const expected = known ?? free.at(-1) ?? (slots.size + free.length < maxKeys ? slots.size : KEY_REFUSED);
          const slot = intern(table, `key-${key}`);
          expect(slot).toBe(expected);
          if (slot < 0) continue;
          const base = table.kernel.rowBase(slot);
          const row = table.kernel.doubles.subarray(base, base + ROW);
          expect([...row]).toEqual(known === undefined ? [0, 0, 0] : [1, key, 7]);
          if (known === undefined) {
            free.pop();
            slots.set(key, slot);
            row.set([1, key, 7]);
          } else if (releases) {
            table.release(slot);
            slots.delete(key);
            free.push(slot);
          }
          expect(table.size).toBe(slots.size);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('refuse a key for which the index has no room, and keep its slot for the next', () => {
    const table = new StringKeyTable(kernelOf(100));
    const alike = textsOfOneHash(MAX_TEXTS_PER_HASH + 1);
    const slots = alike.map((key) => intern(table, key));
    expect(slots.at(-1)).toBe(KEY_REFUSED);
    expect(intern(table, 'other')).toBe(MAX_TEXTS_PER_HASH);
    expect(alike.slice(0, -1).map((key) => intern(table, key))).toEqual(slots.slice(0, -1));
  });

  it('give tuples slots by all their members', () => {
    const table = new TupleKeyTable(kernelOf(3), 2);
    const members = [0, 2];
    const slotOf = (...slots: number[]): number => table.intern(Int32Array.from(slots), members);
    expect([slotOf(1, 9, 2), slotOf(2, 9, 1), slotOf(1, 8, 2), slotOf(5, 0, 5)]).toEqual([0, 1, 0, 2]);
    expect(slotOf(1, 0, NO_KEY)).toBe(NO_KEY);
    expect(slotOf(7, 0, 7)).toBe(KEY_REFUSED);
    table.release(1);
    expect(slotOf(7, 0, 7)).toBe(1);
    const copy = copyState(table, new TupleKeyTable(kernelOf(3), 2));
    expect(copy.intern(Int32Array.of(7, 0, 7), members)).toBe(1);
    expect(() => {
      copy.release(1);
      copy.release(1);
    }).toThrow('SLUICE_STATE_KEY');
  });
});
