import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';
import { WeightedChoice } from './weightedChoice.ts';

const DRAWS = 20_000;

function draw(make: (random: Random) => number): readonly number[] {
  const random = new Random(42, 'test');
  return Array.from({ length: DRAWS }, () => make(random));
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

describe('Random', () => {
  it('repeats itself for the same seed, and tells the parts of a seed apart', () => {
    const first = (...seed: (number | string)[]): number => new Random(...seed).next();
    expect(first(1, 'a')).toBe(first(1, 'a'));
    expect(new Set([first(1, 'a'), first(1, 'b'), first(2, 'a'), first('1', 'a'), first('1a')]).size).toBe(5);
  });

  it('draws from the distributions it names', () => {
    const uniform = draw((random) => random.next());
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(new Set(draw((random) => random.integer(3, 6)))).toEqual(new Set([3, 4, 5, 6]));
    expect(mean(draw((random) => random.exponential(4)))).toBeCloseTo(4, 0);
    const normal = draw((random) => random.normal());
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((number) => number ** 2))).toBeCloseTo(1, 1);
    const logNormal = draw((random) => random.logNormal(100, 1)).toSorted((left, right) => left - right);
    expect(Math.abs((logNormal[DRAWS / 2] ?? 0) - 100)).toBeLessThan(5);
  });

  it('picks by weight, and never what has none', () => {
    const choice = new WeightedChoice([0, 1, 0, 3, 0]);
    const picked = draw((random) => choice.pick(random));
    expect(new Set(picked)).toEqual(new Set([1, 3]));
    expect(picked.filter((index) => index === 3).length / DRAWS).toBeCloseTo(0.75, 1);
    expect(() => new WeightedChoice([0, 0])).toThrow('positive total weight');
  });
});
