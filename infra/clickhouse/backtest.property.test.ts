import { join } from 'node:path';
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import { backtest } from '../../pipeline/backtest/backtest.ts';
import { backtestPaymentsQuery, type BacktestQuery } from '../../pipeline/backtest/backtestQuery.ts';
import { gatherFacts, type HistoryRows } from '../../pipeline/backtest/historyFacts.ts';
import { BACKTEST_VERDICTS, type RuleColumns } from '../../pipeline/backtest/verdictSql.ts';
import { packageRoot } from '../../schemas/packageRoot.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import type { Decision } from '../../schemas/types.ts';
import { loadDeployment, type Deployment } from '../deployment/loadDeployment.ts';
import { backtestRows } from './backtestRows.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { DecidedLedger } from './testing/decidedLedger.ts';
import { TestEngine } from './testing/engine.ts';
import { eventfulLedger } from './testing/eventfulLedger.ts';
import { randomConfiguration, type SeenFeature } from './testing/randomRules.ts';

const PAYMENTS = 500;
/** Random ones: so many at least, and on until everything that can happen has happened, but so many at most. */
const RULE_SETS = { least: 5, most: 40 };
const seed = Number(process.env['SLUICE_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));
const REVIEW = { alertVerdicts: ['review'], capacityPerDay: 5 } as const;
const rowShape = z.object({
  ledger_offset: z.number(),
  verdict_before: z.number(),
  verdict_after: z.number(),
  counts: z.array(z.number()),
});

if (platformPackage() === undefined) console.log('backtest.property.test: no ClickHouse engine here, not run');

describe.runIf(platformPackage() !== undefined)('a backtest', () => {
  let engine: TestEngine;
  let history: ClickHouseHistory;
  let deployment: Deployment;
  let events: readonly LedgerEvent[];
  let ledger: DecidedLedger;
  let recorded: ReadonlyMap<number, Decision>;
  let inForce: CompiledConfiguration;
  let client: ClickHouseClient;
  let rows: HistoryRows;

  beforeAll(async () => {
    console.log(`backtest.property.test: SLUICE_TEST_SEED=${seed}`);
    const loaded = await loadDeployment(join(packageRoot, 'config/default'));
    if (!loaded.ok || loaded.deployment.model === null) throw new Error('the default deployment is not sound');
    deployment = withLists(loaded.deployment);
    const { model } = loaded.deployment;
    inForce = changed(deployment, 'in-force', 0.7);
    events = eventfulLedger([deployment.configuration, changed(deployment, 'second', 1.2), inForce], model, {
      seed,
      payments: PAYMENTS,
    });
    ledger = new DecidedLedger(events, model);
    recorded = await ledger.decide(null);
    engine = await TestEngine.start();
    history = new ClickHouseHistory({ url: engine.clickHouse.url });
    await ledger.write(history, recorded);
    client = createClient({ url: engine.clickHouse.url, request_timeout: 300_000 });
    rows = backtestRows(client);
  }, 120_000);
  afterAll(async () => {
    await client.close();
    await history.close();
    await engine.stop();
  });

  it('gives the verdict, the firings and the failures that an engine gives, payment by payment', async () => {
    const facts = await gatherFacts(rows, { kind: 'days', days: 365 });
    expect(facts.span.payments).toBe(recorded.size);
    expect(facts.inForce.sha256).toBe(inForce.sha256);
    const before = await ledger.decide(inForce);
    const counts = {
      rows: 0,
      approve: 0,
      challenge: 0,
      review: 0,
      decline: 0,
      letThrough: 0,
      points: 0,
      firings: 0,
      failures: 0,
    };
    const candidates = [deployment.configuration, ...randomConfigurations()];
    const isSeen = (): boolean => Object.values({ ...counts, letThrough: 10 + counts.letThrough }).every((n) => n > 10);
    let tried = 0;
    for (const candidate of candidates) {
      if (tried > RULE_SETS.least && isSeen()) break;
      tried += 1;
      const after = await ledger.decide(candidate);
      const query = backtestPaymentsQuery(inForce, candidate, facts, [...recorded.keys()]);
      const found = await rows(query.sql);
      expect(found).toHaveLength(recorded.size);
      for (const row of found) {
        const { ledger_offset: offset, verdict_before, verdict_after, counts: flags } = rowShape.parse(row);
        const told = { before: BACKTEST_VERDICTS[verdict_before], after: BACKTEST_VERDICTS[verdict_after] };
        const [one, other] = [before.get(offset), after.get(offset)];
        const where = `${JSON.stringify(candidate.definition.rules.map(({ when }) => when))} at ${offset}: ${JSON.stringify(events[offset])}`;
        expect(told, where).toEqual({ before: one?.verdict, after: other?.verdict });
        expect(firings(query, flags), where).toEqual({
          fired: other?.rulesFired.map(({ rule }) => rule),
          failed: other?.ruleErrors.map(({ rule }) => rule),
        });
        const isLetThrough = after.get(offset)?.letThrough !== null;
        expect(holds(query, query.after.letThrough, flags), where).toBe(isLetThrough);
        const points = query.after.points === null ? 0 : flags[query.columns.indexOf(query.after.points)];
        expect(points, where).toBe(other?.rulePoints);
        if (points !== 0) counts.points += 1;
        counts.rows += 1;
        if (isLetThrough) counts.letThrough += 1;
        counts[other?.verdict ?? 'approve'] += 1;
        counts.firings += other?.rulesFired.length ?? 0;
        counts.failures += other?.ruleErrors.length ?? 0;
      }
    }
    console.log(`backtest.property.test: ${tried} rule sets: ${JSON.stringify(counts)}`);
    expect(isSeen(), JSON.stringify(counts)).toBe(true);
  }, 300_000);

  it('counts what the decisions of two engines and the labels give', async () => {
    const candidate = deployment.configuration;
    const [before, after] = [await ledger.decide(inForce), await ledger.decide(candidate)];
    const report = await backtest(candidate, { kind: 'days', days: 365 }, REVIEW, rows);
    const labels = new Map<number, string>();
    for (const event of events)
      if (event.kind === 'label' && event.event.transactionOffset !== null)
        labels.set(event.event.transactionOffset, event.event.label);
    const flows = new Map<string, Record<string, number>>();
    let equal = 0;
    let own = 0;
    for (const [offset, { verdict }] of before) {
      const event = events[offset];
      if (event?.kind !== 'transaction') throw new Error('not a payment');
      const key = `${verdict} ${after.get(offset)?.verdict ?? ''}`;
      const flow = flows.get(key) ?? { payments: 0, fraud: 0, genuine: 0, unlabelled: 0 };
      const label = labels.get(offset) ?? 'unlabelled';
      flows.set(key, {
        ...flow,
        payments: (flow['payments'] ?? 0) + 1,
        [label]: (flow[label] ?? 0) + 1,
        [event.event.currency]: (flow[event.event.currency] ?? 0) + event.event.amountMinor,
      });
      if (recorded.get(offset)?.ruleSetSha256 !== inForce.sha256) continue;
      own += 1;
      if (recorded.get(offset)?.verdict === verdict) equal += 1;
    }
    const told = report.flows.map(({ before: one, after: other, amountMinor, ...counts }) => [
      `${one} ${other}`,
      { ...counts, ...amountMinor },
    ]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(flows));
    expect(report.check).toEqual({ payments: own, equal });
    expect(own).toBeGreaterThan(100);
    expect(equal).toBe(own);
    expect(report.unknown).toBe(0);
    const alerts = [...after.values()].filter(({ verdict }) => verdict === 'review').length;
    expect(report.alerts.after.alerts).toBe(alerts);
    expect(report.examples.length).toBe(Math.min(20, report.changed));
    for (const { ledgerOffset, before: one, after: other } of report.examples)
      expect([one, other]).toEqual([before.get(ledgerOffset)?.verdict, after.get(ledgerOffset)?.verdict]);
    for (const { rule, after: outcome } of report.rules)
      expect([rule, outcome?.hits]).toEqual([
        rule,
        [...after.values()].filter(({ rulesFired }) => rulesFired.some((fired) => fired.rule === rule)).length,
      ]);
  }, 300_000);

  it('reads what rules did that all which decided in the span had too, and gives what an engine gives', async () => {
    const { random, candidate, other, before, after } = await changedEverySecond();
    const otherEngine = await TestEngine.start();
    const otherHistory = new ClickHouseHistory({ url: otherEngine.clickHouse.url });
    const otherClient = createClient({ url: otherEngine.clickHouse.url, request_timeout: 300_000 });
    try {
      await other.write(otherHistory, before);
      const ask = backtestRows(otherClient);
      const facts = await gatherFacts(ask, { kind: 'days', days: 365 });
      const query = backtestPaymentsQuery(random, candidate, facts, [...before.keys()]);
      const active = random.definition.rules.filter(({ mode }) => mode !== 'off').length;
      const places = query.sql.match(/bitTest\(p\.fired_\d+, \d+\)/g) ?? [];
      expect(new Set(places).size).toBe(active);
      const found = await ask(query.sql);
      expect(found).toHaveLength(before.size);
      for (const row of found) {
        const { ledger_offset: offset, verdict_before, verdict_after, counts: flags } = rowShape.parse(row);
        const [one, two] = [before.get(offset), after.get(offset)];
        expect([BACKTEST_VERDICTS[verdict_before], BACKTEST_VERDICTS[verdict_after]]).toEqual([
          one?.verdict,
          two?.verdict,
        ]);
        expect(firings(query, flags)).toEqual({
          fired: two?.rulesFired.map(({ rule }) => rule),
          failed: two?.ruleErrors.map(({ rule }) => rule),
        });
      }
    } finally {
      await otherClient.close();
      await otherHistory.close();
      await otherEngine.stop();
    }
  }, 300_000);

  it('counts a verdict as unknown where it hangs on a feature that was not recorded', async () => {
    const { definition } = inForce;
    const [rule] = definition.rules;
    if (rule === undefined) throw new Error('no rule');
    const when = "tx.type == 'transfer' && f.new_feature > 5";
    const newRule = { ...rule, id: 'new', when, params: {}, then: { ...rule.then, verdict: 'review' as const } };
    const candidate = compileConfiguration({
      ...definition,
      ruleSetVersion: 'candidate',
      features: [
        ...definition.features,
        { name: 'new_feature', aggregate: 'expression', expression: 'tx.amountMinor' },
      ],
      rules: [...definition.rules, { ...newRule, mode: 'live', rollout: 100 }],
    });
    if (!candidate.ok) throw new Error(JSON.stringify(candidate.problems));
    const report = await backtest(candidate.value, { kind: 'days', days: 365 }, REVIEW, rows);
    let unknown = 0;
    let transfers = 0;
    for (const [offset, { verdict, reasons, letThrough }] of await ledger.decide(inForce)) {
      const event = events[offset];
      if (event?.kind !== 'transaction' || event.event.type !== 'transfer') continue;
      transfers += 1;
      const isLower = (verdict === 'approve' && letThrough === null) || verdict === 'challenge';
      if (isLower && !reasons.some(({ code }) => code === 'ALLOW_LIST')) unknown += 1;
    }
    expect(unknown).toBeGreaterThan(5);
    expect(report.unknown).toBe(unknown);
    expect(report.flows.filter(({ before }) => before === 'unknown')).toEqual([]);
    expect(report.rules.find(({ rule: id }) => id === 'new')?.after).toMatchObject({ hits: 0, unknown: transfers });
    expect(report.notes.join()).toMatch(/new read f\.new_feature, which no payment/);
  }, 300_000);

  /** A ledger that random rules decide, and the same rules but for every second one, of which enough fire. */
  async function changedEverySecond() {
    if (deployment.model === null) throw new Error('no model');
    for (const random of randomConfigurations()) {
      const { definition } = random;
      const rules = definition.rules.map((rule, index) =>
        index % 2 === 0
          ? { ...rule, when: `!(${rule.when})`, examples: [] }
          : { ...rule, mode: rule.mode === 'off' ? rule.mode : ('live' as const), examples: [] },
      );
      const compiled = compileConfiguration({ ...definition, ruleSetVersion: 'every-second', rules });
      if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
      const candidate = compiled.value;
      const own = eventfulLedger([random], deployment.model, { seed: seed + 1, payments: PAYMENTS });
      const other = new DecidedLedger(own, deployment.model);
      const before = await other.decide(null);
      const after = await other.decide(candidate);
      const fired = [...before.values(), ...after.values()].reduce((sum, { rulesFired }) => sum + rulesFired.length, 0);
      if (fired > 20) return { random, candidate, other, before, after };
    }
    throw new Error('no random rules fire');
  }

  function randomConfigurations(): readonly CompiledConfiguration[] {
    const { catalogue, definition } = deployment.configuration;
    const seen = catalogue.names.map((name, index): SeenFeature => {
      const values = [...recorded.values()].map(({ features }) => features[index] ?? NaN).filter(Number.isFinite);
      return { name, values: values.length === 0 ? [0] : values.filter((_, place) => place % 37 === 0) };
    });
    const usable = seen.filter(({ values }) => values.length > 0);
    const sets = fc.sample(randomConfiguration(definition, usable, 'card_count_10m'), {
      seed,
      numRuns: RULE_SETS.most,
    });
    return sets.filter((set) => set !== null);
  }

  /** Rules that fired and failed under the new rule set, in order. */
  function firings(query: BacktestQuery, flags: readonly number[]) {
    const ids = (which: (rule: RuleColumns) => string | null): readonly string[] =>
      query.after.rules.filter((rule) => holds(query, which(rule), flags)).map(({ rule }) => rule.id);
    return { fired: ids(({ fires }) => fires), failed: ids(({ failed }) => failed) };
  }
});

function holds({ columns }: BacktestQuery, column: string | null, flags: readonly number[]): boolean {
  return column !== null && flags[columns.indexOf(column)] === 1;
}

/** With lists of every kind of subject beside its own. */
function withLists(deployment: Deployment): Deployment {
  const text = { en: 'list', zh: 'list' };
  const compiled = compileConfiguration({
    ...deployment.definition,
    lists: [
      ...deployment.definition.lists,
      { name: 'block-bins', kind: 'block', entity: 'bin', text },
      { name: 'watch-countries', kind: 'watch', entity: 'country', text },
      { name: 'allow-texts', kind: 'allow', entity: 'attributes.x', text },
    ],
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return { ...deployment, definition: compiled.value.definition, configuration: compiled.value };
}

/** The default configuration with other limits: every number that is a param, times the factor. */
function changed({ definition }: Deployment, ruleSetVersion: string, factor: number): CompiledConfiguration {
  const rules = definition.rules.map((rule) => ({
    ...rule,
    params: Object.fromEntries(
      Object.entries(rule.params).map(([name, value]) => [name, typeof value === 'number' ? value * factor : value]),
    ),
    examples: [],
  }));
  const letThrough = { percent: 10, maxAmountMinor: { CNY: 1e12 }, salt: ruleSetVersion };
  const policy = { ...definition.policy, letThrough };
  const compiled = compileConfiguration({ ...definition, ruleSetVersion, rules, policy });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}
