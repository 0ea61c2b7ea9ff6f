import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../schemas/types.ts';
import { bareTransaction } from '../cel/bareContext.ts';
import type { FeatureDefinition } from '../definitions.ts';
import { compileCatalogue } from './catalogue.ts';
import { createFeatureState } from './createFeatureState.ts';
import type { FeatureLimits, FeatureState } from './featureState.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

type Payment = Partial<Transaction> & { readonly atMs: number };

/** Of features f0, f1 and so on, by account and of 10 minutes unless told. */
function stateOf(features: readonly Omit<FeatureDefinition, 'name'>[], limits: Partial<FeatureLimits> = {}) {
  const definitions = features.map((feature, index): FeatureDefinition => {
    const window = feature.aggregate === 'ratio' ? {} : { entity: ['account' as const], windowMs: 10 * MINUTE_MS };
    return { ...window, ...feature, name: `f${index}` };
  });
  const compiled = compileCatalogue(definitions, 5 * MINUTE_MS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return createFeatureState(compiled.value, limits);
}

/** What the features of account a are as its payments come, one row a payment. */
function play(state: FeatureState, payments: readonly Payment[]): number[][] {
  return payments.map(({ atMs, ...fields }, offset) => {
    const out = new Float64Array(state.catalogue.names.length);
    const tx = { ...bareTransaction, account: 'a', ...fields, eventTimeMs: START_MS + atMs };
    state.addTransaction(tx, offset, out, 0);
    return [...out];
  });
}

function valuesOf(features: readonly Omit<FeatureDefinition, 'name'>[], payments: readonly Payment[]): number[][] {
  return play(stateOf(features), payments);
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

describe('topShare', () => {
  const feature = { aggregate: 'topShare', of: 'country' } as const;
  const paymentsOf = (countries: readonly (string | null)[]) => countries.map((country, atMs) => ({ atMs, country }));

  it('is the share of the most common value, also when that is another one than before', () => {
    const payments = [
      ...paymentsOf(['CN', 'SG', null, 'SG', 'CN', 'CN']),
      // SG at 3 ms, CN at 4 and 5 ms and itself are left; then only the last two.
      { atMs: 10 * MINUTE_MS + 2, country: 'SG' },
      { atMs: 20 * MINUTE_MS, country: 'GB' },
    ];
    expect(valuesOf([feature], payments).flat()).toEqual([1, 1 / 2, 1 / 2, 2 / 3, 2 / 4, 3 / 5, 2 / 4, 1 / 2]);
  });

  it('leaves out, and counts, values beyond the bound; their events still count among all', () => {
    const state = stateOf([feature], { maxDistinctPerKey: 1 });
    const payments = [...paymentsOf(['CN', 'SG', 'SG']), { atMs: 10 * MINUTE_MS, country: 'SG' }];
    // SG has room again once CN has left, but the two that came before stay uncounted.
    expect(play(state, payments).flat()).toEqual([1, 1 / 2, 1 / 3, 1 / 3]);
    expect(state.statistics().uncountedValues).toBe(2);
  });
});

describe('hourDeviation', () => {
  const hourly = (hours: readonly number[]) => hours.map((hour) => ({ atMs: hour * 60 * MINUTE_MS }));
  const feature = { aggregate: 'hourDeviation', windowMs: 48 * 60 * MINUTE_MS, entity: ['account'] } as const;

  it('nears 1 away from the hours of the payments before, and 0 at them; an hour beside is near, over midnight too', () => {
    const values = valuesOf([feature], hourly([9, 9, 10, 21, 32, 33, 46, 47])).flat();
    // 9, 9, 10, 21, 8, 9, 22 and 23 o'clock.
    const away = [NaN, 0, 0, 3, 2, 1, 5, 6];
    expect(values).toEqual(away.map((count, events) => (8 * count + 7) / (8 * (events + 1))));
    expect(valuesOf([feature], hourly([23, 24])).flat()[1]).toBe(7 / 16);
  });
});

describe('first and last', () => {
  const first = { aggregate: 'first', of: 'amountMinor' } as const;
  const last = { aggregate: 'last', of: 'amountMinor' } as const;

  it('are of the oldest and the newest payment before, by time and then by ledger', () => {
    const payments = [
      { atMs: 5, amountMinor: 50 },
      { atMs: 5, amountMinor: 51 },
      // Late: the oldest, and never the newest.
      { atMs: 1, amountMinor: 10 },
      { atMs: 9, amountMinor: 90 },
      // The payment at 1 ms has left, then all have.
      { atMs: 10 * MINUTE_MS + 1, amountMinor: 100 },
      { atMs: 30 * MINUTE_MS, amountMinor: 300 },
    ];
    expect(valuesOf([first, last], payments)).toEqual([
      [NaN, NaN],
      [50, 50],
      [50, 51],
      [10, 51],
      [50, 90],
      [NaN, NaN],
    ]);
  });

  it('leave out payments without the number', () => {
    const of = 'attributes.battery';
    const payments = [
      { atMs: 0, attributes: { battery: 0.25 } },
      { atMs: 1, attributes: { battery: 'full' } },
      { atMs: 2, attributes: { battery: -7.5 } },
      { atMs: 3 },
      { atMs: 4 },
    ];
    const values = valuesOf(
      [
        { ...first, of },
        { ...last, of, whenEmpty: 0 },
      ],
      payments,
    );
    expect(values.slice(0, 1)).toEqual([[NaN, 0]]);
    expect(values.slice(3)).toEqual([
      [0.25, -7.5],
      [0.25, -7.5],
    ]);
  });

  it('of a window with more payments than the bound, first is of a later one, and that is counted', () => {
    const state = stateOf([first], { maxCandidatesPerKey: 2 });
    const payments = [1, 2, 3].map((amountMinor, atMs) => ({ atMs, amountMinor }));
    expect(play(state, payments).flat()).toEqual([NaN, 1, 1]);
    expect(state.statistics().droppedCandidates).toBe(1);
    // 2 made way for 3.
    expect(play(state, [{ atMs: 10 * MINUTE_MS }]).flat()).toEqual([3]);
  });
});

describe('geoVelocity', () => {
  const shanghai = { latitude: 31.2304, longitude: 121.4737 };
  const london = { latitude: 51.5074, longitude: -0.1278 };

  it('is the speed from the newest payment with coordinates, in km/h; undefined without', () => {
    const payments = [
      { atMs: 0, attributes: shanghai },
      { atMs: MINUTE_MS },
      { atMs: 6 * MINUTE_MS, attributes: london },
      { atMs: 6 * MINUTE_MS, attributes: london },
      { atMs: 7 * MINUTE_MS, attributes: { ...london, latitude: 90.1 } },
      // Late by 3 minutes: London is 3 minutes ahead of it.
      { atMs: 4 * MINUTE_MS, attributes: shanghai },
      { atMs: 30 * MINUTE_MS, attributes: shanghai },
    ];
    const km = 9_196.7507;
    const values = valuesOf([{ aggregate: 'geoVelocity' }], payments).flat();
    const expected = [NaN, NaN, km * 10, 0, NaN, km * 30, NaN];
    expect(values.map(Math.round)).toEqual(expected.map(Math.round));
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
