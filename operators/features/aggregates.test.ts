import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../schemas/types.ts';
import { bareTransaction } from '../cel/bareContext.ts';
import type { FeatureDefinition } from '../definitions.ts';
import { compileCatalogue } from './catalogue.ts';
import { createFeatureState } from './createFeatureState.ts';
import type { FeatureLimits } from './featureState.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

/** What the features of account a are as its payments come, one row a payment. Windows are 10 minutes unless told. */
function valuesOf(
  features: readonly Omit<FeatureDefinition, 'name'>[],
  payments: readonly (Partial<Transaction> & { readonly atMs: number })[],
  limits: Partial<FeatureLimits> = {},
): number[][] {
  const definitions = features.map((feature, index): FeatureDefinition => {
    const window = feature.aggregate === 'ratio' ? {} : { entity: ['account' as const], windowMs: 10 * MINUTE_MS };
    return { ...window, ...feature, name: `f${index}` };
  });
  const compiled = compileCatalogue(definitions, 5 * MINUTE_MS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const state = createFeatureState(compiled.value, limits);
  return payments.map(({ atMs, ...fields }, offset) => {
    const out = new Float64Array(definitions.length);
    const tx = { ...bareTransaction, account: 'a', ...fields, eventTimeMs: START_MS + atMs };
    state.addTransaction(tx, offset, out, 0);
    return [...out];
  });
}

describe('seenBefore', () => {
  const feature = { aggregate: 'seenBefore', of: 'country' } as const;

  it('is 1 from the second time within the window on, 0 for what is new, undefined without a value', () => {
    const payments = [
      { atMs: 0, country: 'CN' },
      { atMs: 1, country: 'SG' },
      { atMs: 2, country: 'CN' },
      { atMs: 3, country: null },
      { atMs: 4, country: 'CN', account: 'b' },
      // The payment at 2 ms has just left.
      { atMs: 10 * MINUTE_MS + 2, country: 'CN' },
    ];
    expect(valuesOf([feature], payments).flat()).toEqual([0, 0, 1, NaN, 0, 0]);
  });

  it('sees only what where admits', () => {
    const payments = [
      { atMs: 0, country: 'CN', amountMinor: 1 },
      { atMs: 1, country: 'CN', amountMinor: 9 },
      { atMs: 2, country: 'CN', amountMinor: 1 },
    ];
    expect(valuesOf([{ ...feature, where: 'tx.amountMinor > 5' }], payments).flat()).toEqual([0, 0, 1]);
  });
});

describe('zScore', () => {
  it('is the distance from the mean of the payments before, in standard deviations', () => {
    const amounts = [10, 20, 15, 15, 40];
    const payments = amounts.map((amountMinor, atMs) => ({ atMs, amountMinor }));
    // With one payment there is no spread. Of 10, 20, 15, 15 the mean is 15 and the variance 12.5.
    const expected = [-1, -1, 0, 0, 25 / Math.sqrt(12.5)];
    const values = valuesOf([{ aggregate: 'zScore', of: 'amountMinor', whenEmpty: -1 }], payments).flat();
    for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index] ?? NaN, 14);
  });

  it('is exact for huge amounts that are nearly alike', () => {
    const payments = Array.from({ length: 10_001 }, (_, atMs) => ({ atMs, amountMinor: 1e12 - (atMs % 2) }));
    const values = valuesOf([{ aggregate: 'zScore', of: 'amountMinor' }], payments).flat();
    // 5,000 of each before the last, which is the greater.
    expect(values.at(-1)).toBe(1);
    expect(values[0]).toBeNaN();
  });
});

describe('ratio', () => {
  it('divides one feature by another, and is empty where that is 0 or undefined', () => {
    const features = [
      { aggregate: 'count', where: 'tx.amountMinor > 5' },
      { aggregate: 'count', includeCurrent: false },
      { aggregate: 'avg', of: 'amountMinor', includeCurrent: false },
      { aggregate: 'ratio', numerator: 'f0', denominator: 'f1' },
      { aggregate: 'ratio', numerator: 'f1', denominator: 'f2', whenEmpty: -1 },
    ] as const;
    const payments = [3, 9, 9].map((amountMinor, atMs) => ({ atMs, amountMinor }));
    expect(valuesOf(features, payments)).toEqual([
      [0, 0, NaN, NaN, -1],
      [1, 1, 3, 1, 1 / 3],
      [2, 2, 6, 1, 2 / 6],
    ]);
  });
});
