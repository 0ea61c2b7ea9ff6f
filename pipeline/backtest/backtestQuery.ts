import type { CompiledConfiguration } from '../../operators/configuration.ts';
import { HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';
import type { HistoryFacts } from './historyFacts.ts';
import { paymentsSql, withinSql } from './paymentsSql.ts';
import { BACKTEST_VERDICTS, SharedColumns, verdictSql, type RuleColumns, type VerdictSql } from './verdictSql.ts';

/** A query and the columns by which its rows are read. */
export interface BacktestQuery {
  readonly sql: string;
  readonly before: VerdictSql;
  readonly after: VerdictSql;
  readonly isCheap: boolean;
  /** Columns of which `counts` has the sums, or the values, in this order. */
  readonly columns: readonly string[];
}

/** Labels by their place in the query's rows. */
export const BACKTEST_LABELS = ['unlabelled', 'fraud', 'genuine'] as const;
export type BacktestLabel = (typeof BACKTEST_LABELS)[number];

export function labelAt(place: number): BacktestLabel {
  const label = BACKTEST_LABELS[place];
  if (label === undefined) throw new Error(`a backtest gave label ${place}`);
  return label;
}

/**
 * Moved to PREWHERE, the condition that finds the payments on a list takes three times as long. Comparisons take less time than
 * finding out which of them need not be made.
 */
const SETTINGS = '\nSETTINGS optimize_move_to_prewhere = 0';
const EAGER = `${SETTINGS}, short_circuit_function_evaluation = 'disable'`;

/** Payments kept of each kind of change, of which the report shows some. */
export const MAX_EXAMPLES = 20;

/**
 * What two configurations would have decided, over the payments of the span: one row for each day, pair of verdicts, label and
 * currency, with payments, amounts, how often each rule fired, and some payments whose verdict changes.
 */
export function backtestQuery(
  before: CompiledConfiguration,
  after: CompiledConfiguration,
  facts: HistoryFacts,
): BacktestQuery {
  const compiled = decidedPaymentsQuery(before, after, facts, null);
  const { columns } = compiled;
  const sql = `SELECT toDate(engine_time) AS day, verdict_before, verdict_after, label, currency,
  count() AS payments, sum(amount_minor) AS amount_minor,
  countIf(is_own) AS own, countIf(is_own AND recorded = verdict_before) AS own_equal,
  groupArraySortedIf(${MAX_EXAMPLES})((intHash32(ledger_offset), ledger_offset), verdict_before != verdict_after) AS examples,
  ${sumsSql(columns)} AS counts
FROM (${compiled.sql})
GROUP BY day, verdict_before, verdict_after, label, currency${compiled.isCheap ? EAGER : SETTINGS}`;
  return { ...compiled, sql };
}

/** The same for these payments alone, a row each, with what each verdict came from. */
export function backtestPaymentsQuery(
  before: CompiledConfiguration,
  after: CompiledConfiguration,
  facts: HistoryFacts,
  offsets: readonly number[],
): BacktestQuery {
  const compiled = decidedPaymentsQuery(before, after, facts, offsets);
  const sides = [compiled.before, compiled.after];
  const more = sides.flatMap(({ lists, modelVerdict, points, pointsVerdict, letThrough }) =>
    [modelVerdict, points, pointsVerdict, letThrough, ...lists.map(({ sql }) => sql)].filter(
      (column) => column !== null,
    ),
  );
  const columns = [...new Set([...compiled.columns, ...more])];
  const sql = `SELECT ledger_offset, transaction_id, toUnixTimestamp64Milli(event_time) AS event_time_ms, amount_minor,
  currency, verdict_before, verdict_after, label, ifNotFinite(model_points, -1) AS model_points,
  recorded, is_own, ${arraySql(columns.map((column) => `toUInt64(${column})`))} AS counts
FROM (${compiled.sql})
ORDER BY ledger_offset`;
  return { ...compiled, columns, sql };
}

/** Every payment, with what both configurations make of it: a column for each thing that RuleColumns and VerdictSql name. */
export function decidedPaymentsQuery(
  before: CompiledConfiguration,
  after: CompiledConfiguration,
  facts: HistoryFacts,
  offsets: readonly number[] | null,
): BacktestQuery {
  const shared = new SharedColumns();
  const one = verdictSql(before, facts, offsets, shared);
  const other = verdictSql(after, facts, offsets, shared);
  const { firings } = shared;
  const source = { facts, features: [...new Set([...one.features, ...other.features])], offsets, firings };
  const labelled = (label: string): string =>
    `p.ledger_offset IN (SELECT transaction_offset FROM ${HISTORY_DATABASE}.latest_labels ` +
    `WHERE ${withinSql(source, 'transaction_offset')} AND label = '${label}')`;
  const sql = `SELECT p.*, ${one.verdict} AS verdict_before, ${other.verdict} AS verdict_after,
  transform(p.recorded_verdict, [${BACKTEST_VERDICTS.map(quoteText).join(', ')}], [0, 1, 2, 3, 4], 255) AS recorded,
  p.rule_set_sha256 = ${quoteText(before.sha256)} AS is_own,
  multiIf(${labelled('fraud')}, 1, ${labelled('genuine')}, 2, 0) AS label
FROM (${shared.over(paymentsSql(source))}) AS p`;
  const columns = new Set([...one.rules, ...other.rules].flatMap(columnsOf));
  return { sql, before: one, after: other, isCheap: one.isCheap && other.isCheap, columns: [...columns] };
}

function sumsSql(columns: readonly string[]): string {
  return arraySql(columns.map((column) => `countIf(${column})`));
}

function arraySql(elements: readonly string[]): string {
  return elements.length === 0 ? 'emptyArrayUInt64()' : `[${elements.join(', ')}]`;
}

function columnsOf({ fires, failed, unknown }: RuleColumns): readonly string[] {
  return [fires, ...(failed === null ? [] : [failed]), ...(unknown === null ? [] : [unknown])];
}
