import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateArray, StateInput, StateOutput } from '../../operators/savedState.ts';
import { createSharedMemory } from '../../operators/sharedMemory.ts';
import type { SnapshotHeader, SnapshotStore } from '../ports.ts';

export const KEPT_SNAPSHOTS = 3;

/** A header with something in every field. */
export function snapshotHeader(offset: number): SnapshotHeader {
  return {
    layout: 7,
    offset,
    lastPaymentOffset: offset - 1,
    firstRecordSha256: 'a'.repeat(64),
    lastRecordSha256: 'b'.repeat(64),
    ruleSet: '2026-11.1 规则',
    configurationSha256: 'c'.repeat(64),
    catalogueSha256: 'd'.repeat(64),
    modelSha256: null,
    riskLevel: 'elevated',
    degradation: 'noModel',
  };
}

type Item = number | string | StateArray;

const item: fc.Arbitrary<Item> = fc.oneof(
  fc.oneof(fc.double({ noDefaultInfinity: true }), fc.maxSafeInteger()),
  fc.string({ unit: 'grapheme' }),
  fc.float64Array({ maxLength: 300 }),
  fc.int32Array({ maxLength: 300 }),
  fc.uint32Array({ maxLength: 300 }),
  fc.uint16Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 3_000 }),
);
export const snapshotItems = fc.array(item, { maxLength: 40 });

export function saveItems(items: readonly Item[]): (output: StateOutput) => void {
  return (output) => {
    for (const value of items) {
      if (typeof value === 'number') output.number(value);
      else if (typeof value === 'string') output.text(value);
      else output.array(value.slice());
    }
  };
}

function readLike(input: StateInput, items: readonly Item[]): Item[] {
  return items.map((value) => {
    if (typeof value === 'number') return input.number();
    if (typeof value === 'string') return input.text();
    if (value instanceof Float64Array) return input.float64Array();
    if (value instanceof Int32Array) return input.int32Array();
    if (value instanceof Uint32Array) return input.uint32Array();
    return value instanceof Uint16Array ? input.uint16Array() : input.uint8Array();
  });
}

/** What every snapshot store promises (pipeline/ports.ts). `withStore` gives an empty one that keeps KEPT_SNAPSHOTS. */
export function describeSnapshotStore(
  name: string,
  withStore: (test: (store: SnapshotStore) => Promise<void>) => Promise<void>,
): void {
  describe(`${name} as a snapshot store`, () => {
    it('gives back header and items, to the bit, as often as it is asked', async () => {
      await fc.assert(
        fc.asyncProperty(snapshotItems, fc.integer({ min: 1, max: 2 ** 50 }), async (items, offset) => {
          await withStore(async (store) => {
            expect(await store.write(snapshotHeader(offset), 0, saveItems(items))).toBeGreaterThan(0);
            expect(await store.offsets()).toEqual([offset]);
            expect(await store.header(offset)).toEqual(snapshotHeader(offset));
            for (let times = 0; times < 2; times++) {
              const shares: number[] = [];
              const input = await store.read(offset, (share) => shares.push(share));
              expect(readLike(input, items)).toEqual(items);
              expect(input.isAtEnd).toBe(true);
              expect(shares.every((share, index) => share <= 1 && share >= (shares[index - 1] ?? 0))).toBe(true);
            }
          });
        }),
        { numRuns: 30 },
      );
    });

    it('gives arrays that are the reader’s own', async () => {
      await withStore(async (store) => {
        await store.write(snapshotHeader(5), 0, saveItems([new Int32Array([1, 2])]));
        (await store.read(5)).int32Array().fill(9);
        expect((await store.read(5)).int32Array()).toEqual(new Int32Array([1, 2]));
      });
    });

    it('gives back what is used of a memory, as the reader’s own, and zeros beyond it', async () => {
      const USED = 70_001;
      const saved = createSharedMemory(2 * USED);
      new Uint8Array(saved.buffer).fill(3);
      await withStore(async (store) => {
        await store.write(snapshotHeader(5), 0, (output) => {
          output.memory(saved, USED);
          output.number(8);
        });
        for (let times = 0; times < 2; times++) {
          const input = await store.read(5);
          const bytes = new Uint8Array(input.memory().buffer);
          expect(bytes.subarray(0, USED).every((byte) => byte === 3)).toBe(true);
          expect(bytes.subarray(USED).every((byte) => byte === 0)).toBe(true);
          expect(input.number()).toBe(8);
          bytes.fill(4);
        }
      });
    });

    it('refuses an item of another kind than was saved', async () => {
      await withStore(async (store) => {
        await store.write(snapshotHeader(5), 0, saveItems([1]));
        const input = await store.read(5);
        expect(() => input.text()).toThrow(expect.objectContaining({ code: 'SLUICE_SNAPSHOT_CONTENT' }));
      });
    });

    it('keeps the newest few', async () => {
      await withStore(async (store) => {
        expect(await store.offsets()).toEqual([]);
        for (const offset of [9, 30, 200, 1_000]) await store.write(snapshotHeader(offset), 0, saveItems([offset]));
        expect(await store.offsets()).toEqual([1_000, 200, 30]);
        expect((await store.read(30)).number()).toBe(30);
        await expect(store.header(9)).rejects.toMatchObject({ code: 'SLUICE_SNAPSHOT_DAMAGED' });
        await expect(store.read(9)).rejects.toMatchObject({ code: 'SLUICE_SNAPSHOT_DAMAGED' });
      });
    });

    it('keeps none that is ahead of the one just written', async () => {
      await withStore(async (store) => {
        for (const offset of [9, 30, 200, 20]) await store.write(snapshotHeader(offset), 0, saveItems([offset]));
        expect(await store.offsets()).toEqual([20, 9]);
      });
    });

    it('takes a snapshot of the same offset in place of the first', async () => {
      await withStore(async (store) => {
        await store.write(snapshotHeader(5), 0, saveItems([1]));
        await store.write(snapshotHeader(5), 0, saveItems([2]));
        expect(await store.offsets()).toEqual([5]);
        expect((await store.read(5)).number()).toBe(2);
      });
    });

    it('keeps nothing of a save that fails, and all that was there', async () => {
      await withStore(async (store) => {
        await store.write(snapshotHeader(5), 0, saveItems([1]));
        const failing = store.write(snapshotHeader(6), 0, (output) => {
          output.number(2);
          throw new Error('the state is not to be had');
        });
        await expect(failing).rejects.toThrow('the state is not to be had');
        expect(await store.offsets()).toEqual([5]);
        expect((await store.read(5)).number()).toBe(1);
      });
    });
  });
}
