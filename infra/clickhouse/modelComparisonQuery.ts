import { HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';

/** Share of genuine payments that may be flagged where recall is told. */
export const FALSE_POSITIVE_RATE = 0.003;
export const SCORE_QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999] as const;

export interface ComparedModel {
  readonly id: string;
  readonly version: string;
}

export interface ScoreThresholds {
  readonly challenge: number;
  readonly review: number;
  readonly decline: number;
}

/**
 * Both models on the newest `last` payments that both scored: one row for each, the first model's first. Columns: payments, first and last
 * event time (epoch milliseconds), labelled frauds, known genuine, mean score, the scores' quantiles, ROC AUC, average precision, recall at
 * FALSE_POSITIVE_RATE. Payments that no label calls fraud count as genuine.
 */
export function comparisonQuery(first: ComparedModel, second: ComparedModel, last: number): string {
  const side = (place: 'a' | 'b'): string =>
    `SELECT '${place}' AS place, count(), toUnixTimestamp64Milli(min(event_time)), toUnixTimestamp64Milli(max(event_time)),
       countIf(is_fraud) AS frauds, countIf(label = 'genuine'), avg(score_${place}),
       ${SCORE_QUANTILES.map((level) => `quantileExact(${level})(score_${place})`).join(', ')},
       arrayROCAUC(groupArray(probability_${place}), groupArray(is_fraud)),
       arrayPRAUC(groupArray(probability_${place}), groupArray(is_fraud)),
       countIf(is_fraud AND probability_${place} > threshold_${place}) / nullIf(frauds, 0)
     FROM pairs, thresholds`;
  const threshold = (place: 'a' | 'b'): string =>
    `arrayReverseSort(groupArrayIf(probability_${place}, NOT is_fraud))` +
    `[toUInt64(floor(${FALSE_POSITIVE_RATE} * countIf(NOT is_fraud))) + 1] AS threshold_${place}`;
  return (
    `WITH pairs AS (${pairsQuery(first, second, last)}), ` +
    `thresholds AS (SELECT ${threshold('a')}, ${threshold('b')} FROM pairs) ` +
    `SELECT * EXCEPT place FROM (${side('a')} UNION ALL ${side('b')}) ORDER BY place`
  );
}

/** Payments by the band that each model's score falls into: 0 approve, 1 challenge, 2 review, 3 decline; then how many. */
export function bandsQuery(
  first: ComparedModel,
  second: ComparedModel,
  last: number,
  thresholds: ScoreThresholds,
): string {
  const { challenge, review, decline } = thresholds;
  const band = (column: string): string =>
    `(${column} >= ${challenge}) + (${column} >= ${review}) + (${column} >= ${decline})`;
  return (
    `SELECT ${band('score_a')} AS band_a, ${band('score_b')} AS band_b, count() ` +
    `FROM (${pairsQuery(first, second, last)}) GROUP BY band_a, band_b ORDER BY band_a, band_b`
  );
}

/** How many payments each of the two scored, the first model's first. */
export function scoredQuery(first: ComparedModel, second: ComparedModel): string {
  return `SELECT countIf(${isModel(first)}), countIf(${isModel(second)}) FROM ${HISTORY_DATABASE}.model_scores`;
}

function pairsQuery(first: ComparedModel, second: ComparedModel, last: number): string {
  const scores = (model: ComparedModel): string =>
    `SELECT ledger_offset, event_time, probability, score FROM ${HISTORY_DATABASE}.model_scores ` +
    `WHERE ${isModel(model)} AND NOT isNaN(probability)`;
  return (
    `SELECT a.ledger_offset AS ledger_offset, a.event_time AS event_time, a.probability AS probability_a, ` +
    `b.probability AS probability_b, a.score AS score_a, b.score AS score_b, labels.label AS label, label = 'fraud' AS is_fraud ` +
    `FROM (${scores(first)}) AS a INNER JOIN (${scores(second)}) AS b ON a.ledger_offset = b.ledger_offset ` +
    `LEFT JOIN ${HISTORY_DATABASE}.latest_labels AS labels ON labels.transaction_offset = a.ledger_offset ` +
    `ORDER BY ledger_offset DESC LIMIT ${last}`
  );
}

function isModel({ id, version }: ComparedModel): string {
  return `model_id = ${quoteText(id)} AND model_version = ${quoteText(version)}`;
}
