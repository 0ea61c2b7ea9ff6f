import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigurationDefinition } from '../operators/definitions.ts';
import { certify, knownToEngine } from './certificate.ts';
import { MemoryDecisionStore } from './testing/memoryDecisionStore.ts';
import { MemoryLedger } from './testing/memoryLedger.ts';
import { TopologyDriver } from './testing/topologyDriver.ts';

const thresholds = { challenge: 600, review: 800, decline: 930 };

function definition(ruleSetVersion: string, limit: number): ConfigurationDefinition {
  return {
    ruleSetVersion,
    latenessMs: 600_000,
    recentIds: 1_000,
    features: [
      { name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor', text: { en: 'Amount', zh: '金额' } },
      { name: 'since', aggregate: 'timeSince', entity: ['account'], windowMs: 60_000, includeCurrent: false },
    ],
    rules: (['live', 'shadow'] as const).map((mode) => ({
      id: `much-${mode}`,
      version: 1,
      owner: 'risk-team',
      when: 'f.amount > p.limit',
      params: { limit },
      then: { verdict: 'review', score: 820, code: 'MUCH' },
      text: { en: 'Much', zh: '大额' },
      mode,
      rollout: 100,
      examples: [],
    })),
    lists: [],
    policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
  };
}

describe('a certificate', () => {
  const records: Buffer[] = [];
  const decided = new Map<number, Buffer>();
  const ids = new Map<string, number>();
  const chain = { begin: null, seals: new Map<number, Buffer>() };
  let driver: TopologyDriver;

  async function start(version: string, limit: number): Promise<void> {
    driver = await TopologyDriver.start({
      definition: definition(version, limit),
      ledger: new MemoryLedger(records),
      decisions: new MemoryDecisionStore(decided, ids, chain),
    });
  }

  async function pay(transactionId: string, amountMinor: number): Promise<void> {
    const { nowMs: eventTimeMs } = driver;
    const payment = { transactionId, eventTimeMs, type: 'purchase', channel: 'card', amountMinor, currency: 'CNY' };
    expect(await driver.submit({ ...payment, account: 'a-1' })).toMatchObject({ kind: 'verdict' });
  }

  beforeAll(async () => {
    await start('old', 100);
    await pay('t-1', 500);
    await driver.stop();
    await start('new', 900);
    await pay('t-2', 500);
  });
  afterAll(() => driver.stop());

  it('has what was in force at the payment, not what is now', async () => {
    expect(await certify(driver, 't-1', null)).toMatchObject({
      transaction: { transactionId: 't-1', amountMinor: 500 },
      decision: { verdict: 'review', ruleSet: 'old' },
      features: [
        { name: 'amount', value: 500, contribution: null, text: { en: 'Amount', zh: '金额' } },
        { name: 'since', value: null, text: null },
      ],
      rulesFired: [
        { rule: 'much-live', mode: 'live', isReason: true, definition: { params: { limit: 100 } } },
        { rule: 'much-shadow', mode: 'shadow', isReason: false, definition: { when: 'f.amount > p.limit' } },
      ],
      publication: { ledgerOffset: 0, event: { version: 'old', author: 'deployment' } },
      promotion: null,
    });
    expect(await certify(driver, 't-2', null)).toMatchObject({
      decision: { verdict: 'approve' },
      rulesFired: [],
      publication: { event: { version: 'new' } },
    });
  });

  it('is the same by what a running engine remembers, which then need not search', async () => {
    const { gateway, engine } = driver.pipeline;
    for (const id of ['t-1', 't-2', 't-3'])
      expect(await gateway.certificate(id)).toEqual(await certify(driver, id, null));
    const known = knownToEngine(engine.publications, engine.models);
    const read: number[] = [];
    const ledger = {
      read: (from: number, count: number): ReturnType<typeof driver.ledger.read> => {
        read.push(count);
        return driver.ledger.read(from, count);
      },
    };
    await certify({ ledger, decisions: driver.decisions }, 't-2', known);
    expect(read).toEqual([1, 1]);
  });

  it('says whether record and decision are what was sealed', async () => {
    const before = await certify(driver, 't-1', null);
    expect(before?.seal?.isIntact).toBe(true);
    const offset = before?.decision.ledgerOffset ?? -1;
    const stored = decided.get(offset);
    const tampered = Buffer.from(stored ?? '');
    // In the last feature's value: the array's end follows it.
    tampered.writeUInt8(tampered.readUInt8(tampered.length - 5) ^ 1, tampered.length - 5);
    decided.set(offset, tampered);
    expect((await certify(driver, 't-1', null))?.seal?.isIntact).toBe(false);
    decided.set(offset, tampered.subarray(1));
    await expect(certify(driver, 't-1', null)).rejects.toThrow(
      /^SLUICE_DECISION_UNREADABLE: .*t-1.*run sluice verify$/,
    );
    decided.set(offset, stored ?? Buffer.alloc(0));
    chain.seals.delete(offset);
    expect((await certify(driver, 't-1', null))?.seal).toBeNull();
  });

  it('is not made of a payment that nobody decided on', async () => {
    expect(await certify(driver, 't-3', null)).toBeUndefined();
  });
});
