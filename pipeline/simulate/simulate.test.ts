import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../../schemas/parse.ts';
import type { InputName } from '../../schemas/parse.ts';
import { isCardNumber } from '../cardNumbers.ts';
import { FRAUD_CAMPAIGN_NAMES, TRAINED_CAMPAIGN_NAMES, historicalSimulation, liveSimulation } from './options.ts';
import type { SimulationOptions } from './options.ts';
import { simulate } from './simulate.ts';
import type { SimulatedEvent } from './simulate.ts';
import { requestBody, simulationLines } from './simulationLines.ts';

const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type SimulatedTransaction = Extract<SimulatedEvent, { kind: 'transaction' }>;

function transactionsOf(options: SimulationOptions): readonly SimulatedTransaction[] {
  return [...simulate(options)].filter((event) => event.kind === 'transaction');
}

const anyOptions = fc
  .record({
    seed: fc.integer(),
    live: fc.boolean(),
    customers: fc.integer({ min: 10, max: 600 }),
    fraudShare: fc.double({ min: 0, max: 0.3, noNaN: true }),
    campaigns: fc.subarray([...FRAUD_CAMPAIGN_NAMES]),
    warmUp: fc.option(fc.constant({ durationMs: DAY_MS, payments: 200 })),
  })
  .map(({ live, warmUp, ...chosen }): SimulationOptions => {
    const options = { ...chosen, startTimeMs: START_MS, ...(warmUp === null ? {} : { warmUp }) };
    return live
      ? liveSimulation({ ...options, paymentsPerSecond: 5, durationMs: 120_000 })
      : historicalSimulation({ ...options, durationMs: DAY_MS });
  });

describe('simulate', () => {
  it('gives the same bytes for the same options, and others for another seed', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const text = [...simulationLines(simulate(options))].join('\n');
        expect([...simulationLines(simulate(options))].join('\n')).toBe(text);
        expect([...simulationLines(simulate({ ...options, seed: options.seed + 1 }))].join('\n')).not.toBe(text);
      }),
      { numRuns: 8 },
    );
  });

  it('orders events by time, gives each payment an id of its own, and its label and outcome after it', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const paidAtMs = new Map<string, number>();
        let lastMs = 0;
        for (const { kind, timeMs, event } of simulate(options)) {
          expect(event.eventTimeMs).toBe(timeMs);
          expect(timeMs).toBeGreaterThanOrEqual(lastMs);
          lastMs = timeMs;
          if (kind === 'transaction') {
            expect(paidAtMs.has(event.transactionId)).toBe(false);
            paidAtMs.set(event.transactionId, timeMs);
          } else {
            expect(paidAtMs.get(event.transactionId)).toBeLessThan(timeMs);
          }
        }
      }),
      { numRuns: 12 },
    );
  });

  it('sends only what the gateway API accepts', () => {
    const inputNames: Readonly<Record<SimulatedEvent['kind'], InputName>> = {
      transaction: 'gatewayTransaction',
      label: 'label',
      outcome: 'outcome',
    };
    fc.assert(
      fc.property(anyOptions, (options) => {
        for (const event of simulate(options)) {
          expect(parseJsonText(inputNames[event.kind], Buffer.from(requestBody(event)))).toMatchObject({ ok: true });
        }
      }),
      { numRuns: 8 },
    );
  });

  it('uses 16-digit card numbers with a right check digit', () => {
    const pans = transactionsOf(
      historicalSimulation({ seed: 5, startTimeMs: START_MS, durationMs: 3 * HOUR_MS }),
    ).flatMap(({ event }) => event.card?.pan ?? []);
    expect(pans.length).toBeGreaterThan(100);
    for (const pan of pans) {
      expect(pan).toMatch(/^[0-9]{16}$/);
      expect(isCardNumber(pan)).toBe(true);
    }
  });

  it('keeps to the shares of fraud and of lookalikes, and to each campaign an equal part', () => {
    const durationMs = 10 * HOUR_MS;
    const payments = transactionsOf(
      liveSimulation({ seed: 11, startTimeMs: START_MS, durationMs, paymentsPerSecond: 2, fraudShare: 0.12 }),
    );
    const counts = new Map<string, number>();
    for (const { campaign } of payments) counts.set(campaign ?? '', (counts.get(campaign ?? '') ?? 0) + 1);
    const expected = (2 * durationMs) / 1_000;
    expect(payments.length / expected).toBeCloseTo(1, 1);
    const fraudShare = payments.filter(({ fraud }) => fraud).length / payments.length;
    expect(Math.abs(fraudShare - 0.12)).toBeLessThan(0.015);
    for (const name of TRAINED_CAMPAIGN_NAMES) {
      const share = (counts.get(name) ?? 0) / payments.length;
      expect(share, name).toBeGreaterThan(0.02 * 0.6);
      expect(share, name).toBeLessThan(0.02 * 1.4);
    }
    for (const name of ['refundAbuse', 'simSwapTransfer']) expect(counts.has(name)).toBe(false);
  });

  it('runs the held-out campaigns when asked to, and labels fraud as such', () => {
    const options = liveSimulation({
      seed: 3,
      startTimeMs: START_MS,
      durationMs: HOUR_MS,
      paymentsPerSecond: 3,
      fraudShare: 0.1,
      campaigns: ['refundAbuse', 'simSwapTransfer'],
      labels: { ...liveSimulation({ seed: 3, startTimeMs: START_MS }).labels, fraudCoverage: 1, falseClaimShare: 0 },
    });
    const frauds = new Map<string, string>();
    const labelled = new Map<string, string | null>();
    for (const simulated of simulate(options)) {
      if (simulated.kind === 'transaction' && simulated.fraud) {
        frauds.set(simulated.event.transactionId, simulated.campaign ?? '');
      }
      if (simulated.kind === 'label' && simulated.event.label === 'fraud') {
        labelled.set(simulated.event.transactionId, simulated.event.fraudType);
      }
    }
    expect(new Set(frauds.values())).toEqual(new Set(['refundAbuse', 'simSwapTransfer']));
    expect(labelled).toEqual(frauds);
  });

  it('follows the day of those who pay: nights are quiet in rhythm, but not at a steady pace', () => {
    const shareAtNight = (pace: 'steady' | 'rhythm'): number => {
      const payments = transactionsOf(
        historicalSimulation({ seed: 2, startTimeMs: START_MS, durationMs: 7 * DAY_MS, customers: 500, pace }),
      );
      // 19:00 to 21:00 UTC is 3 to 5 in the morning for most customers.
      const atNight = payments.filter(({ timeMs }) => [19, 20].includes(new Date(timeMs).getUTCHours()));
      return atNight.length / payments.length;
    };
    expect(shareAtNight('rhythm')).toBeLessThan(0.03);
    expect(shareAtNight('steady')).toBeGreaterThan(0.07);
  });

  it('gives customers a history before the start when asked to', () => {
    const payments = transactionsOf(
      liveSimulation({
        seed: 4,
        startTimeMs: START_MS,
        durationMs: 60_000,
        paymentsPerSecond: 10,
        warmUp: { durationMs: 10 * DAY_MS, payments: 2_000 },
      }),
    );
    const before = payments.filter(({ timeMs }) => timeMs < START_MS);
    expect(before[0]?.timeMs).toBeLessThan(START_MS - 9 * DAY_MS);
    expect(before.length).toBeGreaterThan(1_700);
    expect(payments.length - before.length).toBeGreaterThan(400);
  });

  it('refuses options that make no sense', () => {
    const options = liveSimulation({ seed: 1, startTimeMs: START_MS });
    for (const wrong of [
      { campaigns: ['noSuchCampaign'] },
      { paymentsPerSecond: 0 },
      { fraudShare: -0.1 },
      { customers: 3 },
      { timeScale: 0 },
    ]) {
      expect(() => simulate({ ...options, ...wrong }).next()).toThrow(RangeError);
    }
  });
});
