import { describe, expect, it } from 'vitest';
import type { OutcomeKind } from '../../schemas/types.ts';
import { bareTransaction } from '../cel/bareContext.ts';
import type { FeatureDefinition } from '../definitions.ts';
import { compileCatalogue } from './catalogue.ts';
import { createFeatureState } from './createFeatureState.ts';
import type { FeatureLimits } from './featureState.ts';

const START_MS = 1_700_000_000_000;

function stateOf(features: readonly Omit<FeatureDefinition, 'entity' | 'windowMs'>[], limits: Partial<FeatureLimits>) {
  const definitions = features.map((feature) => ({ entity: ['account' as const], windowMs: 60_000, ...feature }));
  const compiled = compileCatalogue(definitions, 5_000);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const state = createFeatureState(compiled.value, limits);
  let offset = 0;
  return {
    state,
    pay: (atMs: number, account: string | null, amountMinor: number, country = 'CN'): number[] => {
      const out = new Float64Array(definitions.length);
      const tx = { ...bareTransaction, eventTimeMs: START_MS + atMs, account, amountMinor, country };
      state.addTransaction(tx, offset++, out, 0);
      return [...out];
    },
  };
}

describe('the bounds of the feature state', () => {
  it('gives NaN, and counts, a key for which there is no room', () => {
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'count' }], { maxKeysPerEntity: 1 });
    expect(pay(0, 'a', 1)).toEqual([1]);
    expect(pay(1, 'b', 1)).toEqual([NaN]);
    expect(state.statistics().refusedKeys).toBe(1);
    // a has left after a minute, and its place is free.
    expect(pay(70_000, 'b', 1)).toEqual([1]);
  });

  it('estimates the number of different values when it is beyond the bound, and is exact again when few have been left for long', () => {
    const limits = { maxDistinctPerKey: 64 };
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'distinct', of: 'country' }], limits);
    const counts = Array.from({ length: 1_000 }, (_, index) => pay(index, 'a', 1, `C${index}`)[0]!);
    expect(counts.slice(0, 128)).toEqual(Array.from({ length: 128 }, (_, index) => index + 1));
    const estimate = counts.at(-1)!;
    expect(Math.abs(estimate / 1_000 - 1)).toBeLessThan(3.29 * Math.sqrt(8 / 3 / 64));
    expect(estimate % 1).toBe(0.5);
    expect(state.statistics()).toMatchObject({ estimatedDistincts: 1, uncountedValues: 0 });
    const later = Array.from({ length: 30 }, (_, index) => pay(60_000 + index * 6_000, 'a', 1, `D${index}`)[0]!);
    expect(later.slice(20)).toEqual(Array.from({ length: 10 }, () => 10));
    expect(state.statistics()).toMatchObject({ estimatedDistincts: 0 });
  });

  it('leaves values out, and counts them, for which there is no sample', () => {
    const limits = { maxDistinctPerKey: 2, maxDistinctSamples: 1 };
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'distinct', of: 'country' }], limits);
    const countsOf = (account: string): number[] => ['A', 'B', 'C'].flatMap((country) => pay(0, account, 1, country));
    expect([countsOf('a'), countsOf('b')]).toEqual([
      [1, 2, 3],
      [1, 2, 2],
    ]);
    expect(state.statistics().uncountedValues).toBe(1);
    // The sample is free when its key has gone.
    pay(60_000, 'c', 1);
    expect([countsOf('b'), state.statistics().uncountedValues]).toEqual([[1, 2, 3], 1]);
  });

  it('lets the newest candidate of a full list make way, and counts it', () => {
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'max', of: 'amountMinor' }], { maxCandidatesPerKey: 2 });
    expect([9, 8, 7].flatMap((amount, index) => pay(index, 'a', amount))).toEqual([9, 9, 9]);
    expect(state.statistics().droppedCandidates).toBe(1);
    // 8 made way for 7: the bound shows as a lower maximum once 9 has left.
    expect(pay(60_000, 'a', 1)).toEqual([7]);
  });

  it('takes the oldest events out of their windows when the reservoir is full', () => {
    const limits = { maxReservoirEvents: 4, chunkCapacity: 2, blockCapacity: 2 };
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'count' }], limits);
    const counts = Array.from({ length: 6 }, (_, index) => pay(index, 'a', 1)).flat();
    expect(counts).toEqual([1, 2, 3, 4, 4, 4]);
    expect(state.statistics()).toMatchObject({ forcedOut: 2, events: 4 });
    state.advanceTime(START_MS + 120_000);
    expect(state.keyCount).toBe(0);
  });

  it('takes no more memory for events that are all sealed before the next one comes', () => {
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'count' }], { chunkCapacity: 4, blockCapacity: 4 });
    let eventBytes = 0;
    for (let index = 0; index < 5_000; index++) {
      pay(index * 10_000, 'a', 1);
      if (index === 100) ({ eventBytes } = state.statistics());
    }
    expect(state.statistics()).toMatchObject({ headEvents: 1, eventBytes });
  });

  it('seals the oldest events early when the head is full: what comes before them is late', () => {
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'count' }], { maxHeadEvents: 2, blockCapacity: 2 });
    expect([0, 1_000, 2_000, 3_000].flatMap((atMs) => pay(atMs, 'a', 1))).toEqual([1, 2, 3, 4]);
    expect(state.statistics()).toMatchObject({ headEvents: 2, events: 4 });
    const out = new Float64Array(1);
    const late = { ...bareTransaction, account: 'a', amountMinor: 1, eventTimeMs: START_MS + 500 };
    // Inside the bound of 5 s; yet the payments at 0, 1 and 2 s are sealed by now.
    expect(state.addTransaction(late, 9, out, 0)).toBe(true);
    expect(state.addTransaction({ ...late, eventTimeMs: START_MS + 2_500 }, 10, out, 0)).toBe(false);
    // The payment that came for 0.5 s counts at 2 s.
    expect([61_000, 62_000, 62_500].flatMap((atMs) => pay(atMs, 'b', 1))).toEqual([1, 2, 3]);
    expect(state.statistics().events).toBe(4);
  });

  it('leaves labels of sealed payments out when there are too many, and counts them', () => {
    const limits = { maxFactChanges: 1, blockCapacity: 2 };
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'count', where: "label == 'fraud'" }], limits);
    for (const atMs of [0, 1, 2, 3, 10_000]) pay(atMs, 'a', 1);
    const label = { transactionId: 't', eventTimeMs: START_MS, label: 'fraud' as const, fraudType: null };
    const addLabel = (transactionOffset: number): void =>
      state.addLabel({ ...label, transactionOffset, labelSource: 'other' });
    for (const offset of [1, 1, 2]) addLabel(offset);
    expect(state.statistics()).toMatchObject({ factChanges: 1, droppedFacts: 1 });
    // A payment in the head needs no room.
    addLabel(4);
    expect(pay(10_001, 'a', 1)).toEqual([2]);
    expect(pay(60_001, 'a', 1)).toEqual([1]);
    expect(state.statistics().factChanges).toBe(0);
    addLabel(3);
    expect(state.statistics()).toMatchObject({ factChanges: 1, droppedFacts: 1 });
  });

  it('keeps no room for late outcomes that no feature tells apart', () => {
    const where = "outcome == 'declined'";
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'count', where }], { blockCapacity: 2 });
    for (const atMs of [0, 1, 2, 3, 10_000]) pay(atMs, 'a', 1);
    const tell = (transactionOffset: number, outcome: OutcomeKind): void =>
      state.addOutcome({ transactionId: 't', eventTimeMs: START_MS, transactionOffset, outcome, responseCode: null });
    for (const outcome of ['authorised', 'captured', 'settled'] as const) tell(1, outcome);
    expect(state.statistics().factChanges).toBe(0);
    tell(1, 'declined');
    expect(pay(10_001, 'a', 1)).toEqual([1]);
    expect(state.statistics().factChanges).toBe(1);
    tell(1, 'settled');
    expect(pay(10_002, 'a', 1)).toEqual([0]);
    tell(99, 'settled');
    expect(state.statistics()).toMatchObject({ unknownOutcomes: 1, unknownLabels: 0 });
  });

  it('takes refunds off net sums, sealed payments included, as long as there is room for late ones', () => {
    const limits = { maxFactChanges: 1, blockCapacity: 2 };
    const features = [
      { name: 'net', aggregate: 'sum' as const, of: 'netAmountMinor' },
      { name: 'gross', aggregate: 'sum' as const, of: 'amountMinor' },
    ];
    const { state, pay } = stateOf(features, limits);
    for (const atMs of [0, 1, 2, 3, 10_000]) pay(atMs, 'a', 6e11);
    const refund = (originalOffset: number, amountMinor: number): void =>
      state.addReversal({ ...bareTransaction, type: 'refund', amountMinor }, originalOffset);
    refund(1, 5e11);
    expect(pay(10_001, 'a', 0)).toEqual([25e11, 30e11]);
    // No more can be refunded of a payment than was paid.
    refund(1, 5e11);
    refund(4, 1);
    expect(pay(10_002, 'a', 0)).toEqual([24e11 - 1, 30e11]);
    refund(2, 1);
    refund(99, 1);
    state.addReversal({ ...bareTransaction, type: 'reversal' }, 4);
    expect(pay(10_003, 'a', 0)).toEqual([18e11, 30e11]);
    expect(state.statistics()).toMatchObject({ factChanges: 1, droppedFacts: 1, unknownReversals: 1 });
    expect(pay(60_001, 'a', 0)).toEqual([12e11, 18e11]);
  });

  it('counts labels of payments it does not know', () => {
    const { state, pay } = stateOf([{ name: 'n', aggregate: 'count', where: "label == 'fraud'" }], {});
    pay(0, 'a', 1);
    const label = { transactionId: 't', eventTimeMs: START_MS, labelSource: 'other' as const, fraudType: null };
    state.addLabel({ ...label, transactionOffset: 0, label: 'fraud' });
    expect(pay(1, 'a', 1)).toEqual([1]);
    state.addLabel({ ...label, transactionOffset: 99, label: 'fraud' });
    state.addLabel({ ...label, transactionOffset: null, label: 'fraud' });
    expect(state.statistics().unknownLabels).toBe(2);
  });

  it('keeps sums exact past 2^53 and the spread of nearly equal huge amounts', () => {
    const of = 'amountMinor';
    const features = [
      { name: 's', aggregate: 'sum' as const, of },
      { name: 'd', aggregate: 'std' as const, of },
    ];
    const { pay } = stateOf(features, {});
    for (let index = 0; index < 19_999; index++) pay(index, 'a', 1e12 - (index % 2));
    const [sum, deviation] = pay(19_999, 'a', 1e12 - 1);
    // 2e16 - 1e4 is even, so a double holds it.
    expect(sum).toBe(2e16 - 10_000);
    expect(deviation).toBeCloseTo(0.5, 12);
    expect(pay(60_000 + 19_999, 'a', 7)).toEqual([7, 0]);
  });

  it('refuses amounts that its sums are not built for', () => {
    const { pay } = stateOf([{ name: 'n', aggregate: 'count' }], {});
    expect(() => pay(0, 'a', 1e12 + 1)).toThrow('SLUICE_STATE_INPUT');
    expect(() => pay(0, 'a', NaN)).toThrow('SLUICE_STATE_INPUT');
  });
});
