import { describe, expect, it } from 'vitest';
import { murmur3OfPair } from '../tables/murmur3.ts';
import { DistinctSamples } from './distinctSamples.ts';
import { EVENT_NUMBERS } from './eventNumbers.ts';
import { PairStream } from './testing/pairStream.ts';

const MAX_VALUES = 256;
const WINDOW_MS = 10_000;
/** What errors are told in. */
const UNIT = 1 / Math.sqrt(MAX_VALUES);
/** Of a sample that is three eighths full, the emptiest that a number which is steady can have. */
const GREATEST_ERROR = Math.sqrt(8 / 3);
/** Beyond so many standard errors lies one value in a thousand. */
const ONE_IN_A_THOUSAND = 3.29;

/** The mean, and the root of the mean square. */
function spreadOf(errors: readonly number[]): { readonly mean: number; readonly error: number } {
  let [sum, squares] = [0, 0];
  for (const error of errors) {
    sum += error;
    squares += error * error;
  }
  return { mean: sum / errors.length, error: Math.sqrt(squares / errors.length) };
}

function shareBeyond(errors: readonly number[], limit: number): number {
  return errors.filter((error) => Math.abs(error) > limit).length / errors.length;
}

/** As spread as slots may be, and others for each seed. */
function valueOf(index: number, seed: number): number {
  return murmur3OfPair(index, seed) >>> 8;
}

describe('the samples of distinct', () => {
  it.each([
    [300, 0.92],
    [700, 1.05],
    [1_500, 1.09],
    [10_000, 1.25],
  ])('estimate %i values without bias, with a standard error of %d / sqrt(bound)', (values, standardError) => {
    const trials = 500;
    const event = new Float64Array(EVENT_NUMBERS);
    const out = new Float64Array(1);
    const samples = new DistinctSamples(MAX_VALUES, 1);
    const errors = Array.from({ length: trials }, (_, key) => {
      const reference = samples.begin(key, 0, WINDOW_MS);
      for (let index = 0; index < values; index++) samples.count(reference, valueOf(index, 7), 1, event);
      samples.writeNumber(reference, event, out, 0);
      samples.free(reference);
      return (out[0]! / values - 1) / UNIT;
    });
    const { mean, error } = spreadOf(errors);
    expect(Math.abs(mean)).toBeLessThan((ONE_IN_A_THOUSAND * error) / Math.sqrt(trials));
    expect(error).toBeCloseTo(standardError, 1);
    expect(shareBeyond(errors, ONE_IN_A_THOUSAND * error)).toBeLessThanOrEqual(0.005);
    expect(shareBeyond(errors, ONE_IN_A_THOUSAND * GREATEST_ERROR)).toBe(0);
  });

  it('estimate a number that rises, stays and falls within the stated error; two windows after its fall it is exact', () => {
    const errors: Record<'rising' | 'steady' | 'falling', number[]> = { rising: [], steady: [], falling: [] };
    const seeds = 20;
    for (let seed = 0; seed < seeds; seed++) {
      const stream = new PairStream(1, [WINDOW_MS], [MAX_VALUES, 1]);
      let events = 0;
      const play = (perWindow: number, windows: number, note: (told: number, actual: number) => void): void => {
        const startMs = stream.timeMs + 1;
        for (let index = 0; index < perWindow * windows; index++) {
          const timeMs = startMs + Math.floor((index * WINDOW_MS) / perWindow);
          stream.add({ key: 0, value: valueOf(events++, seed), timeMs, holds: [true] });
          if (index % Math.ceil(perWindow / 8) === 0) note(stream.told(0, 0), stream.actual(0, 0));
        }
      };
      // By the greatest number of the last three windows, which the sample may still be made for.
      const record = (phase: keyof typeof errors, greatest: number) => (told: number, actual: number) => {
        errors[phase].push((told - actual) / Math.sqrt(actual * Math.max(actual, greatest)) / UNIT);
      };
      play(3_000, 1, record('rising', 0));
      play(3_000, 2, record('steady', 3_000));
      play(400, 3, record('falling', 3_000));
      play(400, 2, record('steady', 400));
      play(100, 3, record('falling', 400));
      play(100, 1, (told, actual) => {
        expect(told).toBe(actual);
      });
    }
    for (const phase of Object.values(errors)) {
      const { mean, error } = spreadOf(phase);
      expect(error).toBeLessThan(GREATEST_ERROR);
      expect(Math.abs(mean)).toBeLessThan((ONE_IN_A_THOUSAND * error) / Math.sqrt(seeds));
      expect(shareBeyond(phase, ONE_IN_A_THOUSAND * GREATEST_ERROR)).toBeLessThanOrEqual(0.001);
    }
  });
});
