import { otherColumns, paymentColumns } from '../../operators/cel/sql/paymentColumns.ts';
import { FEATURE_PREFIX, HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { floatLiteral, quoteName, quoteText } from '../../operators/sql/sqlText.ts';
import { OVERLOAD_AUTHOR } from '../engine/postureState.ts';
import type { RecordedFirings } from './recordedFirings.ts';
import type { Calibration, CalibrationFrom, HistoryFacts } from './historyFacts.ts';

/** The payments of a span and what of them is read. */
export interface PaymentsSource {
  readonly facts: HistoryFacts;
  /** Names of features that are read and have a column. */
  readonly features: readonly string[];
  /** Only these; null: all of the span. */
  readonly offsets: readonly number[] | null;
  /** Which rules' firings are read; null: none's. */
  readonly firings: RecordedFirings | null;
}

/** In decisions too, so that the two tables are joined only for what is not. */
const decisionColumns = ['transaction_id', 'event_time', 'amount_minor', 'currency'] as const;
const transactionColumns = [
  ...Object.values(paymentColumns).map(({ column }) => column),
  ...Object.values(otherColumns),
].filter((column) => !decisionColumns.some((known) => known === column));

/** Whether it is one of the transactions' own columns of the payment p. */
export function isPlainColumn(sql: string): boolean {
  return sql.startsWith('p.') && transactionColumns.some((column) => `p.${column}` === sql);
}

/** Which rows of a table of the history are the source's payments, by the column that holds their offset. */
export function withinSql({ facts, offsets }: PaymentsSource, column = 'ledger_offset'): string {
  const { fromOffset, toOffset } = facts.span;
  if (offsets !== null) return `${column} IN (${offsets.join(', ')})`;
  return `${column} BETWEEN ${fromOffset} AND ${toOffset - 1}`;
}

/**
 * The payments as rules and policy saw them: every column of the payment, the features asked for, `model_points` (the score from 0 to
 * 1000) and `model_probability`, NaN where no model scored, and the `risk_level` in force.
 */
export function paymentsSql(source: PaymentsSource): string {
  const { facts, features, firings } = source;
  const featureColumns = features.map((name) => quoteName(FEATURE_PREFIX + name));
  const decided = [...recordedColumns, 'verdict', 'model_score', 'model_sha256', ...featureColumns];
  const columns = [
    ...[...recordedColumns, ...featureColumns, ...transactionColumns].map((column) => `d.${column} AS ${column}`),
    'd.verdict AS recorded_verdict',
    'ifNull(d.model_score, nan) AS model_probability',
    `${scoreSql(facts.calibrations)} AS model_points`,
    facts.hasPostures
      ? "if(s.risk_level = '' OR ifNull(s.expires_at <= d.engine_time, false), 'normal', s.risk_level) AS risk_level"
      : "'normal' AS risk_level",
    ...(firings?.columns ?? []).map((column) => `r.${column} AS ${column}`),
  ];
  const postures = `
ASOF LEFT JOIN (
  SELECT 1 AS one, ledger_offset, toString(risk_level) AS risk_level, expires_at FROM ${HISTORY_DATABASE}.postures
  WHERE author != ${quoteText(OVERLOAD_AUTHOR)}
) AS s ON s.one = d.one AND s.ledger_offset < d.ledger_offset`;
  const pairs = rangesOf(source).map((within) => pairsSql(decided, within, facts.isAligned && source.offsets === null));
  return `SELECT ${columns.join(', ')}\nFROM (${pairs.join('\nUNION ALL ')}) AS d${facts.hasPostures ? postures : ''}${
    firings?.joinSql(withinSql(source)) ?? ''
  }`;
}

/**
 * Decisions with their payments. Where both tables have the very same rows, which the facts tell and each row is held against, they
 * are put side by side: a join by offset takes three times as long as all the rest that a rule set needs.
 */
function pairsSql(decided: readonly string[], within: string, isAligned: boolean): string {
  const [, ...others] = decided;
  const columns = [
    ...others.map((column) => `d.${column} AS ${column}`),
    ...transactionColumns.map((column) => `t.${column} AS ${column}`),
  ];
  const offset = isAligned
    ? `d.ledger_offset + throwIf(t.payment_offset != d.ledger_offset, ${quoteText(MISALIGNED)})`
    : 'd.ledger_offset';
  const order = isAligned ? ' ORDER BY ledger_offset' : '';
  const join = isAligned ? 'PASTE JOIN' : 'INNER JOIN';
  return `SELECT ${offset} AS ledger_offset, 1 AS one, ${columns.join(', ')}
FROM (SELECT ${decided.join(', ')} FROM ${HISTORY_DATABASE}.decisions WHERE ${within}${order}) AS d
${join} (SELECT ledger_offset AS payment_offset, ${transactionColumns.join(', ')} FROM ${HISTORY_DATABASE}.transactions WHERE ${within}${order}) AS t${
    isAligned ? '' : ' ON t.payment_offset = d.ledger_offset'
  }`;
}

const recordedColumns = ['ledger_offset', 'engine_time', ...decisionColumns, 'catalogue_sha256', 'rule_set_sha256'];
const MISALIGNED = 'SLUICE_BACKTEST_ROWS: transactions and decisions do not have the same payments';
/** A range is read and decided by one thread; each makes the query longer. */
const MAX_RANGES = 32;
const MIN_PAYMENTS_IN_RANGE = 50_000;

/** Which rows each thread reads. */
function rangesOf(source: PaymentsSource): readonly string[] {
  const { span, threads } = source.facts;
  const { fromOffset, toOffset, payments } = span;
  if (source.offsets !== null) return [withinSql(source)];
  const count = Math.min(MAX_RANGES, threads, Math.ceil(payments / MIN_PAYMENTS_IN_RANGE));
  const start = (index: number): number => fromOffset + Math.floor(((toOffset - fromOffset) * index) / count);
  return Array.from(
    { length: count },
    (_, index) => `ledger_offset BETWEEN ${start(index)} AND ${start(index + 1) - 1}`,
  );
}

/** Of the payment d, as the calibration of the model that scored it then had it. */
function scoreSql(calibrations: HistoryFacts['calibrations']): string {
  const cases = [...calibrations].map(
    ([sha256, ofModel]) => `d.model_sha256 = ${quoteText(sha256)}, ${calibratedSql(ofModel)}`,
  );
  return cases.length === 0 ? 'nan' : `multiIf(${cases.join(', ')}, nan)`;
}

function calibratedSql(calibrations: readonly CalibrationFrom[]): string {
  const [first, ...later] = calibrations;
  if (first === undefined) return 'nan';
  const cases = later.map(({ fromOffset }, index) => {
    const { points } = calibrations[index] ?? first;
    return `d.ledger_offset < ${fromOffset}, ${scorePointsSql(points)}`;
  });
  const newest = scorePointsSql((calibrations.at(-1) ?? first).points);
  return cases.length === 0 ? newest : `multiIf(${cases.join(', ')}, ${newest})`;
}

/** scoreOf in the same steps; NaN where no model scored. */
function scorePointsSql(points: Calibration): string {
  // Without NULLs, which take twice as long to compute with.
  const probability = 'ifNull(d.model_score, nan)';
  const cases: string[] = ['d.model_score IS NULL, nan'];
  let [lower] = points;
  for (const point of points) {
    if (lower !== undefined && point[0] > lower[0]) {
      const share = `((${probability} - ${floatLiteral(lower[0])}) / ${floatLiteral(point[0] - lower[0])})`;
      const value = `(${floatLiteral(lower[1])} + ${share} * ${floatLiteral(point[1] - lower[1])})`;
      cases.push(`${probability} <= ${floatLiteral(point[0])}, ${roundSql(value)}`);
    }
    lower = point;
  }
  return `multiIf(${cases.join(', ')}, if(${probability} <= 0, 0.0, 1000.0))`;
}

/** Math.round: halves go up, and what is just below a half does not. */
function roundSql(value: string): string {
  return `(floor(${value}) + if(${value} - floor(${value}) >= 0.5, 1.0, 0.0))`;
}
