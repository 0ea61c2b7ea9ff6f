import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TEXT_UNITS } from '../tables/packedText.ts';
import { textsOfHashes, textsOfOneHash } from '../tables/testing/collisions.ts';
import { MAX_TEXTS_PER_HASH } from '../tables/textIndex.ts';
import { copyState } from '../testing/memoryState.ts';
import { ColumnKernel } from './kernel/columnKernel.ts';
import { KEY_REFUSED, KeyTable, NO_KEY, wordsOfText } from './keyTable.ts';

const ROW = 3;
const step = fc.record({ key: fc.nat(30), releases: fc.boolean(), restarts: fc.nat(30).map((roll) => roll === 0) });

function kernelOf(maxKeys: number): ColumnKernel {
  return new ColumnKernel({ rowLength: ROW, maxKeys, maxCandidatesPerKey: 1 });
}

function create(maxKeys: number): KeyTable {
  return new KeyTable(kernelOf(maxKeys));
}

function release(table: KeyTable, slot: number): boolean {
  return table.kernel.calls.releaseKey(slot) !== 0;
}

function intern(table: KeyTable, key: string | null): number {
  const taken = table.take(key);
  if (taken < 0) return taken;
  const { calls } = table.kernel;
  calls.hashKey();
  const foreseen = calls.foreseeKey();
  const slot = calls.internKey();
  // Texts of one hash, and new ones, are foreseen wrongly.
  if (foreseen >= 0 && foreseen !== slot && table.textsOf(foreseen, [])![0] === key)
    throw new Error(`foreseen ${foreseen}`);
  return slot;
}

/** Keys of all kinds: wide and narrow, nul and lone surrogates, some of one hash. */
const text = fc.oneof(
  fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '\0', 'é', 'ÿ', 'Ā', '中', '\ud83d', '\ude00') }),
  fc.string({ maxLength: 12, unit: 'binary' }),
  fc.constantFrom(...textsOfOneHash(12)),
  fc.nat(40).map((length) => '0'.repeat(length)),
);

describe('key tables', () => {
  it('give each string a slot with a row of its own, the slot freed last first, through saving and loading', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (steps, maxKeys) => {
        let table = create(maxKeys);
        const slots = new Map<number, number>();
        const free: number[] = [];
        for (const { key, releases, restarts } of steps) {
          if (restarts) table = copyState(table, create(maxKeys));
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
            release(table, slot);
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
    const table = create(100);
    const alike = textsOfOneHash(MAX_TEXTS_PER_HASH + 1);
    const slots = alike.map((key) => intern(table, key));
    expect(slots.at(-1)).toBe(KEY_REFUSED);
    expect(intern(table, 'other')).toBe(MAX_TEXTS_PER_HASH);
    expect(alike.slice(0, -1).map((key) => intern(table, key))).toEqual(slots.slice(0, -1));
  });

  it('tell all texts apart, and give each slot its text back', () => {
    const step = fc.record({ text, releases: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = create(400);
        const slots = new Map<string, number>();
        for (const { text, releases } of steps) {
          const slot = intern(table, text);
          expect(slot).toBe(slots.get(text) ?? slot);
          slots.set(text, slot);
          if (!releases) continue;
          release(table, slot);
          slots.delete(text);
          expect(table.textsOf(slot, [])).toBeNull();
        }
        expect(new Set(slots.values()).size).toBe(slots.size);
        for (const [text, slot] of slots) expect(table.textsOf(slot, [])).toEqual([text]);
      }),
      { numRuns: 200 },
    );
  });

  it('take texts up to their limit and refuse longer ones', () => {
    const table = create(10);
    for (const [slot, unit] of ['x', '中'].entries()) {
      expect(intern(table, unit.repeat(MAX_TEXT_UNITS))).toBe(slot);
      expect(table.textsOf(slot, [])).toEqual([unit.repeat(MAX_TEXT_UNITS)]);
      expect(intern(table, unit.repeat(MAX_TEXT_UNITS + 1))).toBe(KEY_REFUSED);
    }
    expect(intern(table, null)).toBe(NO_KEY);
    expect(table.size).toBe(2);
  });

  it('hold 300,000 keys of which a third come and go, in the bytes that are expected', () => {
    const table = create(400_000);
    const slots = new Map<string, number>();
    const add = (text: string): void => void slots.set(text, intern(table, text));
    for (let key = 0; key < 300_000; key++) add(`card-${String(key).padStart(6, '0')}`);
    const { index, keys } = table.bytes;
    const expected = KeyTable.expectedBytes(300_000, ROW, wordsOfText(11));
    expect(Math.abs(index / expected.index - 1)).toBeLessThan(0.05);
    expect(keys).toBe(expected.keys);
    for (let key = 0; key < 300_000; key += 3) {
      const text = `card-${String(key).padStart(6, '0')}`;
      release(table, slots.get(text)!);
      slots.delete(text);
    }
    for (let key = 400_000; key < 500_000; key++) add(`card-${key}`);
    expect(table.size).toBe(300_000);
    expect(table.bytes.keys).toBe(keys);
    let lost = 0;
    for (const [text, slot] of slots)
      if (intern(table, text) !== slot || table.textsOf(slot, [])![0] !== text) lost += 1;
    expect(lost).toBe(0);
  });

  it('refuse texts that were made to share a segment, and no others', () => {
    const table = create(2_000);
    const alike = textsOfHashes(400, (index) => (0x5a5a5 << 12) | index);
    const slots = alike.map((key) => intern(table, key));
    expect(slots.slice(0, 384)).toEqual(Array.from({ length: 384 }, (_, slot) => slot));
    expect(new Set(slots.slice(384))).toEqual(new Set([KEY_REFUSED]));
    for (let key = 0; key < 1_000; key++) expect(intern(table, `key-${key}`)).toBe(384 + key);
    for (const slot of slots.slice(0, 384)) release(table, slot);
    expect(intern(table, alike[399]!)).toBe(383);
  });

  it('give tuples slots by all their members', () => {
    const table = create(3);
    const { calls } = table.kernel;
    const slotOf = (...members: number[]): number => {
      [(members.length << 2) | 1, ...members].forEach((word, index) => {
        calls.setKeyWord(index, word);
      });
      calls.hashKey();
      return calls.internKey();
    };
    expect([slotOf(1, 2), slotOf(2, 1), slotOf(1, 2), slotOf(5, 5)]).toEqual([0, 1, 0, 2]);
    expect(slotOf(7, 7)).toBe(KEY_REFUSED);
    release(table, 1);
    expect(slotOf(7, 7)).toBe(1);
    const members = [create(9), create(9)];
    for (const [index, member] of members.entries())
      for (let key = 0; key < 9; key++) intern(member, `${index}-${key}`);
    expect(table.textsOf(0, members)).toEqual(['0-1', '1-2']);
    const copy = copyState(table, create(3));
    expect(copy.textsOf(1, members)).toEqual(['0-7', '1-7']);
    expect([release(copy, 1), release(copy, 1)]).toEqual([true, false]);
  });
});
