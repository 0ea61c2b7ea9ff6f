import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';
import { decodeLedgerRecord, encodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import { codecs } from '../schemas/codec.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import { DRIVER_SENDER, TopologyDriver, type TopologyDriverOptions } from './testing/topologyDriver.ts';
import { MemoryDecisionStore } from './testing/memoryDecisionStore.ts';
import { MemoryLedger } from './testing/memoryLedger.ts';

const START_MS = 1_767_225_600_000;
const thresholds = { challenge: 600, review: 800, decline: 930 };

const velocityRule: RuleDefinition = {
  id: 'card-velocity',
  version: 1,
  owner: 'risk-team',
  when: 'f.card_count_10m > p.maxCount',
  params: { maxCount: 2 },
  then: { verdict: 'challenge', score: 700, code: 'VELOCITY_CARD' },
  text: { en: 'Many payments on this card', zh: '该卡多次支付' },
  mode: 'live',
  rollout: 100,
  examples: [],
};

const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 600_000,
  recentIds: 1_000,
  features: [
    { name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' },
    { name: 'card_count_10m', aggregate: 'count', entity: ['card'], windowMs: 600_000 },
    {
      name: 'merchant_fraud_1d',
      aggregate: 'rate',
      entity: ['merchant'],
      windowMs: 86_400_000,
      where: "label == 'fraud'",
      whenEmpty: 0,
    },
  ],
  rules: [velocityRule],
  lists: [
    { name: 'blocked-devices', kind: 'block', entity: 'device', text: { en: 'Blocked device', zh: '已拉黑设备' } },
    { name: 'trusted-accounts', kind: 'allow', entity: 'account', text: { en: 'Trusted account', zh: '受信账户' } },
  ],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};

function payment(id: string, fields: object = {}): object {
  return {
    transactionId: id,
    eventTimeMs: START_MS,
    type: 'purchase',
    channel: 'card',
    amountMinor: 12_599,
    currency: 'CNY',
    account: 'a-102',
    card: { pan: '4111111111111111' },
    device: 'd-9',
    merchant: 'm-7',
    ...fields,
  };
}

/** What can be found wrong with every run: a replay that differs. Checked after every test. */
const running: TopologyDriver[] = [];
async function start(options: Partial<TopologyDriverOptions> = {}): Promise<TopologyDriver> {
  const driver = await TopologyDriver.start({ definition, ...options });
  running.push(driver);
  return driver;
}

afterEach(async () => {
  for (const driver of running.splice(0)) {
    await driver.stop();
    const report = await driver.replay();
    expect(report.differences).toEqual([]);
    expect(report.different).toBe(0);
  }
});

describe('a payment', () => {
  it('gets a verdict with its reasons', async () => {
    const driver = await start();
    for (const id of ['t-1', 't-2']) {
      expect(await driver.submit(payment(id))).toMatchObject({
        kind: 'verdict',
        verdict: { verdict: 'approve', status: 'new' },
      });
    }
    expect(await driver.submit(payment('t-3'))).toMatchObject({
      kind: 'verdict',
      verdict: {
        transactionId: 't-3',
        verdict: 'challenge',
        score: 700,
        mode: 'noModel',
        degraded: ['model'],
        ruleSet: 'test.1',
        model: null,
        reasons: [{ code: 'VELOCITY_CARD', rule: 'card-velocity', text: { zh: '该卡多次支付' } }],
      },
    });
    expect((await driver.decision('t-3'))?.features).toEqual([12_599, 3, 0]);
    expect(driver.telemetry.count('decision:challenge')).toBe(1);
    expect(driver.shown).toHaveLength(3);
  });

  it('is answered with the first verdict when it is sent again, and written once', async () => {
    const driver = await start();
    const [first, again] = await Promise.all([driver.submit(payment('t-1')), driver.submit(payment('t-1'))]);
    const later = await driver.submit(payment('t-1'));
    expect(first).toMatchObject({ kind: 'verdict', verdict: { status: 'new' } });
    expect(again).toMatchObject({ kind: 'verdict', verdict: { status: 'duplicate' } });
    expect(later).toMatchObject({ kind: 'verdict', verdict: { status: 'duplicate' } });
    expect(await kinds(driver)).toEqual(['ruleSetPublication', 'transaction']);
    expect(driver.telemetry.count('repeated:duplicate')).toBe(2);
  });

  it('is a conflict when its id comes with other content', async () => {
    const driver = await start();
    await driver.submit(payment('t-1'));
    expect(await driver.submit(payment('t-1', { amountMinor: 1 }))).toMatchObject({
      kind: 'conflict',
      refusal: { code: 'SLUICE_TRANSACTION_CONFLICT', field: 'transactionId' },
    });
    expect(await kinds(driver)).toEqual(['ruleSetPublication', 'transaction', 'deadLetter']);
  });

  it('becomes a dead letter without its card number when it is not acceptable', async () => {
    const driver = await start();
    const answer = await driver.submit(payment('t-1', { amountMinor: -1 }));
    expect(answer).toMatchObject({ kind: 'rejected', refusal: { code: 'SLUICE_INPUT_BOUNDS', field: 'amountMinor' } });
    const letters = await events(driver, 'deadLetter');
    expect(letters).toMatchObject([{ subject: 'transaction', field: 'amountMinor', transactionId: 't-1' }]);
    expect(JSON.stringify(letters)).not.toContain('4111111111111111');
    expect(driver.telemetry.count('rejected:SLUICE_INPUT_BOUNDS')).toBe(1);
  });

  it('is refused when its time is ahead of the clock, so that it cannot move every window', async () => {
    const driver = await start();
    const answer = await driver.submit(payment('t-1', { eventTimeMs: START_MS + 3_600_000 }));
    expect(answer).toMatchObject({ kind: 'rejected', refusal: { code: 'SLUICE_INPUT_FUTURE', field: 'eventTimeMs' } });
  });

  it('gets the fallback verdict at the deadline, which a retry gets again', async () => {
    const driver = await start({ deadlineMs: 0, decisions: new SlowDecisionStore() });
    const answer = await driver.submit(payment('t-1'));
    expect(answer).toMatchObject({
      kind: 'verdict',
      verdict: { verdict: 'challenge', mode: 'fallback', ledgerOffset: 1 },
    });
    // At once: the engine has not taken the fallback's record yet.
    expect(await driver.pipeline.gateway.findVerdict('t-1')).toMatchObject({ mode: 'fallback' });
    expect(await events(driver, 'fallback')).toMatchObject([{ transactionId: 't-1', transactionOffset: 1 }]);
    await until(async () => (await driver.decision('t-1')) !== undefined);
    expect(await driver.submit(payment('t-1'))).toMatchObject({
      kind: 'verdict',
      verdict: { verdict: 'challenge', mode: 'fallback', status: 'duplicate' },
    });
    expect(await driver.pipeline.gateway.findVerdict('t-1')).toMatchObject({ mode: 'fallback' });
  });

  it('is refused, to be sent again, when too many wait', async () => {
    const driver = await start({
      settings: { ingest: { deadlineMs: 50, fallbackVerdict: 'review', maxFutureMs: 1, maxPastMs: 1, maxPending: 0 } },
    });
    expect(await driver.submit(payment('t-1'))).toMatchObject({
      kind: 'unavailable',
      refusal: { code: 'SLUICE_OVERLOADED' },
    });
    expect(await kinds(driver)).toEqual(['ruleSetPublication']);
  });
});

describe('what changes decisions', () => {
  it('a list change counts from its offset on', async () => {
    const driver = await start();
    await driver.submit(payment('t-1'));
    const change = { list: 'blocked-devices', entries: [{ value: 'd-9' }], expiresAtMs: null, reason: 'stolen' };
    expect(await driver.pipeline.gateway.lists.change({ ...change, action: 'put' }, DRIVER_SENDER)).toMatchObject({
      kind: 'accepted',
    });
    expect(await driver.submit(payment('t-2'))).toMatchObject({
      verdict: { verdict: 'decline', score: 1000, reasons: [{ code: 'BLOCK_LIST', list: 'blocked-devices' }] },
    });
    await driver.pipeline.gateway.lists.change({ ...change, action: 'delete' }, DRIVER_SENDER);
    expect(await driver.submit(payment('t-3', { card: null }))).toMatchObject({ verdict: { verdict: 'approve' } });
  });

  it('an allow list overrides rules and says so', async () => {
    const driver = await start();
    const change = {
      list: 'trusted-accounts',
      entries: [{ value: 'a-102' }],
      action: 'put',
      expiresAtMs: null,
      reason: 'known',
    } as const;
    await driver.pipeline.gateway.lists.change(change, DRIVER_SENDER);
    for (const id of ['t-1', 't-2']) await driver.submit(payment(id));
    expect(await driver.submit(payment('t-3'))).toMatchObject({
      verdict: { verdict: 'approve', reasons: [{ code: 'ALLOW_LIST' }] },
    });
  });

  it('an undeclared list is refused', async () => {
    const driver = await start();
    const change = {
      list: 'nope',
      entries: [{ value: 'x' }],
      action: 'put',
      expiresAtMs: null,
      reason: '',
    } as const;
    expect(await driver.pipeline.gateway.lists.change(change, DRIVER_SENDER)).toMatchObject({
      kind: 'rejected',
      refusal: { code: 'SLUICE_LIST_UNKNOWN' },
    });
  });

  it('a label reaches the features of later payments', async () => {
    const driver = await start();
    await driver.submit(payment('t-1'));
    const label = { transactionId: 't-1', eventTimeMs: START_MS + 1, label: 'fraud', labelSource: 'chargeback' };
    const answer = await driver.pipeline.gateway.submitLabel({ format: 'json', value: label }, DRIVER_SENDER);
    expect(answer).toMatchObject({ kind: 'accepted', ledgerOffset: 2 });
    await driver.submit(payment('t-2', { eventTimeMs: START_MS + 2 }));
    expect((await driver.decision('t-2'))?.features[2]).toBe(0.5);
  });

  it('an outcome reaches the features of later payments, and the last one counts', async () => {
    const feature = { entity: ['card'], windowMs: 3_600_000, where: "outcome == 'declined'" } as const;
    const features = [{ name: 'card_declines_1h', aggregate: 'count', ...feature } as const];
    const driver = await start({ definition: { ...definition, rules: [], features } });
    const tell = async (transactionId: string, outcome: string): Promise<unknown> => {
      const value = { transactionId, eventTimeMs: START_MS + 1, outcome };
      return driver.pipeline.gateway.submitOutcome({ format: 'json', value }, DRIVER_SENDER);
    };
    const declinesAt = async (id: string): Promise<number | undefined> => {
      await driver.submit(payment(id));
      return (await driver.decision(id))?.features[0];
    };
    expect(await declinesAt('t-1')).toBe(0);
    expect(await tell('t-1', 'declined')).toMatchObject({ kind: 'accepted', ledgerOffset: 2 });
    expect(await declinesAt('t-2')).toBe(1);
    await tell('t-2', 'declined');
    await tell('t-1', 'authorised');
    expect(await declinesAt('t-3')).toBe(1);
    expect(await tell('t-404', 'declined')).toMatchObject({ kind: 'unknownTransaction' });
  });

  it('a reversal takes its payment out of the sums before its own features are read', async () => {
    const window = { entity: ['account'], windowMs: 3_600_000, where: "!reversed && tx.type == 'purchase'" } as const;
    const features = [
      { name: 'account_spent_1h', aggregate: 'sum', of: 'amountMinor', ...window } as const,
      { ...window, name: 'net_1h', aggregate: 'sum', of: 'netAmountMinor', where: "tx.type == 'purchase'" } as const,
    ];
    const driver = await start({ definition: { ...definition, recentIds: 5, rules: [], features } });
    const spentAt = async (id: string, fields: object = {}): Promise<readonly number[] | undefined> => {
      await driver.submit(payment(id, fields));
      return (await driver.decision(id))?.features;
    };
    const takesBack = (type: string, originalTransactionId: string, amountMinor: number): object => {
      return { type, originalTransactionId, amountMinor };
    };
    expect(await spentAt('t-1', { amountMinor: 100 })).toEqual([100, 100]);
    expect(await spentAt('t-2', { amountMinor: 30 })).toEqual([130, 130]);
    expect(await spentAt('r-1', takesBack('reversal', 't-1', 0))).toEqual([30, 30]);
    // Part of a payment does not take it back; a purchase takes nothing back, nor does what names no known payment.
    expect(await spentAt('r-2', takesBack('refund', 't-2', 29))).toEqual([30, 1]);
    expect(await spentAt('t-3', takesBack('purchase', 't-2', 7))).toEqual([37, 8]);
    expect(await spentAt('r-3', takesBack('reversal', 't-404', 30))).toEqual([37, 8]);
    // Only the last five ids are remembered: t-2 is the oldest of them.
    expect(await spentAt('r-4', takesBack('refund', 't-2', 30))).toEqual([7, 7]);
    // Another payment under an id that was used takes nothing back.
    expect(await driver.submit(payment('r-4', takesBack('reversal', 't-3', 7)))).toMatchObject({ kind: 'conflict' });
    for (const [index, id] of ['t-4', 't-5', 't-6', 't-7'].entries())
      expect(await spentAt(id, { amountMinor: 1 })).toEqual([8 + index, 8 + index]);
    // t-3 is forgotten by now.
    expect(await spentAt('r-5', takesBack('reversal', 't-3', 7))).toEqual([11, 11]);
  });

  it('a label for an unknown payment is refused and kept as a dead letter', async () => {
    const driver = await start();
    const label = { transactionId: 't-404', eventTimeMs: START_MS, label: 'fraud', labelSource: 'review' };
    const answer = await driver.pipeline.gateway.submitLabel({ format: 'json', value: label }, DRIVER_SENDER);
    expect(answer).toMatchObject({ kind: 'unknownTransaction', refusal: { code: 'SLUICE_TRANSACTION_UNKNOWN' } });
    expect(await events(driver, 'deadLetter')).toMatchObject([{ subject: 'label', transactionId: 't-404' }]);
  });
});

describe('a restart', () => {
  it('goes on as if it had not happened', async () => {
    const first = await start();
    for (const id of ['t-1', 't-2']) await first.submit(payment(id));
    await first.stop();
    const second = await start({ ledger: first.ledger, decisions: first.decisions, models: first.models });
    expect(await second.submit(payment('t-3'))).toMatchObject({ verdict: { verdict: 'challenge', ledgerOffset: 3 } });
    expect(await second.submit(payment('t-1'))).toMatchObject({ verdict: { status: 'duplicate' } });
    running.shift();
  });

  it('decides what an earlier run left undecided', async () => {
    const ledger = new MemoryLedger();
    const first = await start({ ledger });
    await first.submit(payment('t-1'));
    await first.stop();
    running.shift();
    const record = await transactionRecord('t-2');
    await ledger.append([record, record]);
    const second = await start({ ledger, decisions: first.decisions, models: first.models });
    expect(await second.pipeline.gateway.findVerdict('t-2')).toMatchObject({ verdict: 'approve', ledgerOffset: 2 });
    const repeated = await second.decisions.get(3);
    expect(repeated === undefined ? null : codecs.decision.decode(repeated)).toMatchObject({
      status: 'duplicate',
      originalOffset: 2,
    });
  });

  it('with a new feature starts it exact, from the whole ledger', async () => {
    const first = await start();
    for (const id of ['t-1', 't-2']) await first.submit(payment(id));
    await first.stop();
    running.shift();
    const wider: ConfigurationDefinition = {
      ...definition,
      ruleSetVersion: 'test.2',
      features: [
        ...definition.features,
        { name: 'device_sum_1d', aggregate: 'sum', of: 'amountMinor', entity: ['device'], windowMs: 86_400_000 },
      ],
    };
    const second = await start({
      definition: wider,
      ledger: first.ledger,
      decisions: first.decisions,
      models: first.models,
    });
    await second.submit(payment('t-3'));
    expect((await second.decision('t-3'))?.features).toEqual([12_599, 3, 0, 3 * 12_599]);
    expect((await second.decision('t-3'))?.ruleSet).toBe('test.2');
  });
});

async function kinds(driver: TopologyDriver): Promise<string[]> {
  return (await driver.ledger.read(0, 1_000)).map((row) => decodeLedgerRecord(row.value).kind);
}

async function events(driver: TopologyDriver, kind: LedgerEvent['kind']): Promise<unknown[]> {
  const records = (await driver.ledger.read(0, 1_000)).map((row) => decodeLedgerRecord(row.value));
  return records.filter((record) => record.kind === kind).map((record) => record.event);
}

/** The ledger record that ingest would write for this payment. */
async function transactionRecord(id: string): Promise<Buffer> {
  const scratch = await TopologyDriver.start({ definition });
  await scratch.submit(payment(id, { card: null }));
  const rows = await scratch.ledger.read(1, 1);
  await scratch.stop();
  const record = decodeLedgerRecord(rows[0]?.value ?? Buffer.alloc(0));
  return encodeLedgerRecord(record, record.ingestTimeMs, record.source);
}

/** Stores each decision a little later than a deadline of 0 ms. */
class SlowDecisionStore extends MemoryDecisionStore {
  override async put(decisions: Parameters<MemoryDecisionStore['put']>[0]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return super.put(decisions);
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
