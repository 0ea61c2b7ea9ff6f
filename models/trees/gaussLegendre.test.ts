import { describe, expect, it } from 'vitest';
import { gaussLegendre } from './gaussLegendre.ts';

describe('Gauss-Legendre quadrature', () => {
  it.each([1, 2, 3, 6, 9, 18, 33])('with %i points integrates every power up to its degree', (count) => {
    const { points, weights } = gaussLegendre(count);
    for (let power = 0; power < 2 * count; power++) {
      const integral = points.reduce((sum, point, index) => sum + (weights[index] ?? NaN) * point ** power, 0);
      expect(Math.abs(integral - 1 / (power + 1))).toBeLessThan(1e-14);
    }
    expect(points.every((point, index) => point > 0 && point < 1 && point > (points[index - 1] ?? 0))).toBe(true);
  });

  it('has the three points of the textbook', () => {
    const { points, weights } = gaussLegendre(3);
    const distance = Math.sqrt(3 / 5) / 2;
    [0.5 - distance, 0.5, 0.5 + distance].forEach((point, index) => {
      expect(points[index]).toBeCloseTo(point, 15);
    });
    [5 / 18, 8 / 18, 5 / 18].forEach((weight, index) => {
      expect(weights[index]).toBeCloseTo(weight, 15);
    });
  });
});
