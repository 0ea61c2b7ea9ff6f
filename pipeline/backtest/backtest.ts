import { z } from 'zod';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import { maxListEntries } from '../../operators/lists/listState.ts';
import { backtestPaymentsQuery, backtestQuery, labelAt, MAX_EXAMPLES, type BacktestQuery } from './backtestQuery.ts';
import type { BacktestExample, BacktestReport } from './backtestReport.ts';
import { BacktestTotals, verdictAt } from './backtestTotals.ts';
import { gatherFacts, type BacktestSpan, type HistoryFacts, type HistoryRows } from './historyFacts.ts';
import type { ReviewSettings } from './reviewSettings.ts';
import type { BacktestVerdict, VerdictSql } from './verdictSql.ts';

const MS_PER_DAY = 86_400_000;

/**
 * What publishing `after` would have changed over the span, against what is in force. Every payment is decided anew by both, with
 * features, score, lists and risk level as they were when it came: one query over the history, and one for the examples.
 */
export async function backtest(
  after: CompiledConfiguration,
  span: BacktestSpan,
  review: ReviewSettings,
  rows: HistoryRows,
  onDeciding?: () => void,
): Promise<BacktestReport> {
  const facts = await gatherFacts(rows, span);
  onDeciding?.();
  const before = facts.inForce;
  const query = backtestQuery(before, after, facts);
  const totals = new BacktestTotals(await rows(query.sql), query);
  const days = (facts.span.lastTimeMs - facts.span.firstTimeMs) / MS_PER_DAY;
  const flows = totals.flows();
  const paymentsOf = (which: (flow: (typeof flows)[number]) => boolean): number =>
    flows.filter(which).reduce((total, { payments }) => total + payments, 0);
  const isUnknown = (flow: (typeof flows)[number]): boolean => flow.before === 'unknown' || flow.after === 'unknown';
  const { alertVerdicts: verdicts, capacityPerDay } = review;
  return {
    before: { version: before.definition.ruleSetVersion, sha256: before.sha256 },
    after: { version: after.definition.ruleSetVersion, sha256: after.sha256 },
    span: { ...facts.span, days },
    changed: paymentsOf((flow) => !isUnknown(flow) && flow.before !== flow.after),
    unknown: paymentsOf(isUnknown),
    labels: totals.labels(),
    flows,
    quality: totals.quality(),
    money: totals.money(),
    alerts: {
      verdicts,
      capacityPerDay,
      before: totals.alerts('before', verdicts, { days, capacityPerDay }),
      after: totals.alerts('after', verdicts, { days, capacityPerDay }),
    },
    rules: totals.rules(),
    examples: await examples(before, after, facts, totals.exampleOffsets(MAX_EXAMPLES), rows),
    check: totals.check(),
    notes: notes(query, before, after, facts),
  };
}

async function examples(
  before: CompiledConfiguration,
  after: CompiledConfiguration,
  facts: HistoryFacts,
  offsets: readonly number[],
  rows: HistoryRows,
): Promise<readonly BacktestExample[]> {
  if (offsets.length === 0) return [];
  const query = backtestPaymentsQuery(before, after, facts, offsets);
  const found = (await rows(query.sql)).map((row) => exampleOf(row, query));
  return [...found].sort((one, other) => offsets.indexOf(one.ledgerOffset) - offsets.indexOf(other.ledgerOffset));
}

const exampleShape = z.object({
  ledger_offset: z.number(),
  transaction_id: z.string(),
  event_time_ms: z.number(),
  amount_minor: z.number(),
  currency: z.string(),
  label: z.number(),
  verdict_before: z.number(),
  verdict_after: z.number(),
  model_points: z.number(),
  counts: z.array(z.number()),
});

function exampleOf(row: unknown, { before, after, columns }: BacktestQuery): BacktestExample {
  const payment = exampleShape.parse(row);
  const because = (side: VerdictSql, verdict: BacktestVerdict): readonly string[] => {
    const valueOf = (column: string): number => payment.counts[columns.indexOf(column)] ?? 0;
    const holds = (column: string): boolean => valueOf(column) > 0;
    const lists = side.lists.filter(({ sql }) => holds(sql)).map(({ list }) => list);
    const blocks = lists.filter(({ kind }) => kind === 'block');
    if (blocks.length > 0) return blocks.map(({ name }) => `list:${name}`);
    if (lists.length > 0) return lists.map(({ name }) => `list:${name}`);
    const isLetThrough = side.letThrough !== null && holds(side.letThrough);
    if (verdict === 'approve' && !isLetThrough) return [];
    const fired = side.rules.filter(({ rule, fires }) => rule.mode === 'live' && holds(fires));
    const byModel = holds(side.modelVerdict) ? [`model:${payment.model_points}`] : [];
    const isByPoints = side.pointsVerdict !== null && holds(side.pointsVerdict);
    const byPoints = side.points !== null && isByPoints ? [`points:${valueOf(side.points)}`] : [];
    const said = [...fired.map(({ rule }) => `rule:${rule.id}`), ...byPoints, ...byModel];
    return isLetThrough ? ['letThrough', ...said] : said;
  };
  const [one, other] = [verdictAt(payment.verdict_before), verdictAt(payment.verdict_after)];
  return {
    ledgerOffset: payment.ledger_offset,
    transactionId: payment.transaction_id,
    eventTimeMs: payment.event_time_ms,
    amountMinor: payment.amount_minor,
    currency: payment.currency,
    label: labelAt(payment.label),
    before: one,
    after: other,
    becauseBefore: because(before, one),
    becauseAfter: because(after, other),
  };
}

/** What the report cannot know, told and not guessed. */
function notes(
  { before: one, after: other }: BacktestQuery,
  before: CompiledConfiguration,
  after: CompiledConfiguration,
  facts: HistoryFacts,
): readonly string[] {
  const said: string[] = [];
  if (before.sha256 === after.sha256) said.push('This rule set is the one in force: nothing changes.');
  const sides = [
    { name: 'the rule set in force', sql: one },
    { name: 'the new rule set', sql: other },
  ];
  for (const { name, sql } of sides) said.push(...unrecordedNotes(name, sql, facts));
  const declared = new Set(before.listNames);
  for (const name of after.listNames)
    if (!declared.has(name)) said.push(`The list ${name} is new: no payment of the span could be on it.`);
  for (const [name, { changes }] of facts.lists)
    if (changes > maxListEntries)
      said.push(
        `The list ${name} was changed ${changes} times: entries that the engine refused because the list was full count as being on it.`,
      );
  return said;
}

function unrecordedNotes(
  name: string,
  { unrecorded, rules }: VerdictSql,
  { catalogues }: HistoryFacts,
): readonly string[] {
  const note = (features: readonly string[], where: string): readonly string[] => {
    if (features.length === 0) return [];
    const readers = rules.filter(({ rule }) => features.some((feature) => readsFeature(rule.when, feature)));
    return [
      `Of ${name}, ${named(readers.map(({ rule }) => rule.id))} read ${named(features.map((feature) => `f.${feature}`))}, which ` +
        `${where} of the span has recorded as defined there. A verdict that hangs on it is counted as unknown.`,
    ];
  };
  const [nowhere, somewhere] = [new Array<string>(), new Array<string>()];
  for (const [feature, lacking] of unrecorded) (lacking.length === catalogues.size ? nowhere : somewhere).push(feature);
  return [...note(nowhere, 'no payment'), ...note(somewhere, 'not every payment')];
}

const MAX_NAMED = 5;

function named(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}

function readsFeature(when: string, feature: string): boolean {
  return new RegExp(`\\bf\\s*\\.\\s*${feature}\\b`).test(when);
}
