import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyState } from '../testing/memoryState.ts';
import { PairCounts } from './pairCounts.ts';

const WINDOWS = 3;
/** Predicates 0 to 2 let an event into the windows 0 to 2; row positions 1 to 3 hold their numbers of values. */
const steps = (sign: number): Int32Array =>
  Int32Array.from(Array.from({ length: WINDOWS }, (_, window) => [window, sign, window, window + 1]).flat());

describe('pair counts', () => {
  it('count what a list per window counts, up to the bound, through saving and loading', () => {
    const step = fc.record({
      key: fc.nat(3),
      value: fc.nat(9),
      bits: fc.nat(7),
      isIn: fc.boolean(),
      restarts: fc.nat(20).map((roll) => roll === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 12 }), (events, maxValues) => {
        let pairs = new PairCounts(WINDOWS, maxValues);
        const rows = new Float64Array(4 * 4);
        const model = Array.from({ length: WINDOWS }, () => new Map<string, number>());
        let saturated = 0;
        for (const { key, value, bits, isIn, restarts } of events) {
          if (restarts) pairs = copyState(pairs, new PairCounts(WINDOWS, maxValues));
          const holds = Uint8Array.of(bits & 1, (bits >>> 1) & 1, bits >>> 2);
          pairs.run(steps(isIn ? 1 : -1), key, value, holds, rows, key * 4);
          for (const [window, counts] of model.entries()) {
            if (((bits >>> window) & 1) === 0) continue;
            const pair = `${key}:${value}`;
            const count = counts.get(pair) ?? 0;
            const values = [...counts.keys()].filter((other) => other.startsWith(`${key}:`)).length;
            if (isIn && count === 0 && values >= maxValues) saturated += 1;
            else if (isIn) counts.set(pair, count + 1);
            else if (count === 1) counts.delete(pair);
            else if (count > 1) counts.set(pair, count - 1);
          }
          for (const [window, counts] of model.entries()) {
            const values = [...counts.keys()].filter((other) => other.startsWith(`${key}:`)).length;
            expect(rows[key * 4 + window + 1]).toBe(values);
          }
        }
        expect(pairs.saturated).toBe(saturated);
        expect(pairs.size).toBe(new Set(model.flatMap((counts) => [...counts.keys()])).size);
      }),
      { numRuns: 200 },
    );
  });
});
