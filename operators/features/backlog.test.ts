import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bareTransaction } from '../cel/bareContext.ts';
import type { FeatureDefinition } from '../definitions.ts';
import type { SavedState } from '../savedState.ts';
import { copyState } from '../testing/memoryState.ts';
import { compileCatalogue } from './catalogue.ts';
import { createFeatureState } from './createFeatureState.ts';
import type { FeatureLimits, FeatureState } from './featureState.ts';

const START_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const BURST = 1_000;

const features: readonly FeatureDefinition[] = [
  { name: 'count', entity: ['account'], aggregate: 'count', windowMs: MINUTE_MS },
  { name: 'merchants', entity: ['account'], aggregate: 'distinct', of: 'merchant', windowMs: 2 * MINUTE_MS },
  { name: 'sum', entity: ['merchant'], aggregate: 'sum', of: 'amountMinor', windowMs: MINUTE_MS, delayMs: 1_000 },
  { name: 'max', entity: ['merchant'], aggregate: 'max', of: 'amountMinor', windowMs: MINUTE_MS },
  { name: 'pair', entity: ['account', 'merchant'], aggregate: 'count', windowMs: MINUTE_MS },
];

function stateOf(definitions: readonly FeatureDefinition[], limits: Partial<FeatureLimits>) {
  const compiled = compileCatalogue([...definitions], 0);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const create = (): FeatureState => createFeatureState(compiled.value, limits);
  const pay = (state: FeatureState, atMs: number, account: number, merchant: number, offset = 0): number[] => {
    const out = new Float64Array(definitions.length);
    const keys = { account: `a-${account}`, merchant: `m-${merchant}` };
    state.addTransaction({ ...bareTransaction, ...keys, eventTimeMs: START_MS + atMs, amountMinor: 1 }, offset, out, 0);
    return [...out];
  };
  /** A state with one payment of each of as many accounts, all at one instant. */
  const afterBurst = (merchants: number): FeatureState => {
    const state = create();
    for (let index = 0; index < BURST; index++) pay(state, 0, index, index % merchants, index);
    return state;
  };
  return { create, pay, afterBurst };
}

function waiting(state: FeatureState): number {
  return state.statistics().backlogEvents;
}

function savedHash(state: SavedState): string {
  const hash = createHash('sha256');
  state.save({
    number: (value) => hash.update(`number ${value}\n`),
    text: (value) => hash.update(`text ${value}\n`),
    array: (values, used = values.length) => hash.update(`array ${used}\n`).update(values.subarray(0, used)),
    memory: ({ buffer }, used) => hash.update(`memory ${used}\n`).update(new Uint8Array(buffer, 0, used)),
    file: () => {
      throw new Error('the state is in memory');
    },
  });
  return hash.digest('hex');
}

describe('a burst that leaves its windows', () => {
  it('crosses no more than a step may spend; a tick spends four times as much', () => {
    const one = features.slice(0, 1);
    const { afterBurst, pay } = stateOf(one, { maxCrossingsPerStep: 10 });
    const state = afterBurst(1);
    expect(pay(state, MINUTE_MS, 0, 0)).toEqual([1]);
    expect(waiting(state)).toBe(BURST - 10);
    // Nor need time move.
    pay(state, MINUTE_MS, 1, 0);
    expect(waiting(state)).toBe(BURST - 20);
    state.advanceTime(START_MS + MINUTE_MS);
    expect(waiting(state)).toBe(BURST - 60);
    let steps = 0;
    for (; waiting(state) > 0; steps++) pay(state, MINUTE_MS, 2, 0);
    expect(steps).toBe((BURST - 60) / 10);
    expect(state.statistics()).toMatchObject({ hurriedCrossings: 0, keys: { account: 3 } });
  });

  it('leaves the keys of the payment at once', () => {
    const { afterBurst, pay } = stateOf(features, { maxCrossingsPerStep: 1 });
    const state = afterBurst(4);
    // Account 9 is in the windows of two minutes alone; a quarter of the burst was merchant 1.
    expect(pay(state, MINUTE_MS, 9, 1)).toEqual([1, 1, BURST / 4, 1, 1]);
    expect(pay(state, MINUTE_MS + 1_000, 9, 2)).toEqual([2, 2, 0, 1, 1]);
    expect(waiting(state)).toBeGreaterThan(BURST);
    // Past all windows, while all of it still waits.
    expect(pay(state, 4 * MINUTE_MS, 9, 1)).toEqual([1, 1, 0, 1, 1]);
    expect(waiting(state)).toBeGreaterThan(2 * BURST);
  });

  it('leaves in part where only a part of it is due, though all of it was prepared for', () => {
    const one = features.slice(0, 1);
    const { create, pay } = stateOf(one, { maxCrossingsPerStep: 1, blockCapacity: 16, chunkCapacity: 16 });
    const state = create();
    for (let index = 0; index < 64; index++) pay(state, index < 40 ? 0 : 10, 0, 0);
    for (let step = 0; step < 200; step++) pay(state, 100 + step, 1, 0);
    expect(pay(state, MINUTE_MS + 9, 0, 0)).toEqual([64 - 40 + 1]);
    expect(pay(state, MINUTE_MS + 10, 0, 0)).toEqual([2]);
  });

  it('is taken off before what becomes known of its payments is', () => {
    const labelled = { entity: ['account' as const], windowMs: MINUTE_MS, where: "label != 'fraud'" };
    const { afterBurst, pay } = stateOf(
      [
        { ...labelled, name: 'merchants', aggregate: 'distinct', of: 'merchant', delayMs: 1_000 },
        { ...labelled, name: 'max', aggregate: 'max', of: 'amountMinor', delayMs: 1_000 },
      ],
      { maxCrossingsPerStep: 1 },
    );
    const state = afterBurst(1);
    state.advanceTime(START_MS + 1_000);
    // It is due in its windows by now, and waits there.
    const label = { transactionId: 't', eventTimeMs: START_MS, labelSource: 'other' as const, fraudType: null };
    state.addLabel({ ...label, transactionOffset: 500, label: 'fraud' });
    expect(pay(state, 1_000, 500, 1, BURST)).toEqual([0, NaN]);
    expect(pay(state, 1_000, 501, 1, BURST + 1)).toEqual([1, 1]);
    state.addLabel({ ...label, transactionOffset: 500, label: 'genuine' });
    expect(pay(state, 1_001, 500, 1, BURST + 2)).toEqual([1, 1]);
  });

  it('makes the step wait, and counts it, where there is no room for it to wait', () => {
    const one = features.slice(0, 1);
    const { afterBurst, pay } = stateOf(one, { maxCrossingsPerStep: 10, maxBacklogEvents: 300 });
    const state = afterBurst(1);
    pay(state, MINUTE_MS, 0, 0);
    expect(state.statistics()).toMatchObject({ backlogEvents: 300, hurriedCrossings: 690 });
  });

  it('keeps its keys until it is gone', () => {
    const { afterBurst, pay } = stateOf(features, { maxCrossingsPerStep: 1 });
    const state = afterBurst(1);
    pay(state, 3 * MINUTE_MS, BURST, 0);
    // Each edge has had one payment cross, so one key has gone for the one that has come.
    expect(state.statistics().keys).toMatchObject({ account: BURST, merchant: 1 });
    for (let index = 1; index < BURST; index++)
      expect(pay(state, 3 * MINUTE_MS, BURST + index, 0)).toEqual([1, 1, 0, 1, 1]);
    expect(state.statistics()).toMatchObject({ backlogEvents: 0, keys: { account: BURST, merchant: 1 } });
  });

  it('is saved as it stands: whoever goes on from what was saved answers, and saves, the same', () => {
    const { afterBurst, create, pay } = stateOf(features, { maxCrossingsPerStep: 3 });
    const state = afterBurst(4);
    pay(state, 3 * MINUTE_MS, 9, 1);
    pay(state, 3 * MINUTE_MS, 10, 2);
    const restored = copyState(state, create());
    expect(waiting(restored)).toBe(waiting(state));
    for (let step = 0; waiting(state) > 0; step++) {
      expect(pay(restored, 3 * MINUTE_MS + step, step, step)).toEqual(pay(state, 3 * MINUTE_MS + step, step, step));
      if (step % 100 === 0) expect(savedHash(restored)).toBe(savedHash(state));
    }
    expect(savedHash(restored)).toBe(savedHash(state));
  });

  it('leaves no window before it is due, where its blocks are read ahead and time stops within one', () => {
    const { create, pay } = stateOf(features, { maxCrossingsPerStep: 4, blockCapacity: 48 });
    const unlimited = stateOf(features, { maxCrossingsPerStep: 1e6, blockCapacity: 48 }).create();
    const state = create();
    const restored = create();
    const payOf = (of: FeatureState, atMs: number, index: number): number[] =>
      pay(of, atMs, index % 37, index % 5, index);
    const payAll = (states: readonly FeatureState[], payments: number, atMs: (index: number) => number): void => {
      for (let index = 0; index < payments; index++) {
        const expected = payOf(unlimited, atMs(index), index);
        for (const of of states) expect([index, ...payOf(of, atMs(index), index)]).toEqual([index, ...expected]);
      }
    };
    payAll([state], BURST, (index) => Math.floor(index / 100));
    payAll([state], 100, (index) => 1_100 + index);
    payAll([state], 50, (index) => MINUTE_MS + Math.floor(index / 8));
    expect(waiting(state)).toBeGreaterThan(0);
    copyState(state, restored);
    payAll([state, restored], 50, (index) => MINUTE_MS + 6 + Math.floor(index / 8));
    payAll([state, restored], 100, (index) => 2 * MINUTE_MS + Math.floor(index / 8));
    expect(savedHash(restored)).toBe(savedHash(state));
  });

  it('takes memory while it waits, and next to none after', () => {
    const { afterBurst } = stateOf(features, {});
    const state = afterBurst(4);
    const before = state.statistics().bytes;
    state.advanceTime(START_MS + 5 * MINUTE_MS);
    const during = state.statistics();
    expect(during.bytes - before).toBeGreaterThan(0);
    expect(during.eventBytes).toBeLessThan(during.bytes);
  });
});
