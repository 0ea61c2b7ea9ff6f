import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyState } from '../testing/memoryState.ts';
import { RangeIndex } from './rangeIndex.ts';

interface Range {
  readonly from: bigint;
  readonly to: bigint;
  readonly slot: number;
}

function words(value: bigint, width: 1 | 4): Uint32Array {
  return Uint32Array.from({ length: 4 }, (_, word) =>
    word < width ? Number((value >> BigInt(32 * (width - 1 - word))) & 0xffffffffn) : 0,
  );
}

/** Compares all: the one that begins last, then the one that ends first. */
function slowly(ranges: readonly Range[], from: bigint, to: bigint): number {
  const held = ranges.filter((range) => range.slot % 5 !== 0 && range.from <= from && range.to >= to);
  held.sort((a, b) => (a.from !== b.from ? (a.from < b.from ? 1 : -1) : a.to < b.to ? -1 : 1));
  return held[0]?.slot ?? -1;
}

const counts = (slot: number): boolean => slot % 5 !== 0;

describe.each([1, 4] as const)('an index of ranges of %i words', (width) => {
  // Few ends, over the whole width, so that ranges meet, lie in each other and overlap.
  const end = fc.nat(15).map((place) => (BigInt(place) << BigInt(32 * width - 4)) + BigInt(place % 3));
  const range = fc.tuple(end, end).map(([a, b]) => (a < b ? { from: a, to: b } : { from: b, to: a }));
  const step = fc.record({ isPut: fc.constantFrom(true, true, true, false), range, asked: range });

  it('finds what a scan finds, while ranges come and go, and after it was saved', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), fc.nat(80), (steps, cut) => {
        let index = new RangeIndex(width);
        const held = new Map<string, Range>();
        for (const [
          slot,
          {
            isPut,
            range: { from, to },
            asked,
          },
        ] of steps.entries()) {
          if (slot === cut) index = copyState(index, new RangeIndex(width));
          const key = `${from}-${to}`;
          if (isPut && !held.has(key)) {
            index.add(words(from, width), words(to, width), slot);
            held.set(key, { from, to, slot });
          } else if (!isPut && held.delete(key)) index.remove(words(from, width), words(to, width));
          expect(index.size).toBe(held.size);
          const found = index.find(words(asked.from, width), words(asked.to, width), counts);
          expect(found).toBe(slowly([...held.values()], asked.from, asked.to));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes no more room than it once needed', () => {
    const index = new RangeIndex(width);
    for (let round = 0; round < 3; round++) {
      for (let place = 0; place < 2_000; place++)
        index.add(words(BigInt(place), width), words(BigInt(place + 7), width), place);
      for (let place = 0; place < 2_000; place++)
        index.remove(words(BigInt(place), width), words(BigInt(place + 7), width));
    }
    expect(index.size).toBe(0);
    expect(index.byteLength).toBeLessThan(2_100 * 12 * 4 + 16_384);
  });
});
