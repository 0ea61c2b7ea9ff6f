import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../schemas/packageRoot.ts';
import type { Decision } from '../../schemas/types.ts';
import { LiveStatistics } from './liveStatistics.ts';
import { PrometheusTelemetry } from './prometheusTelemetry.ts';

const decision: Decision = {
  ledgerOffset: 1,
  transactionId: 't-1',
  status: 'new',
  originalOffset: null,
  contentHash: '',
  engineTimeMs: 1_767_225_600_000,
  late: false,
  verdict: 'decline',
  score: 900,
  modelScore: 0.9,
  mode: 'full',
  riskLevel: 'normal',
  degraded: [],
  reasons: [],
  letThrough: null,
  rulesFired: [{ rule: 'card-velocity', version: 3, mode: 'live', snoozed: false }],
  rulePoints: 0,
  groupScores: [],
  ruleErrors: [],
  ruleSet: '1',
  ruleSetSha256: '',
  modelId: 'm',
  modelVersion: '1',
  modelSha256: null,
  catalogueSha256: '',
  explanation: null,
  features: [],
};

async function lines(telemetry: PrometheusTelemetry): Promise<string[]> {
  return (await telemetry.exposition()).text.split('\n');
}

describe('PrometheusTelemetry', () => {
  it('counts a decision with its latency, firings and failures', async () => {
    const telemetry = new PrometheusTelemetry({ processMetrics: false });
    telemetry.decision(decision, 4);
    telemetry.decision({ ...decision, mode: 'noModel', degraded: ['model'] }, 30);
    telemetry.decision({ ...decision, ruleErrors: [{ rule: 'geo', version: 1, message: 'x' }], degraded: ['geo'] }, 2);
    expect(await lines(telemetry)).toEqual(
      expect.arrayContaining([
        'sluice_decisions_total{verdict="decline",mode="full"} 2',
        'sluice_decisions_total{verdict="decline",mode="noModel"} 1',
        'sluice_decision_latency_seconds_bucket{le="0.005"} 2',
        'sluice_decision_latency_seconds_count 3',
        'sluice_rule_firings_total{rule="card-velocity",mode="live"} 3',
        'sluice_rule_errors_total{rule="geo"} 1',
        'sluice_degraded_decisions_total{mode="noModel"} 1',
        'sluice_degraded_decisions_total{mode="full"} 1',
      ]),
    );
  });

  it('counts blocks that a disk does not take, and says how many wait', async () => {
    const telemetry = new PrometheusTelemetry({ processMetrics: false });
    telemetry.blockWriteFailed();
    telemetry.blockWriteFailed();
    telemetry.waitingBlocks(2);
    telemetry.waitingBlocks(1);
    expect(await lines(telemetry)).toEqual(
      expect.arrayContaining(['sluice_reservoir_failed_writes_total 2', 'sluice_reservoir_waiting_blocks 1']),
    );
  });

  it('tells the drift measured last, and nothing of a model or feature that is gone', async () => {
    const telemetry = new PrometheusTelemetry({ processMetrics: false });
    telemetry.drift([{ model: 'old@1', feature: 'amount', psi: 3, payments: 10 }]);
    telemetry.drift([
      { model: 'new@2', feature: 'score', psi: 0.5, payments: 70 },
      { model: 'new@2', feature: 'amount', psi: 0, payments: 70 },
    ]);
    expect((await lines(telemetry)).filter((line) => /^sluice_drift_(psi|payments)/.test(line))).toEqual([
      'sluice_drift_psi{model="new@2",feature="score"} 0.5',
      'sluice_drift_psi{model="new@2",feature="amount"} 0',
      'sluice_drift_payments{model="new@2"} 70',
    ]);
  });

  it('leaves duplicates and conflicts to their own counter', async () => {
    const telemetry = new PrometheusTelemetry({ processMetrics: false });
    telemetry.decision({ ...decision, status: 'duplicate' }, 1);
    telemetry.repeated('duplicate');
    expect((await lines(telemetry)).filter((line) => line.startsWith('sluice_decisions_total{'))).toEqual([]);
    expect(await lines(telemetry)).toContain('sluice_repeated_total{kind="duplicate"} 1');
  });

  it('tells the live statistics', () => {
    const clock = { nowMs: 1_767_225_600_000 };
    const liveStatistics = new LiveStatistics(() => clock.nowMs);
    new PrometheusTelemetry({ liveStatistics, processMetrics: false }).decision(decision, 4);
    clock.nowMs += 1000;
    expect(liveStatistics.window(1).verdicts.decline).toBe(1);
  });

  it('bounds the series of a label: what is too much is counted together', async () => {
    const telemetry = new PrometheusTelemetry({ processMetrics: false });
    for (let index = 0; index < 1500; index++) telemetry.rejected(`SLUICE_${index}`);
    const series = (await lines(telemetry)).filter((line) => line.startsWith('sluice_rejected_total{'));
    expect(series).toHaveLength(1001);
    expect(series).toContain('sluice_rejected_total{code="other"} 500');
  });

  it('keeps its series to itself', async () => {
    const first = new PrometheusTelemetry();
    const second = new PrometheusTelemetry();
    first.fallback();
    first.gauge('historyLagRecords', 12);
    expect(await lines(first)).toContain('sluice_fallbacks_total 1');
    expect(await lines(second)).toContain('sluice_fallbacks_total 0');
    expect([first.gaugeValue('historyLagRecords'), second.gaugeValue('historyLagRecords')]).toEqual([12, 0]);
  });

  it('has every metric in docs/metrics.md, and nothing else is there', async () => {
    const telemetry = new PrometheusTelemetry({ processMetrics: false });
    const registered = (await telemetry.registry.getMetricsAsJSON()).map((metric) => metric.name).sort();
    const page = readFileSync(join(packageRoot, 'docs/metrics.md'), 'utf8');
    const documented = [...page.matchAll(/^\| `(sluice_\w+)/gm)].map(([, name]) => name).sort();
    expect(documented).toEqual(registered);
  });
});
