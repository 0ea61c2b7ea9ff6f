import { HISTORY_DATABASE } from '../../operators/sql/history.ts';

/** Which payments an estimate is made of: of so many days, and old enough that a fraud would be known by now. */
export interface PrecisionSpan {
  readonly days: number;
  /** A chargeback takes weeks: younger payments tell nothing yet. */
  readonly matureDays: number;
}

const SPAN_SQL = ({ days, matureDays }: PrecisionSpan): string =>
  `event_time > newest - INTERVAL ${days + matureDays} DAY AND event_time <= newest - INTERVAL ${matureDays} DAY`;

const WITH_NEWEST = `WITH (SELECT max(engine_time) FROM ${HISTORY_DATABASE}.decisions) AS newest`;

/**
 * A row for each reason of the would-be declines, and one of all with an empty `code`: the sums of LetThroughSums over the payments of
 * the span that were let through and went on, and amounts by currency that these stand for, of frauds and of the rest.
 */
export function declinePrecisionQuery(span: PrecisionSpan): string {
  return `${WITH_NEWEST}
SELECT code, sum(account_payments) AS payments, sum(account_frauds) AS frauds, count() AS accounts,
  sum(account_weight) AS weight, sum(account_fraud_weight) AS fraud_weight,
  sum(account_weight * account_weight) AS weight_squares,
  sum(account_fraud_weight * account_fraud_weight) AS fraud_weight_squares,
  sum(account_weight * account_fraud_weight) AS products,
  sumMap(account_fraud_amounts) AS fraud_amount_minor, sumMap(account_genuine_amounts) AS genuine_amount_minor
FROM (
  SELECT code, drawn_by, count() AS account_payments, countIf(label = 'fraud') AS account_frauds,
    sum(weight) AS account_weight, sumIf(weight, label = 'fraud') AS account_fraud_weight,
    sumMapIf(map(toString(currency), weight * amount_minor), label = 'fraud') AS account_fraud_amounts,
    sumMapIf(map(toString(currency), weight * amount_minor), label != 'fraud') AS account_genuine_amounts
  FROM ${HISTORY_DATABASE}.let_through_payments
  ARRAY JOIN arrayConcat([''], arrayDistinct(would_be_reason_codes)) AS code
  WHERE ${SPAN_SQL(span)} AND went_on
  GROUP BY code, drawn_by
)
GROUP BY code ORDER BY code != '', payments DESC, code`;
}

/** One row: payments let through in all, those too young yet, those of the span that did not go on. */
export function letThroughCountsQuery(span: PrecisionSpan): string {
  return `${WITH_NEWEST}
SELECT count(), countIf(event_time > newest - INTERVAL ${span.matureDays} DAY), countIf(${SPAN_SQL(span)} AND NOT went_on)
FROM ${HISTORY_DATABASE}.let_through_payments`;
}
