import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

describe('A length of time', () => {
  it.each([
    ['100ms', 100],
    ['10s', 10_000],
    ['10m', 600_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['0s', 0],
    ['0.001s', 1],
  ])('%s is %d ms', (text, expectedMs) => {
    expect(parseDuration(text)).toBe(expectedMs);
  });

  it.each(['', '10', '10 m', 'm', '-1s', '1e3s', '10mm', '0.5ms', '99999999999999d', '10M'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('is a whole number of milliseconds or nothing, whatever is written', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.constantFrom('ms', 's', 'm', 'h', 'd'),
        (n, unit) => {
          const durationMs = parseDuration(`${n.toFixed(2)}${unit}`);
          expect(durationMs === undefined || Number.isSafeInteger(durationMs)).toBe(true);
        },
      ),
    );
  });
});
