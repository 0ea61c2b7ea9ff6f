import { describe, expect, it } from 'vitest';
import { bareTransaction } from '../cel/bareContext.ts';
import type { EntityName, FeatureDefinition } from '../definitions.ts';
import { murmur3 } from '../tables/murmur3.ts';
import { compileCatalogue, type CompiledCatalogue } from './catalogue.ts';
import { createFeatureState } from './createFeatureState.ts';
import { defaultLimits, type FeatureState } from './featureState.ts';
import { estimateState, type ExpectedLoad } from './stateEstimate.ts';
import { totalBytes } from './stateMemory.ts';
import type { StateContents } from './stateSurvey.ts';

const START_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const ACCOUNTS = 50_000;
const MERCHANTS = 2_000;
const PAYMENTS_PER_ACCOUNT = 3;

function catalogueOf(features: readonly Omit<FeatureDefinition, 'name'>[]): CompiledCatalogue {
  const named = features.map((feature, index) => ({ ...feature, name: `f${index}` }));
  const compiled = compileCatalogue(named, HOUR_MS / 6);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

function featuresOf(entity: readonly EntityName[], distinct: string): Omit<FeatureDefinition, 'name'>[] {
  const amounts = ['sum', 'avg', 'std', 'min', 'max'] as const;
  return [HOUR_MS / 4, HOUR_MS].flatMap((windowMs) => [
    { aggregate: 'count' as const, entity, windowMs },
    ...amounts.map((aggregate) => ({ aggregate, entity, windowMs, of: 'amountMinor' })),
    { aggregate: 'distinct' as const, entity, windowMs, of: distinct },
    { aggregate: 'timeSince' as const, entity, windowMs, where: "tx.type == 'refund'" },
  ]);
}

/** Every account pays three times within the longest window, each time at another merchant. */
function fill(state: FeatureState): void {
  const payments = ACCOUNTS * PAYMENTS_PER_ACCOUNT;
  const out = new Float64Array(state.catalogue.names.length);
  for (let index = 0; index < payments; index++) {
    const account = (index * 7_919) % ACCOUNTS;
    const merchant = (account * 31 + Math.floor(index / ACCOUNTS) * 577) % MERCHANTS;
    const tx = {
      ...bareTransaction,
      eventTimeMs: START_MS + Math.floor((index * (HOUR_MS - 1)) / payments),
      amountMinor: (murmur3(Int32Array.of(index), 0, 1) >>> 12) + 1,
      account: `account-${String(account).padStart(8, '0')}`,
      merchant: `merchant-${String(merchant).padStart(7, '0')}`,
    };
    state.addTransaction(tx, index, out, 0);
  }
}

function contentsOf(state: FeatureState): StateContents {
  const survey = state.survey();
  while (survey.step());
  return survey.contents();
}

const load: ExpectedLoad = {
  paymentsPerSecond: (ACCOUNTS * PAYMENTS_PER_ACCOUNT * 1_000) / HOUR_MS,
  keys: ACCOUNTS,
  keysOf: new Map([['merchant', MERCHANTS]]),
  charactersOf: () => 16,
  valuesPerKey: PAYMENTS_PER_ACCOUNT,
  knownShare: 0,
};

describe('the estimate of a feature state', () => {
  it('is within 10% of what the state then takes, in all and part by part', () => {
    const catalogue = catalogueOf([
      ...featuresOf(['account'], 'merchant'),
      ...featuresOf(['merchant'], 'account'),
      ...featuresOf(['account', 'merchant'], 'country').filter(({ aggregate }) => aggregate !== 'distinct'),
      { aggregate: 'count', entity: ['merchant'], windowMs: HOUR_MS, where: "label == 'fraud'" },
      { aggregate: 'topShare', entity: ['account'], windowMs: HOUR_MS, of: 'merchant' },
      { aggregate: 'first', entity: ['account'], windowMs: HOUR_MS, of: 'amountMinor' },
      { aggregate: 'last', entity: ['account'], windowMs: HOUR_MS, of: 'attributes.battery' },
      { aggregate: 'geoVelocity', entity: ['account'], windowMs: HOUR_MS },
      { aggregate: 'hourDeviation', entity: ['merchant'], windowMs: HOUR_MS },
    ]);
    const state = createFeatureState(catalogue);
    fill(state);
    const actual = contentsOf(state);
    const estimate = estimateState(catalogue, load).contents;

    expect(state.statistics().bytes).toBe(totalBytes(actual.memory));
    expectClose(totalBytes(estimate.memory), totalBytes(actual.memory));
    expectClose(estimate.memory.candidates.bytes, actual.memory.candidates.bytes);
    expectClose(estimate.memory.events.bytes, actual.memory.events.bytes);
    expectClose(estimate.memory.events.storedBytes, actual.memory.events.storedBytes);
    for (const [column, { entity, keys, rowBytes, indexBytes, keyBytes }] of actual.memory.keys.entries()) {
      const estimated = estimate.memory.keys[column]!;
      expect([estimated.entity, estimated.keys, estimated.rowBytes]).toEqual([entity, keys, rowBytes]);
      expectClose(estimated.indexBytes, indexBytes);
      expectClose(estimated.keyBytes, keyBytes);
    }
    for (const [index, { entity, of, pairs, bytes }] of actual.memory.pairs.entries()) {
      const estimated = estimate.memory.pairs[index]!;
      expect([estimated.entity, estimated.of, estimated.pairs]).toEqual([entity, of, pairs]);
      expectClose(estimated.bytes, bytes);
    }
    for (const [index, { feature, entity, rowBytesPerKey, bytes, isShared }] of actual.features.entries()) {
      expect(estimate.features[index]).toMatchObject({ feature, entity, rowBytesPerKey, isShared });
      expectClose(estimate.features[index]!.bytes, bytes);
    }
  });

  it('holds no more keys than payments fall into their windows, nor more combinations than there are', () => {
    const catalogue = catalogueOf([
      { aggregate: 'count', entity: ['account'], windowMs: 60_000 },
      { aggregate: 'distinct', of: 'country', entity: ['merchant'], windowMs: HOUR_MS },
      { aggregate: 'count', entity: ['merchant', 'terminal'], windowMs: HOUR_MS },
    ]);
    const keysOf = new Map([
      ['merchant', 7],
      ['terminal', 3],
    ]);
    const { memory } = estimateState(catalogue, { ...load, paymentsPerSecond: 10, keysOf }).contents;
    const keys = Object.fromEntries(memory.keys.map(({ entity, keys }) => [entity, keys]));
    expect(keys).toEqual({ account: 600, merchant: 7, country: 250, terminal: 3, 'merchant+terminal': 21 });
    expect(memory.pairs).toMatchObject([{ entity: 'merchant', of: 'country', pairs: 750 }]);
  });

  it('says which keys and values will find no room', () => {
    const catalogue = catalogueOf([{ aggregate: 'distinct', of: 'account', entity: ['merchant'], windowMs: HOUR_MS }]);
    const limits = { ...defaultLimits, maxKeysPerEntity: 1_000, maxDistinctPerKey: 2 };
    const { contents, excess } = estimateState(catalogue, load, limits);
    expect(contents.memory).toMatchObject({ keys: [{ keys: 1_000 }, { keys: 1_000 }], pairs: [{ pairs: 2_000 }] });
    expect(excess).toEqual([
      { entity: 'merchant', of: null, expected: MERCHANTS, limit: 1_000 },
      { entity: 'account', of: null, expected: ACCOUNTS, limit: 1_000 },
      { entity: 'merchant', of: 'account', expected: PAYMENTS_PER_ACCOUNT, limit: 2 },
    ]);
  });

  it('knows the samples of keys that have too many values', () => {
    const distinct = { aggregate: 'distinct', of: 'account', entity: ['merchant'] } as const;
    const catalogue = catalogueOf([
      { ...distinct, windowMs: HOUR_MS },
      { ...distinct, windowMs: HOUR_MS / 4 },
    ]);
    const limits = { ...defaultLimits, maxDistinctPerKey: 8 };
    const state = createFeatureState(catalogue, limits);
    fill(state);
    const [actual] = contentsOf(state).memory.pairs;
    const [estimated] = estimateState(catalogue, load, limits).contents.memory.pairs;
    expectClose(estimated!.pairs, actual!.pairs);
    expectClose(estimated!.bytes, actual!.bytes);
    expect(state.statistics().estimatedDistincts).toBeGreaterThanOrEqual(MERCHANTS);
  });

  it('is nothing but the tables themselves for a catalogue that keeps nothing', () => {
    const catalogue = catalogueOf([{ aggregate: 'expression', expression: '1.0' }]);
    const { memory, features } = estimateState(catalogue, load).contents;
    expect(memory).toMatchObject({
      keys: [],
      pairs: [],
      candidates: { bytes: 0 },
      events: { held: 0, storedBytes: 0 },
    });
    expect(features).toEqual([{ feature: 'f0', entity: null, rowBytesPerKey: 0, bytes: 0, isShared: false }]);
  });
});

function expectClose(estimated: number, actual: number): void {
  expect(Math.abs(estimated - actual)).toBeLessThanOrEqual(0.1 * actual);
}
