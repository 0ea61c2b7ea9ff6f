import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TEXT_UNITS } from './packedText.ts';
import { MAX_TEXTS_PER_HASH, TextIndex } from './textIndex.ts';
import { textsOfOneHash } from './testing/collisions.ts';

/** Adds a text under the least slot that is free, as the model has it. */
class Indexed {
  readonly index = new TextIndex();
  readonly slots = new Map<string, number>();
  readonly #free: number[] = [];

  add(text: string): boolean {
    const slot = this.#free.pop() ?? this.slots.size;
    if (!this.index.add(slot)) {
      this.#free.push(slot);
      return false;
    }
    this.slots.set(text, slot);
    return true;
  }

  remove(text: string): void {
    const slot = this.slots.get(text);
    if (slot === undefined) return;
    this.index.remove(slot);
    this.slots.delete(text);
    this.#free.push(slot);
  }

  expectSame(): void {
    expect(this.index.size).toBe(this.slots.size);
    for (const [text, slot] of this.slots)
      expect(this.index.find(text) === slot && this.index.textOf(slot) === text).toBe(true);
  }
}

const text = fc.oneof(
  fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '\0', 'é', 'ÿ', 'Ā', '中', '\ud83d', '\ude00') }),
  fc.string({ maxLength: 12, unit: 'binary' }),
  fc.constantFrom(...textsOfOneHash(12)),
  fc.nat(40).map((length) => '0'.repeat(length)),
);

describe('a text index', () => {
  it('tells all texts apart: wide and narrow, nul and lone surrogates, those of one hash', () => {
    const step = fc.record({ text, removes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const indexed = new Indexed();
        for (const { text, removes } of steps) {
          const found = indexed.index.find(text);
          expect(found).toBe(indexed.slots.get(text) ?? -1);
          if (removes) indexed.remove(text);
          else if (found < 0) expect(indexed.add(text)).toBe(true);
        }
        indexed.expectSame();
      }),
      { numRuns: 200 },
    );
  });

  it('keeps texts of one hash apart, and refuses them when they are too many to be chance', () => {
    const indexed = new Indexed();
    const alike = textsOfOneHash(MAX_TEXTS_PER_HASH + 1);
    const added = alike.filter((text) => indexed.index.find(text) < 0 && indexed.add(text));
    expect(added).toEqual(alike.slice(0, MAX_TEXTS_PER_HASH));
    indexed.expectSame();
    // From the chain's end, its middle and its head.
    for (const index of [0, 31, 63]) indexed.remove(alike[index] ?? '');
    indexed.expectSame();
    expect(indexed.index.find(alike[64] ?? '')).toBe(-1);
    expect(indexed.add(alike[64] ?? '')).toBe(true);
    indexed.expectSame();
  });

  it('takes texts up to its limit and refuses longer ones', () => {
    const indexed = new Indexed();
    for (const unit of ['x', '中']) {
      expect(indexed.index.find(unit.repeat(MAX_TEXT_UNITS))).toBe(-1);
      expect(indexed.add(unit.repeat(MAX_TEXT_UNITS))).toBe(true);
      expect(indexed.index.find(unit.repeat(MAX_TEXT_UNITS + 1))).toBe(-1);
      expect(indexed.add(unit.repeat(MAX_TEXT_UNITS + 1))).toBe(false);
    }
    indexed.expectSame();
  });

  it('holds 300,000 keys of which a third come and go, in the bytes that they need', () => {
    const indexed = new Indexed();
    const add = (text: string): void => {
      if (indexed.index.find(text) < 0) indexed.add(text);
    };
    for (let key = 0; key < 300_000; key++) add(`card-${key}`);
    const bytes = indexed.index.byteLength;
    for (let key = 0; key < 300_000; key += 3) indexed.remove(`card-${key}`);
    for (let key = 400_000; key < 500_000; key++) add(`card-${key}`);
    indexed.expectSame();
    // Texts of another length do not find the freed records: 8 words each of 100,000.
    expect(indexed.index.byteLength - bytes).toBeLessThan(2_000_000);
    expect(bytes / 300_000).toBeLessThan(52);
  });

  it('knows a slot that has no text', () => {
    const { index } = new Indexed();
    expect(index.find('a')).toBe(-1);
    expect(index.add(0)).toBe(true);
    index.remove(0);
    expect(index.textOf(0)).toBeNull();
    expect(() => {
      index.remove(0);
    }).toThrow('SLUICE_STATE_KEY');
  });
});
