import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColumnKernel, type SampledTable } from './kernel/columnKernel.ts';
import { byteOffset } from './kernel/programWords.ts';
import { PairStream } from './testing/pairStream.ts';

const KEYS = 2;
const LEAVE_AGES_MS = [500, 2_000, 5_000];
const LATENESS_MS = 800;
const ENDLESS_MS = 1e9;

/** Of a table whose values never are too many. */
const unsampled: SampledTable = {
  countInSample: unused,
  dropBeside: unused,
  clearSample: unused,
  settle: unused,
  writeSample: unused,
};

function unused(): never {
  throw new Error('nothing is sampled');
}

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

  it.each([1, 4, 5, 13, 29])('are those of each of %d windows', (windows) => {
    const kernel = new ColumnKernel({ rowLength: 32, maxKeys: 2, maxCandidatesPerKey: 1 });
    const { address } = kernel.addPairs(windows, 1_000, unsampled);
    const keys = [kernel.calls.allocateRow(), kernel.calls.allocateRow()];
    const counts = new Map<string, number>();
    const count = (key: number, value: number, window: number, sign: number): void => {
      const id = `${key} ${value} ${window}`;
      const events = (counts.get(id) ?? 0) + sign;
      if (events === 0) counts.delete(id);
      else counts.set(id, events);
      kernel.calls.countPair(address, key, value, sign, window, kernel.rowAddress(key) + byteOffset(window));
    };
    const expectSame = (): void => {
      const ids = [...counts.keys()].map((id) => id.split(' ').map(Number));
      for (const key of keys) {
        const base = kernel.rowBase(key);
        const told = Array.from({ length: windows }, (_, window) => kernel.doubles[base + window]);
        const actual = told.map(
          (_, window) => ids.filter(([owner, , place]) => owner === key && place === window).length,
        );
        expect(told).toEqual(actual);
      }
      expect(kernel.calls.pairsOf(address)).toBe(new Set(ids.map(([key, value]) => `${key} ${value}`)).size);
    };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1), fc.nat(700), fc.nat(windows - 1)), { minLength: 900, maxLength: 1_500 }),
        (added) => {
          for (const [key, value, window] of added) count(key, value, window, 1);
          expectSame();
          for (const [key, value, window] of added.slice(0, -10)) count(key, value, window, -1);
          expectSame();
          for (const [key, value, window] of added.slice(-10)) count(key, value, window, -1);
          expectSame();
        },
      ),
      { numRuns: 10 },
    );
  });

  it('go on where 16 bits end, and come back', () => {
    const kernel = new ColumnKernel({ rowLength: 4, maxKeys: 1, maxCandidatesPerKey: 1 });
    const { address } = kernel.addPairs(2, 10, unsampled);
    const { calls } = kernel;
    const key = calls.allocateRow();
    const base = kernel.rowBase(key);
    const count = (value: number, window: number, sign: number): void => {
      calls.countPair(address, key, value, sign, window, byteOffset(base + window));
    };
    const EVENTS = 200_000;
    const [first, second] = [7, 8];
    const tableBytes = calls.pairBytesOf(address);
    for (let event = 0; event < EVENTS; event++) {
      count(first, 0, 1);
      if (event % 2 === 0) count(first, 1, 1);
    }
    count(second, 0, 1);
    const values = (): (number | undefined)[] => [kernel.doubles[base], kernel.doubles[base + 1]];
    expect(values()).toEqual([2, 1]);
    expect(calls.pairBytesOf(address)).toBeGreaterThan(tableBytes);
    // About the middle, where a count goes up and down around what carries.
    for (let swing = 0; swing < 100_000; swing++) count(first, 0, Math.floor(swing / 50_000) === 0 ? -1 : 1);
    for (let event = 1; event < EVENTS; event++) count(first, 0, -1);
    count(second, 0, -1);
    expect(values()).toEqual([1, 1]);
    count(first, 0, -1);
    expect(values()).toEqual([0, 1]);
    for (let event = 0; event < EVENTS / 2; event++) count(first, 1, -1);
    expect([...values(), calls.pairsOf(address), calls.uncountedOf(address)]).toEqual([0, 0, 0, 0]);
    // What a sample leaves behind may be as much.
    expect(calls.setPair(address, key, first, 0, EVENTS)).toBe(1);
    kernel.doubles[base] = 1;
    for (let event = 1; event < EVENTS; event++) count(first, 0, -1);
    expect([...values(), calls.pairsOf(address)]).toEqual([1, 0, 1]);
    count(first, 0, -1);
    expect([...values(), calls.pairsOf(address)]).toEqual([0, 0, 0]);
  });
});
