import { createHash } from 'node:crypto';
import { FEATURE_PREFIX } from '../../operators/sql/history.ts';
import { quoteName, quoteText } from '../../operators/sql/sqlText.ts';
import { driftQuery } from './driftQuery.ts';
import { HISTORY_DATABASE } from './historyTable.ts';

export interface HistoryView {
  readonly name: string;
  /** Ends with a fingerprint of the definition: a view in the database with another comment is another version. */
  readonly comment: string;
  readonly statement: string;
}

/**
 * The analysts' views, in layers: a view reads only views of earlier layers. They are
 * computed when queried: nothing is kept twice. `features` are all feature names that have a column.
 */
export function historyViews(features: readonly string[]): readonly (readonly HistoryView[])[] {
  return [[latestLabels()], [labelledDecisions(features)], analystViews(features)];
}

function latestLabels(): HistoryView {
  return view(
    'latest_labels',
    'The last label of every labelled payment.',
    // An aggregate function skips null: the fraud type goes inside a tuple, so that the last one counts, null or not.
    `SELECT assumeNotNull(transaction_offset) AS transaction_offset, any(labels.transaction_id) AS transaction_id,
         argMax(labels.label, labels.ledger_offset) AS label,
         argMax(labels.label_source, labels.ledger_offset) AS label_source,
         argMax(tuple(labels.fraud_type), labels.ledger_offset).1 AS fraud_type,
         argMax(labels.event_time, labels.ledger_offset) AS labelled_at
       FROM ${HISTORY_DATABASE}.labels AS labels
       WHERE transaction_offset IS NOT NULL
       GROUP BY transaction_offset`,
  );
}

/** A view keeps the columns that * stood for when it was made: it is another version when there are more features. */
function labelledDecisions(features: readonly string[]): HistoryView {
  return view(
    'labelled_decisions',
    'Every decision on a labelled payment with its last label: the set to train and to measure on.',
    `SELECT decisions.*, latest.label AS label, latest.label = 'fraud' AS is_fraud,
         latest.label_source AS label_source, latest.fraud_type AS fraud_type, latest.labelled_at AS labelled_at
       FROM ${HISTORY_DATABASE}.decisions AS decisions
       INNER JOIN ${HISTORY_DATABASE}.latest_labels AS latest ON latest.transaction_offset = decisions.ledger_offset`,
    features,
  );
}

function analystViews(features: readonly string[]): readonly HistoryView[] {
  return [
    view(
      'effective_verdicts',
      'The verdict each gateway was given: the fallback where the deadline passed first, else the decision.',
      `SELECT decisions.ledger_offset AS ledger_offset, decisions.transaction_id AS transaction_id,
         decisions.event_time AS event_time, decisions.amount_minor AS amount_minor, decisions.currency AS currency,
         if(given.is_fallback, given.verdict, decisions.verdict) AS verdict,
         given.is_fallback AS is_fallback, decisions.verdict AS decided_verdict,
         decisions.score AS score, decisions.mode AS mode
       FROM ${HISTORY_DATABASE}.decisions AS decisions
       LEFT JOIN (
         SELECT transaction_offset, true AS is_fallback, argMin(fallbacks.verdict, ledger_offset) AS verdict
         FROM ${HISTORY_DATABASE}.fallbacks AS fallbacks GROUP BY transaction_offset
       ) AS given ON given.transaction_offset = decisions.ledger_offset`,
    ),
    view(
      'verdicts_by_hour',
      'Payments and shares of the verdicts by hour of event time, UTC.',
      `SELECT toStartOfHour(event_time) AS hour, count() AS payments,
         countIf(verdict = 'approve') / payments AS approve_share,
         countIf(verdict = 'challenge') / payments AS challenge_share,
         countIf(verdict = 'review') / payments AS review_share,
         countIf(verdict = 'decline') / payments AS decline_share,
         countIf(mode != 'full') / payments AS degraded_share,
         avg(score) AS mean_score
       FROM ${HISTORY_DATABASE}.decisions GROUP BY hour ORDER BY hour`,
    ),
    view(
      'rule_performance',
      'Each rule version against the labels. Precision: frauds among its labelled firings; ' +
        'fraud_share: among all its firings, the figure to read where only frauds are labelled. Recall: its frauds among ' +
        'all labelled frauds since it first fired. Amounts in minor units by currency.',
      `SELECT rule, version, mode, firings, failures, labelled_firings, fraud_firings,
         fraud_firings / nullIf(labelled_firings, 0) AS precision,
         fraud_firings / nullIf(firings, 0) AS fraud_share,
         fraud_firings / nullIf(arrayCount(fraud -> fraud >= first_offset, all_frauds.offsets), 0) AS recall,
         amount_minor, fraud_amount_minor, first_fired_at, last_fired_at
       FROM (
         SELECT firings.rule AS rule, firings.version AS version, ifNull(firings.mode, 'failed') AS mode,
           countIf(firings.result = 'fired') AS firings, countIf(firings.result = 'failed') AS failures,
           countIf(latest.label != '') AS labelled_firings, countIf(latest.label = 'fraud') AS fraud_firings,
           sumMap(map(firings.currency, firings.amount_minor)) AS amount_minor,
           sumMapIf(map(firings.currency, firings.amount_minor), latest.label = 'fraud') AS fraud_amount_minor,
           min(firings.ledger_offset) AS first_offset,
           min(firings.event_time) AS first_fired_at, max(firings.event_time) AS last_fired_at
         FROM ${HISTORY_DATABASE}.rule_firings AS firings
         LEFT JOIN ${HISTORY_DATABASE}.latest_labels AS latest ON latest.transaction_offset = firings.ledger_offset
         GROUP BY rule, version, mode
       ) AS rules
       CROSS JOIN (
         SELECT groupArray(transaction_offset) AS offsets FROM ${HISTORY_DATABASE}.latest_labels WHERE label = 'fraud'
       ) AS all_frauds
       ORDER BY rule, version, mode`,
    ),
    view(
      'top_merchants_by_fraud',
      'Merchants with labelled frauds, most frauds first. Amounts in minor units by currency.',
      `SELECT transactions.merchant AS merchant, count() AS payments, countIf(latest.label != '') AS labelled_payments,
         countIf(latest.label = 'fraud') AS fraud_payments, fraud_payments / labelled_payments AS fraud_share,
         sumMapIf(map(transactions.currency, transactions.amount_minor), latest.label = 'fraud') AS fraud_amount_minor
       FROM ${HISTORY_DATABASE}.transactions AS transactions
       LEFT JOIN ${HISTORY_DATABASE}.latest_labels AS latest ON latest.transaction_offset = transactions.ledger_offset
       WHERE transactions.merchant IS NOT NULL
       GROUP BY merchant HAVING fraud_payments > 0 ORDER BY fraud_payments DESC, merchant`,
    ),
    view(
      'model_performance',
      'Each model version against the labels, at every threshold from 0 to 950 on the scale of 1000.',
      `SELECT model_id, model_version, threshold, count() AS labelled_payments, countIf(is_fraud) AS fraud_payments,
         countIf(1000 * model_score >= threshold) AS flagged_payments,
         countIf(1000 * model_score >= threshold AND is_fraud) AS flagged_frauds,
         flagged_frauds / nullIf(flagged_payments, 0) AS precision,
         flagged_frauds / nullIf(fraud_payments, 0) AS recall,
         (flagged_payments - flagged_frauds) / nullIf(labelled_payments - fraud_payments, 0) AS false_positive_rate
       FROM ${HISTORY_DATABASE}.labelled_decisions
       ARRAY JOIN range(0, 1000, 50) AS threshold
       WHERE model_score IS NOT NULL
       GROUP BY model_id, model_version, threshold ORDER BY model_id, model_version, threshold`,
    ),
    view(
      'model_summary',
      'Each model version against the labels in one number: area under the ROC and the precision-recall curve.',
      `SELECT model_id, model_version, count() AS labelled_payments, countIf(is_fraud) AS fraud_payments,
         arrayROCAUC(groupArray(assumeNotNull(model_score)), groupArray(is_fraud)) AS roc_auc,
         arrayPRAUC(groupArray(assumeNotNull(model_score)), groupArray(is_fraud)) AS precision_recall_auc,
         min(event_time) AS first_payment_at, max(event_time) AS last_payment_at
       FROM ${HISTORY_DATABASE}.labelled_decisions
       WHERE model_score IS NOT NULL
       GROUP BY model_id, model_version ORDER BY model_id, model_version`,
    ),
    view(
      'list_periods',
      'Who was on which list when: each put of an entry, from its ledger offset to that of the next change of the entry, ' +
        'and, where it has an end, while the engine’s time was before it.',
      `SELECT list, value, from_offset, to_offset, added_at, expires_at, author, reason
       FROM (
         SELECT list, value, action, ledger_offset AS from_offset, event_time AS added_at, expires_at, author, reason,
           leadInFrame(ledger_offset, 1, toUInt64(18446744073709551615)) OVER (
             PARTITION BY list, value ORDER BY ledger_offset ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
           ) AS to_offset
         FROM ${HISTORY_DATABASE}.list_changes
       ) AS changes
       WHERE action = 'put' AND to_offset > from_offset`,
    ),
    letThroughPayments(),
    ...(features.length === 0 ? [] : featureViews([...features].sort())),
  ];
}

function letThroughPayments(): HistoryView {
  return view(
    'let_through_payments',
    'Would-be declines that were approved to measure how good declines are: each stands for `weight` of them, accounts (drawn_by) ' +
      'are drawn as a whole. went_on: the gateway was given the approval, and the payment did not end otherwise.',
    `SELECT decisions.ledger_offset AS ledger_offset, decisions.transaction_id AS transaction_id,
         decisions.event_time AS event_time, decisions.amount_minor AS amount_minor, decisions.currency AS currency,
         would_be_verdict, would_be_score, would_be_reason_codes,
         assumeNotNull(let_through_percent) AS percent, 100 / percent AS weight,
         coalesce(transactions.account, transactions.card_token, transactions.transaction_id) AS drawn_by,
         latest.label AS label, last_outcomes.outcome AS outcome,
         NOT (last_outcomes.outcome IN ('declined', 'cancelled', 'authenticationFailed') OR given.is_fallback) AS went_on
       FROM (SELECT * FROM ${HISTORY_DATABASE}.decisions WHERE let_through_percent IS NOT NULL) AS decisions
       INNER JOIN ${HISTORY_DATABASE}.transactions AS transactions ON transactions.ledger_offset = decisions.ledger_offset
       LEFT JOIN ${HISTORY_DATABASE}.latest_labels AS latest ON latest.transaction_offset = decisions.ledger_offset
       LEFT JOIN (
         SELECT assumeNotNull(transaction_offset) AS payment_offset, argMax(outcomes.outcome, ledger_offset) AS outcome
         FROM ${HISTORY_DATABASE}.outcomes AS outcomes WHERE transaction_offset IS NOT NULL GROUP BY payment_offset
       ) AS last_outcomes ON last_outcomes.payment_offset = decisions.ledger_offset
       LEFT JOIN (
         SELECT DISTINCT transaction_offset AS payment_offset, true AS is_fallback
         FROM ${HISTORY_DATABASE}.fallbacks AS fallbacks
       ) AS given ON given.payment_offset = decisions.ledger_offset`,
  );
}

function featureViews(features: readonly string[]): readonly HistoryView[] {
  const names = features.map(quoteText).join(', ');
  const columns = features.map((name) => quoteName(FEATURE_PREFIX + name)).join(', ');
  return [
    view(
      'feature_values',
      'Decisions turned on their side: one row per payment and feature; null where the feature was undefined.',
      `SELECT ledger_offset, event_time, transaction_id, verdict, pair.1 AS feature,
         if(isNaN(pair.2), NULL, pair.2) AS value
       FROM ${HISTORY_DATABASE}.decisions ARRAY JOIN arrayZip([${names}], [${columns}]) AS pair`,
    ),
    view(
      'model_drift',
      'By day of event time: how far each feature, and the score, lies from the training of the model that scored. ' +
        'psi below 0.1: as in training; to 0.25: look at it; above: another population. Few payments alone make it great.',
      `${driftQuery(features, `(SELECT *, toDate(event_time) AS day FROM ${HISTORY_DATABASE}.decisions)`, ['day'])}
       ORDER BY day, psi DESC`,
    ),
    view(
      'feature_distribution',
      'How each feature is distributed over all decisions; undefined values (NaN) are counted apart.',
      `SELECT feature, payments, undefined_values, minimum, quantiles[1] AS p50, quantiles[2] AS p95,
         quantiles[3] AS p99, maximum
       FROM (${features.map(distributionQuery).join(' UNION ALL ')})`,
    ),
  ];
}

/** Reads one column only, which one pass over all features at once would not. */
function distributionQuery(feature: string): string {
  const column = quoteName(FEATURE_PREFIX + feature);
  const isDefined = `NOT isNaN(${column})`;
  return (
    `SELECT ${quoteText(feature)} AS feature, count() AS payments, countIf(isNaN(${column})) AS undefined_values, ` +
    `minIf(${column}, ${isDefined}) AS minimum, ` +
    `quantilesIf(0.5, 0.95, 0.99)(${column}, ${isDefined}) AS quantiles, ` +
    `maxIf(${column}, ${isDefined}) AS maximum FROM ${HISTORY_DATABASE}.decisions`
  );
}

function view(name: string, says: string, query: string, columns: readonly string[] = []): HistoryView {
  const fingerprint = createHash('sha256')
    .update([query, ...columns].join('\n'))
    .digest('hex')
    .slice(0, 8);
  const comment = `${says} [definition ${fingerprint}]`;
  return {
    name,
    comment,
    statement: `CREATE OR REPLACE VIEW ${HISTORY_DATABASE}.${name} AS ${query} COMMENT ${quoteText(comment)}`,
  };
}
