import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SegmentedTable } from './segmentedTable.ts';
import { wordOfHash } from './testing/collisions.ts';

/** A Map that does what the table does. */
class Model {
  readonly #values = new Map<string, number>();

  get size(): number {
    return this.#values.size;
  }

  get(key: readonly number[]): number | undefined {
    return this.#values.get(key.join());
  }

  set(key: readonly number[], value: number): void {
    this.#values.set(key.join(), value);
  }

  delete(key: readonly number[]): void {
    this.#values.delete(key.join());
  }

  entries(): [number[], number][] {
    return [...this.#values].map(([key, value]) => [key.split(',').map(Number), value]);
  }
}

function expectSame(table: SegmentedTable, model: Model): void {
  expect(table.size).toBe(model.size);
  for (const [key, value] of model.entries()) {
    expect(table.find(Int32Array.from(key))).toBe(true);
    expect(table.block[table.at]).toBe(value);
  }
}

describe('a segmented table', () => {
  it('holds what a Map holds, whatever is added, changed and taken out while it grows', () => {
    const burst = fc.record({
      kind: fc.constantFrom('add', 'add', 'change', 'remove'),
      from: fc.integer({ min: 0, max: 3_000 }),
      count: fc.integer({ min: 1, max: 900 }),
      step: fc.constantFrom(1, 7, 64, 4_096, 1 << 20),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(burst, { maxLength: 12 }), (keyLength, bursts) => {
        const table = new SegmentedTable(keyLength);
        const model = new Model();
        let value = 0;
        for (const { kind, from, count, step } of bursts) {
          for (let index = 0; index < count; index++) {
            const words = Array.from({ length: keyLength }, (_, word) => ((from + index) * step + word * 3) | 0);
            const key = Int32Array.from(words);
            const isThere = table.find(key);
            expect(isThere).toBe(model.get(words) !== undefined);
            value += 1;
            if (kind === 'remove') {
              if (!isThere) continue;
              table.remove();
              model.delete(words);
            } else if (isThere) {
              table.block[table.at] = value;
              model.set(words, value);
            } else if (kind === 'add') {
              expect(table.add(key, value)).toBe(true);
              expect(table.block[table.at]).toBe(value);
              model.set(words, value);
            }
          }
        }
        expectSame(table, model);
      }),
      { numRuns: 60 },
    );
  });

  it('holds half a million keys, and keeps its size when they come and go', () => {
    const table = new SegmentedTable(2);
    const key = new Int32Array(2);
    const finds = (index: number): boolean => {
      key[0] = index;
      key[1] = index >>> 3;
      return table.find(key);
    };
    const keys = 500_000;
    for (let index = 0; index < keys; index++) if (!finds(index)) table.add(key, index + 1);
    expect(table.size).toBe(keys);
    // Half of all places are taken, as extendible hashing has it: ln 2 of three quarters.
    expect(table.byteLength / table.size).toBeLessThan(28);
    const bytes = table.byteLength;
    let lost = 0;
    for (let index = 0; index < 2 * keys; index++) {
      if (!finds(index) || table.block[table.at] !== index + 1) lost += 1;
      table.remove();
      if (finds(index + keys) || !table.add(key, index + keys + 1)) lost += 1;
    }
    expect(lost).toBe(0);
    expect(table.size).toBe(keys);
    expect(table.byteLength / bytes).toBeLessThan(1.3);
  });

  it('takes the bytes that are expected of it, at any size', () => {
    const table = new SegmentedTable(3);
    const key = new Int32Array(3);
    for (let entries = 0; entries < 400_000; entries++) {
      // Just before the segments split, while they do, and after.
      if ([0, 300, 390, 5_000, 12_000, 24_000, 100_000, 196_000, 230_000, 399_999].includes(entries)) {
        const expected = SegmentedTable.expectedBytes(3, entries);
        expect(Math.abs(table.byteLength / expected - 1)).toBeLessThan(0.05);
      }
      key[0] = entries;
      if (!table.find(key)) table.add(key, 1);
    }
  });

  it('refuses keys that were made to share a segment, and no others', () => {
    const table = new SegmentedTable(1);
    const key = new Int32Array(1);
    // The same 21 high bits: all go to one segment however often it is split.
    const alike = Array.from({ length: 400 }, (_, index) => wordOfHash((0x5a5a5 << 12) | index));
    const added = alike.filter((word) => {
      key[0] = word;
      return !table.find(key) && table.add(key, 1);
    });
    expect(added).toEqual(alike.slice(0, 384));
    for (let index = 0; index < 1_000; index++) {
      key[0] = wordOfHash(Math.imul(index, 0x9e3779b1));
      expect(table.find(key) || table.add(key, 2)).toBe(true);
    }
    for (const word of added) {
      key[0] = word;
      expect(table.find(key)).toBe(true);
      table.remove();
    }
    key[0] = alike[399] ?? 0;
    expect(table.find(key)).toBe(false);
    expect(table.add(key, 1)).toBe(true);
  });
});
