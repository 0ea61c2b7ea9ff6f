import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import type { HistoryRecord } from '../../pipeline/ports.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import type { Decision, Transaction } from '../../schemas/types.ts';
import { declinePrecisionQuery, letThroughCountsQuery } from './declinePrecisionQuery.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { TestEngine } from './testing/engine.ts';
import { eventRecord, paymentRecord } from './testing/paymentRecord.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 5, 1);
const CATALOGUE = { catalogueSha256: 'a'.repeat(64), names: [] };
const SPAN = { days: 30, matureDays: 10 };

if (platformPackage() === undefined) console.log('declinePrecision.test: no ClickHouse engine here, not run');

describe.runIf(platformPackage() !== undefined)('what became of declines that were let through', () => {
  let engine: TestEngine;
  let history: ClickHouseHistory;
  const records: HistoryRecord[] = [];

  beforeAll(async () => {
    // Account x: two frauds; y: one genuine by label, one without a label, at a tenth of the share. Then what does not count: too
    // young, too old, declined by the issuer, a fallback given instead; and an ordinary decline.
    const frauds = [payment(20, 'x', ['A', 'B', 'A'], 1), payment(19, 'x', ['A'], 1)];
    const genuine = payment(18, 'y', ['B'], 1);
    payment(17, 'y', ['A'], 10);
    const young = payment(9, 'z', ['A'], 1);
    payment(41, 'z', ['A'], 1);
    const declined = payment(15, 'v', ['A'], 1);
    const unsaid = payment(14, 'w', ['A'], 1);
    records.push(paymentRecord(records.length, paymentOf(13, 'u'), { verdict: 'decline', score: 960 }));
    records.push(paymentRecord(records.length, paymentOf(0, 'newest'), {}));
    for (const offset of [...frauds, young])
      other({ kind: 'label', event: { ...about(offset), label: 'fraud', labelSource: 'chargeback', fraudType: null } });
    other({ kind: 'label', event: { ...about(genuine), label: 'genuine', labelSource: 'review', fraudType: null } });
    other({ kind: 'outcome', event: { ...about(declined), outcome: 'authorised', responseCode: null } });
    other({ kind: 'outcome', event: { ...about(declined), outcome: 'declined', responseCode: null } });
    other({ kind: 'fallback', event: { ...about(unsaid), verdict: 'review', deadlineMs: 100 } });
    engine = await TestEngine.start();
    history = new ClickHouseHistory({ url: engine.clickHouse.url });
    await history.prepare([CATALOGUE]);
    await history.write({ fromOffset: 0, toOffset: records.length, records });
  }, 120_000);
  afterAll(async () => {
    await history.close();
    await engine.stop();
  });

  it('is summed by reason, each payment with the weight of its share', async () => {
    const all = { payments: 4, frauds: 2, accounts: 2, weight: 310, fraud_weight: 200 };
    const squares = { weight_squares: 200 * 200 + 110 * 110, fraud_weight_squares: 200 * 200, products: 200 * 200 };
    const money = { fraud_amount_minor: { CNY: 200_000 }, genuine_amount_minor: { CNY: 110_000 } };
    expect(await engine.rows(declinePrecisionQuery(SPAN))).toEqual([
      { code: '', ...all, ...squares, ...money },
      {
        ...{ code: 'A', payments: 3, frauds: 2, accounts: 2, weight: 210, fraud_weight: 200 },
        ...{ weight_squares: 200 * 200 + 100, fraud_weight_squares: 200 * 200, products: 200 * 200 },
        ...{ fraud_amount_minor: { CNY: 200_000 }, genuine_amount_minor: { CNY: 10_000 } },
      },
      {
        ...{ code: 'B', payments: 2, frauds: 1, accounts: 2, weight: 200, fraud_weight: 100 },
        ...{ weight_squares: 20_000, fraud_weight_squares: 10_000, products: 10_000 },
        ...{ fraud_amount_minor: { CNY: 100_000 }, genuine_amount_minor: { CNY: 100_000 } },
      },
    ]);
  });

  it('leaves out what is too young and what did not go on, and says how much', async () => {
    const [row] = await engine.rows(letThroughCountsQuery(SPAN));
    expect(Object.values(row ?? {}).map(Number)).toEqual([8, 1, 2]);
  });

  it('gives nothing where nothing is old enough', async () => {
    expect(await engine.rows(declinePrecisionQuery({ days: 30, matureDays: 300 }))).toEqual([]);
  });

  function payment(daysAgo: number, account: string, codes: readonly string[], percent: number): number {
    const reasons = codes.map((code) => ({ ...NO_REASON, code }));
    const letThrough: Decision['letThrough'] = { verdict: 'decline', score: 960, reasons, percent };
    records.push(paymentRecord(records.length, paymentOf(daysAgo, account), { letThrough }));
    return records.length - 1;
  }

  function paymentOf(daysAgo: number, account: string): Transaction {
    const eventTimeMs = NOW_MS - daysAgo * DAY_MS;
    return { ...bareTransaction, transactionId: `t-${records.length}`, account, amountMinor: 1_000, eventTimeMs };
  }

  function about(transactionOffset: number): { transactionId: string; transactionOffset: number; eventTimeMs: number } {
    return { transactionId: `t-${transactionOffset}`, transactionOffset, eventTimeMs: NOW_MS };
  }

  function other(event: LedgerEvent): void {
    records.push(eventRecord(records.length, event));
  }
});

const NO_REASON = {
  rule: null,
  version: null,
  list: null,
  feature: null,
  contribution: null,
  value: null,
  text: null,
};
