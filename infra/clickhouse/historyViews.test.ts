import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HistoryRecord } from '../../pipeline/ports.ts';
import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import { packageRoot } from '../../schemas/packageRoot.ts';
import type { Decision, ModelPromotion, Transaction } from '../../schemas/types.ts';
import { DriftWatch, type DriftLine } from './driftWatch.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { TestEngine } from './testing/engine.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const CATALOGUE = { catalogueSha256: 'a'.repeat(64), names: ['card_count_1h'] };
const guide = readFileSync(join(packageRoot, 'docs', 'history.md'), 'utf8');
const examples = [...guide.matchAll(/```sql\n([\s\S]*?)\n```/g)].map((match) => match[1] ?? '');

if (platformPackage() === undefined) console.log('historyViews.test: no ClickHouse engine for this platform, not run');

/**
 * Four payments: 0 approved and genuine; 1 declined by a rule and fraud; 2 approved, labelled fraud and then corrected to
 * genuine; 3 approved by the engine, but the gateway was given a fallback, fraud. Then the labels and the fallback.
 */
describe.runIf(platformPackage() !== undefined)('the views of the history', () => {
  let engine: TestEngine;
  let history: ClickHouseHistory;

  beforeAll(async () => {
    engine = await TestEngine.start();
    history = new ClickHouseHistory({ url: engine.clickHouse.url });
    await history.prepare([CATALOGUE]);
    const fired: Partial<Decision> = {
      verdict: 'decline',
      score: 900,
      rulesFired: [{ rule: 'velocity', version: 3, mode: 'live', snoozed: false }],
    };
    const shadow: Partial<Decision> = { rulesFired: [{ rule: 'night', version: 1, mode: 'shadow', snoozed: false }] };
    const records = [
      payment(0, { modelScore: 0.1, features: [1] }),
      payment(1, { ...fired, modelScore: 0.9, features: [Number.NaN] }),
      payment(2, { ...shadow, modelScore: 0.6, features: [3] }),
      payment(3, { modelScore: 0.7, features: [8] }),
      other(4, label(0, 'genuine')),
      other(5, label(1, 'fraud')),
      other(6, label(2, 'fraud')),
      other(7, label(2, 'genuine')),
      other(8, label(3, 'fraud')),
      other(9, {
        kind: 'fallback',
        event: {
          transactionId: 't-3',
          transactionOffset: 3,
          eventTimeMs: START_MS,
          verdict: 'review',
          deadlineMs: 100,
        },
      }),
    ];
    const change = (
      offset: number,
      action: 'put' | 'delete',
      value: string,
      more: readonly string[] = [],
    ): HistoryRecord =>
      other(offset, {
        kind: 'listChange',
        event: {
          ...{ eventTimeMs: START_MS, list: 'ips', value, action, expiresAtMs: null, author: 'ana', reason: 'seen' },
          further: more.map((each) => ({ value: each, expiresAtMs: START_MS + 1, reason: null })),
        },
      });
    records.push(
      change(10, 'put', 'a', ['b']),
      change(11, 'delete', 'a'),
      change(12, 'put', 'a'),
      change(13, 'put', 'b'),
    );
    records.push(other(14, { kind: 'modelPromotion', event: promotion() }));
    await history.write({ fromOffset: 0, toOffset: records.length, records });
  });
  afterAll(async () => {
    await history.close();
    await engine.stop();
  });

  it('verdicts_by_hour: shares of each hour', async () => {
    expect(
      await engine.rows('SELECT hour, payments, approve_share, decline_share FROM sluice.verdicts_by_hour'),
    ).toEqual([{ hour: '2026-01-01 00:00:00', payments: 4, approve_share: 0.75, decline_share: 0.25 }]);
  });

  it('list_periods: who was on a list when', async () => {
    const periods = await engine.rows(
      `SELECT value, toUInt32(from_offset) AS from, if(to_offset > 1000, NULL, toUInt32(to_offset)) AS to, expires_at, reason
       FROM sluice.list_periods ORDER BY value, from_offset`,
    );
    const expires_at = '2026-01-01 00:00:00.001';
    expect(periods).toEqual([
      { value: 'a', from: 10, to: 11, expires_at: null, reason: 'seen' },
      { value: 'a', from: 12, to: null, expires_at: null, reason: 'seen' },
      { value: 'b', from: 10, to: 13, expires_at, reason: 'seen' },
      { value: 'b', from: 13, to: null, expires_at: null, reason: 'seen' },
    ]);
  });

  it('latest_labels: the last label counts', async () => {
    expect(
      await engine.rows('SELECT transaction_id, label FROM sluice.latest_labels ORDER BY transaction_offset'),
    ).toEqual([
      { transaction_id: 't-0', label: 'genuine' },
      { transaction_id: 't-1', label: 'fraud' },
      { transaction_id: 't-2', label: 'genuine' },
      { transaction_id: 't-3', label: 'fraud' },
    ]);
  });

  it('model_drift: the index of score and features against training, undefined values apart', async () => {
    const rows = await engine.rows(
      'SELECT day, model_id, feature, payments, psi, live_undefined, training_undefined FROM sluice.model_drift ORDER BY feature',
    );
    const stability = (live: readonly number[], training: readonly number[]): unknown => {
      const index = live.reduce((sum, share, bin) => {
        const [a, e] = [Math.max(share, 0.0001), Math.max(training[bin] ?? NaN, 0.0001)];
        return sum + (a - e) * Math.log(a / e);
      }, 0);
      return expect.closeTo(index, 12);
    };
    const common = { day: '2026-01-01', model_id: 'cards', payments: 4, training_undefined: 0 };
    expect(rows).toEqual([
      { ...common, feature: 'card_count_1h', psi: stability([0.25, 0.25, 0.5], [0, 0.5, 0.5]), live_undefined: 0.25 },
      { ...common, feature: 'score', psi: stability([0, 0.25, 0.75], [0, 0.5, 0.5]), live_undefined: 0 },
    ]);
  });

  it('the drift that is told as metrics is that of the view, and of nothing where there is nothing', async () => {
    const server = { url: engine.clickHouse.url, username: 'default', password: '' };
    const stopping = new AbortController();
    const measured = await new Promise<readonly DriftLine[]>((resolve) => {
      const watch = new DriftWatch({ ...server, onMeasured: resolve, firstAfterMs: 1, everyMs: 1 });
      void watch.run(stopping.signal);
    });
    stopping.abort();
    const view = await engine.rows('SELECT feature, psi, payments FROM sluice.model_drift ORDER BY psi DESC');
    expect(view).toHaveLength(2);
    expect(measured.map(({ feature, psi, payments }) => ({ feature, psi, payments }))).toEqual(view);
    expect(measured[0]?.model).toBe('cards@1');
    const empty = await TestEngine.start();
    const nothing = new DriftWatch({ ...server, url: empty.clickHouse.url, onMeasured: () => undefined });
    expect(await nothing.measure(new AbortController().signal)).toEqual([]);
    await empty.stop();
  });

  it('rule_performance: against the labels, shadow rules too', async () => {
    expect(
      await engine.rows(
        'SELECT rule, mode, firings, labelled_firings, fraud_firings, precision, recall, fraud_amount_minor FROM sluice.rule_performance',
      ),
    ).toEqual([
      {
        rule: 'night',
        mode: 'shadow',
        firings: 1,
        labelled_firings: 1,
        fraud_firings: 0,
        precision: 0,
        recall: 0,
        fraud_amount_minor: {},
      },
      {
        rule: 'velocity',
        mode: 'live',
        firings: 1,
        labelled_firings: 1,
        fraud_firings: 1,
        precision: 1,
        recall: 0.5,
        fraud_amount_minor: { CNY: 101 },
      },
    ]);
  });

  it('top_merchants_by_fraud: only merchants with frauds', async () => {
    expect(
      await engine.rows(
        'SELECT merchant, payments, labelled_payments, fraud_payments FROM sluice.top_merchants_by_fraud',
      ),
    ).toEqual([{ merchant: 'm-1', payments: 2, labelled_payments: 2, fraud_payments: 2 }]);
  });

  it('feature_distribution and feature_values: undefined values are counted apart', async () => {
    expect(await engine.rows('SELECT * EXCEPT (p95, p99) FROM sluice.feature_distribution')).toEqual([
      { feature: 'card_count_1h', payments: 4, undefined_values: 1, minimum: 1, p50: 3, maximum: 8 },
    ]);
    expect(await engine.rows('SELECT value FROM sluice.feature_values WHERE ledger_offset = 1')).toEqual([
      { value: null },
    ]);
  });

  it('effective_verdicts: the fallback goes before the decision', async () => {
    expect(
      await engine.rows(
        'SELECT verdict, is_fallback, decided_verdict FROM sluice.effective_verdicts ORDER BY ledger_offset LIMIT 2 OFFSET 2',
      ),
    ).toEqual([
      { verdict: 'approve', is_fallback: false, decided_verdict: 'approve' },
      { verdict: 'review', is_fallback: true, decided_verdict: 'approve' },
    ]);
  });

  it('labelled_decisions: features and the target', async () => {
    expect(
      await engine.rows(
        'SELECT ledger_offset, f_card_count_1h, is_fraud FROM sluice.labelled_decisions ORDER BY ledger_offset LIMIT 2',
      ),
    ).toEqual([
      { ledger_offset: 0, f_card_count_1h: 1, is_fraud: 0 },
      { ledger_offset: 1, f_card_count_1h: 'nan', is_fraud: 1 },
    ]);
  });

  it('model_performance and model_summary: at every threshold and as a whole', async () => {
    expect(
      await engine.rows(
        'SELECT threshold, flagged_payments, flagged_frauds, precision, recall, false_positive_rate FROM sluice.model_performance WHERE threshold IN (600, 800)',
      ),
    ).toEqual([
      {
        threshold: 600,
        flagged_payments: 3,
        flagged_frauds: 2,
        precision: 2 / 3,
        recall: 1,
        false_positive_rate: 0.5,
      },
      { threshold: 800, flagged_payments: 1, flagged_frauds: 1, precision: 1, recall: 0.5, false_positive_rate: 0 },
    ]);
    expect(await engine.rows('SELECT labelled_payments, fraud_payments, roc_auc FROM sluice.model_summary')).toEqual([
      { labelled_payments: 4, fraud_payments: 2, roc_auc: 1 },
    ]);
  });

  it.each(examples)('the guide: %s', async (example) => {
    expect(await engine.rows(example)).not.toEqual([]);
  });
});

/** Of the model that scored, with two bins of score and feature. */
function promotion(): ModelPromotion {
  const half = (edge: number): object => ({ edges: [edge], shares: [0, 0.5, 0.5] });
  const trainingDistribution = { rows: 100, score: half(0.5), features: { card_count_1h: half(2) } };
  return {
    eventTimeMs: START_MS,
    modelId: 'cards',
    version: '1',
    sha256: 'c'.repeat(64),
    metadata: JSON.stringify({ trainingDistribution }),
    action: 'promote',
    step: 'apply',
    proposalOffset: null,
    percent: 100,
    author: 'test',
    reason: '',
  };
}

function payment(offset: number, decided: Partial<Decision>): HistoryRecord {
  const event: Transaction = {
    transactionId: `t-${offset}`,
    eventTimeMs: START_MS + offset * 60_000,
    type: 'purchase',
    channel: 'card',
    amountMinor: 100 + offset,
    currency: 'CNY',
    account: 'a-1',
    card: { token: 'card-1', bin: null, last4: null },
    device: null,
    ip: null,
    merchant: `m-${offset % 2}`,
    mcc: null,
    terminal: null,
    payee: null,
    country: 'CN',
    authMethods: [],
    originalTransactionId: null,
    attributes: { basketItems: 3 },
  };
  const decision: Decision = {
    ledgerOffset: offset,
    transactionId: event.transactionId,
    status: 'new',
    originalOffset: null,
    contentHash: '',
    engineTimeMs: event.eventTimeMs,
    late: false,
    verdict: 'approve',
    letThrough: null,
    score: 100,
    modelScore: null,
    mode: 'full',
    riskLevel: 'normal',
    degraded: [],
    reasons: [
      {
        code: 'MODEL',
        rule: null,
        version: null,
        list: null,
        feature: 'card_count_1h',
        contribution: 0.1,
        value: 3,
        text: null,
      },
    ],
    rulesFired: [],
    rulePoints: 0,
    groupScores: [],
    ruleErrors: [],
    ruleSet: '1',
    ruleSetSha256: 'b'.repeat(64),
    modelId: 'cards',
    modelVersion: '1',
    modelSha256: 'c'.repeat(64),
    catalogueSha256: CATALOGUE.catalogueSha256,
    explanation: null,
    features: [0],
    ...decided,
  };
  return { ...other(offset, { kind: 'transaction', event }), decision };
}

function label(transactionOffset: number, truth: 'fraud' | 'genuine'): LedgerEvent {
  return {
    kind: 'label',
    event: {
      transactionId: `t-${transactionOffset}`,
      transactionOffset,
      eventTimeMs: START_MS + 86_400_000,
      label: truth,
      labelSource: 'review',
      fraudType: null,
    },
  };
}

function other(offset: number, event: LedgerEvent): HistoryRecord {
  return {
    offset,
    ingestTimeMs: START_MS,
    source: 'test',
    event,
    value: encodeLedgerRecord(event, START_MS, 'test'),
    decision: null,
    seal: null,
  };
}
