import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeGeoVelocity } from './geoVelocity.ts';
import { arcsine, cosineOfDegrees, sineOfDegrees } from './trigonometry.ts';

const RELATIVE_ERROR = 1e-12;
const RUNS = { numRuns: 20_000 };
const RADIANS = Math.PI / 180;

function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(RELATIVE_ERROR * Math.abs(expected));
}

const within = (greatest: number) => fc.double({ min: -greatest, max: greatest, noNaN: true });

describe('sine, cosine and arcsine by polynomials', () => {
  it('are those of Math', () => {
    fc.assert(
      fc.property(within(179), (degrees) => {
        expectClose(sineOfDegrees(degrees), Math.sin(degrees * RADIANS));
      }),
      RUNS,
    );
    fc.assert(
      fc.property(within(89), (degrees) => {
        expectClose(cosineOfDegrees(degrees), Math.cos(degrees * RADIANS));
      }),
      RUNS,
    );
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (x) => {
        expectClose(arcsine(x), Math.asin(x));
      }),
      RUNS,
    );
  });

  it('are exact where degrees are: Math.sin of pi is not 0', () => {
    expect([0, 90, 180, -180, -90].map(sineOfDegrees)).toEqual([0, 1, 0, -0, -1]);
    expect([0, 90, -90].map(cosineOfDegrees)).toEqual([1, 0, 0]);
    expect([0, 1].map(arcsine)).toEqual([0, Math.PI / 2]);
  });

  it('are these doubles, on every Node', () => {
    const values = [
      sineOfDegrees(31.2304),
      sineOfDegrees(121.4737),
      cosineOfDegrees(51.5074),
      arcsine(0.3),
      arcsine(0.7),
    ];
    expect(values).toEqual([
      0.5184807756839587, 0.8528799126433388, 0.6224135541865977, 0.3046926540153975, 0.775397496610753,
    ]);
  });
});

describe('the speed between two places', () => {
  const speed = (from: readonly [number, number], to: readonly [number, number], timeMs: number): number => {
    const out = new Float64Array(1);
    writeGeoVelocity(from[0], from[1], to[0], to[1], timeMs, out, 0);
    return out[0] ?? Number.NaN;
  };

  it('is distance over time, in km/h, over the date line and whichever way time runs', () => {
    // A degree of a meridian is 2 pi R / 360 = 111.195 km.
    expect(speed([0, 0], [1, 0], 3_600_000)).toBeCloseTo(111.195, 3);
    expect(speed([0, 179.5], [0, -179.5], 3_600_000)).toBeCloseTo(111.195, 3);
    expect(speed([0, 0], [1, 0], -1_800_000)).toBeCloseTo(222.39, 2);
    expect(speed([90, 0], [-90, 77], 3_600_000)).toBeCloseTo(Math.PI * 6_371.0088, 6);
    // Shanghai to London, as the cosine rule has it too.
    expect(speed([31.2304, 121.4737], [51.5074, -0.1278], 3_600_000)).toBeCloseTo(9_196.7507, 4);
  });

  it('is 0 for one place, and counts less than a second as a second', () => {
    expect(speed([31.2304, 121.4737], [31.2304, 121.4737], 0)).toBe(0);
    expect(speed([0, 0], [1, 0], 0)).toBe(speed([0, 0], [1, 0], 1_000));
  });
});
