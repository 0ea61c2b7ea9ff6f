import { describe, expect, it } from 'vitest';
import { bareTransaction } from '../cel/bareContext.ts';
import type { FeatureDefinition } from '../definitions.ts';
import { compileCatalogue } from './catalogue.ts';
import { createFeatureState } from './createFeatureState.ts';
import type { FeatureState } from './featureState.ts';
import { HOTTEST_KEYS, type StateContents } from './stateSurvey.ts';

const START_MS = 1_700_000_000_000;
const of = 'amountMinor';
const account = { entity: ['account' as const], windowMs: 60_000 };

function stateOf(features: readonly FeatureDefinition[]): {
  readonly state: FeatureState;
  readonly pay: (atMs: number, account: string, merchant: string | null, amountMinor: number) => void;
} {
  const compiled = compileCatalogue(features, 0);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const state = createFeatureState(compiled.value);
  const out = new Float64Array(features.length);
  let offset = 0;
  const pay = (atMs: number, account: string, merchant: string | null, amountMinor: number): void => {
    const tx = { ...bareTransaction, eventTimeMs: START_MS + atMs, account, merchant, amountMinor };
    state.addTransaction(tx, offset++, out, 0);
  };
  return { state, pay };
}

function contentsOf(state: FeatureState): StateContents {
  const survey = state.survey();
  while (survey.step());
  return survey.contents();
}

describe('a survey of the feature state', () => {
  it('names the keys with the most events, and none that has gone', () => {
    const { state, pay } = stateOf([
      { name: 'a', aggregate: 'count', ...account },
      { name: 'b', aggregate: 'count', ...account, entity: ['account', 'merchant'] },
    ]);
    // These leave their rows free: what such a row has in place of its events is the number of another.
    for (let key = 0; key < 3_000; key++) pay(0, `gone-${key}`, null, 1);
    for (let key = 0; key < 2_500; key++) pay(100_000, `key-${key}`, 'shop', 1);
    for (let key = 0; key < 20; key++)
      for (let again = 0; again < key; again++) pay(100_001, `key-${key * 100}`, key > 18 ? 'mall' : 'shop', 1);
    const { hottest } = contentsOf(state);
    expect(hottest.map(({ entity, keys }) => [entity, keys.length])).toEqual([
      ['account', HOTTEST_KEYS],
      ['merchant', 2],
      ['account+merchant', HOTTEST_KEYS],
    ]);
    expect(hottest[0]?.keys.slice(0, 2)).toEqual([
      { texts: ['key-1900'], events: 20 },
      { texts: ['key-1800'], events: 19 },
    ]);
    expect(hottest[1]?.keys).toEqual([
      { texts: ['shop'], events: 2_500 + 171 },
      { texts: ['mall'], events: 19 },
    ]);
    expect(hottest[2]?.keys.slice(0, 2)).toEqual([
      { texts: ['key-1800', 'shop'], events: 19 },
      { texts: ['key-1900', 'mall'], events: 19 },
    ]);
  });

  it('divides rows, pairs and candidates among the features that read them', () => {
    const { state, pay } = stateOf([
      { name: 'sum', aggregate: 'sum', of, ...account },
      { name: 'average', aggregate: 'avg', of, ...account },
      { name: 'longer', aggregate: 'count', ...account, windowMs: 70_000 },
      { name: 'greatest', aggregate: 'max', of, ...account },
      { name: 'greatest_longer', aggregate: 'max', of, ...account, windowMs: 70_000 },
      { name: 'least', aggregate: 'min', of, ...account },
      { name: 'shops', aggregate: 'distinct', of: 'merchant', ...account },
      { name: 'twice', aggregate: 'expression', expression: 'f.sum * 2.0' },
    ]);
    // Falling amounts: the greatest is followed by nine candidates, the least by none. A list that its key outlives is in no row.
    for (let amount = 10; amount > 0; amount--) pay(10 - amount, 'a', 'shop', amount);
    const { memory, features } = contentsOf(state);
    const share = Object.fromEntries(features.map(({ feature, ...rest }) => [feature, rest]));
    expect(features.map(({ rowBytesPerKey, isShared }) => [rowBytesPerKey, isShared])).toEqual([
      [12, true],
      [12, true],
      [8, false],
      [36, true],
      [36, true],
      [8, false],
      [8, false],
      [0, false],
    ]);
    const perRowByte = (share['longer']?.bytes ?? 0) / 8;
    // Blocks of 16 and of 4.
    const blocks = (name: string, rowBytes: number): number => (share[name]?.bytes ?? 0) - rowBytes * perRowByte;
    expect(blocks('greatest', 36)).toBeCloseTo((memory.candidates.bytes * 16) / 20 / 2, 5);
    expect(blocks('greatest_longer', 36)).toBeCloseTo((memory.candidates.bytes * 16) / 20 / 2, 5);
    expect(blocks('least', 8)).toBeCloseTo((memory.candidates.bytes * 4) / 20, 5);
    expect((share['shops']?.bytes ?? 0) - 8 * perRowByte).toBeCloseTo(memory.pairs[0]?.bytes ?? 0, 5);
    // Of a row's 8 doubles the number of events is of no feature; no feature reads merchant's rows.
    const accounts = memory.keys[0]?.rowBytes ?? 0;
    const shared = features.reduce((sum, { bytes }) => sum + bytes, 0);
    const rows = shared - memory.candidates.bytes - (memory.pairs[0]?.bytes ?? 0);
    expect(accounts - rows).toBeCloseTo(8 * perRowByte, 5);
  });

  it('goes on while keys come', () => {
    const { state, pay } = stateOf([{ name: 'a', aggregate: 'count', ...account }]);
    for (let key = 0; key < 1_500; key++) pay(0, `key-${key}`, null, 1);
    const survey = state.survey();
    expect(survey.step()).toBe(true);
    for (let key = 1_500; key < 3_000; key++) pay(1, `key-${key}`, null, 1);
    pay(2, 'key-2900', null, 1);
    let steps = 1;
    while (survey.step()) steps += 1;
    expect(steps).toBe(2);
    expect(survey.contents().hottest[0]?.keys[0]).toEqual({ texts: ['key-2900'], events: 2 });
  });
});
