import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PairStream } from './testing/pairStream.ts';

const KEYS = 2;
const LEAVE_AGES_MS = [500, 2_000, 5_000];
const LATENESS_MS = 800;
const ENDLESS_MS = 1e9;

interface Step {
  readonly kind: 'add' | 'correct';
  readonly aheadMs: number;
  readonly key: number;
  readonly value: number;
  /** By window, whether the event counts. */
  readonly bits: number;
  /** The event that is corrected. */
  readonly pick: number;
  readonly restarts: boolean;
}

/** Some steps with values out of so many: the number of values rises and falls. */
function run(values: number): fc.Arbitrary<Step[]> {
  const step = fc.record({
    kind: fc.constantFrom('add' as const, 'add' as const, 'add' as const, 'correct' as const),
    aheadMs: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }) },
      { weight: 3, arbitrary: fc.integer({ min: -LATENESS_MS, max: 0 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_500 }) },
    ),
    key: fc.nat(KEYS - 1),
    value: fc.nat(values - 1),
    bits: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7),
    pick: fc.nat(),
    restarts: fc.nat(40).map((roll) => roll === 0),
  });
  return fc.array(step, { minLength: 20, maxLength: 80, size: 'max' });
}

const steps = fc
  .array(fc.constantFrom(2, 6, 15, 60).chain(run), { minLength: 1, maxLength: 6, size: 'max' })
  .map((runs) => runs.flat());

/** Plays the steps; looks at every key and window after each. */
function play(stream: PairStream, played: readonly Step[], look: (key: number, window: number) => void): void {
  for (const { kind, aheadMs, key, value, bits, pick, restarts } of played) {
    if (restarts) stream.restart();
    const { held } = stream;
    const holds = LEAVE_AGES_MS.map((_, window) => ((bits >>> window) & 1) === 1);
    if (kind === 'add') stream.add({ key, value, timeMs: stream.timeMs + aheadMs, holds });
    else if (held.length > 0) stream.correct(held[pick % held.length]!, bits % LEAVE_AGES_MS.length);
    for (let owner = 0; owner < KEYS; owner++)
      for (let window = 0; window < LEAVE_AGES_MS.length; window++) look(owner, window);
  }
  stream.advance(ENDLESS_MS);
  expect(stream.pairs.size).toBe(0);
}

describe('pair counts', () => {
  it('are what a map of each window counts: late events, jumps of time, corrections, restarts', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const stream = new PairStream(KEYS, LEAVE_AGES_MS, [1_000, 0]);
        play(stream, played, (key, window) => {
          const [told, actual] = [stream.told(key, window), stream.actual(key, window)];
          if (told !== actual) throw new Error(`${told} values in place of ${actual}`);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('beyond the bound are what a sample by the hash gives; all that do not end in a half are exact', () => {
    let estimates = 0;
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 10 }), (played, maxValues) => {
        const stream = new PairStream(KEYS, LEAVE_AGES_MS, [maxValues, KEYS * LEAVE_AGES_MS.length]);
        play(stream, played, (key, window) => {
          const [told, actual] = [stream.told(key, window), stream.actual(key, window)];
          if (!stream.isSampled(key, window)) throw new Error(`${told} values, which no sample of ${actual} gives`);
          if (Number.isInteger(told) && told !== actual) throw new Error(`${told} values in place of ${actual}`);
          estimates += Number(!Number.isInteger(told));
        });
        for (let key = 0; key < KEYS; key++) {
          for (let window = 0; window < LEAVE_AGES_MS.length; window++)
            expect(stream.told(key, window)).toBeLessThan(1);
          stream.releaseKey(key);
        }
        expect([stream.pairs.estimated(stream.timeMs), stream.pairs.uncounted]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
    expect(estimates).toBeGreaterThan(10_000);
  });

  it('leave out and count values for which there is no sample', () => {
    const stream = new PairStream(1, [1_000], [2, 0]);
    for (const value of [1, 2, 3, 3]) stream.add({ key: 0, value, timeMs: 10, holds: [true] });
    expect([stream.told(0, 0), stream.pairs.uncounted]).toEqual([2, 2]);
    stream.advance(1_010);
    expect([stream.told(0, 0), stream.pairs.size]).toEqual([0, 0]);
  });
});
