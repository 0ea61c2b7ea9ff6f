import { FEATURE_PREFIX, HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteName, quoteText } from '../../operators/sql/sqlText.ts';
import { SCORE } from './trainingDistributionTable.ts';

/** An empty bin counts as this share, so that the index stays finite. */
const LEAST_SHARE = 0.0001;

/**
 * The population stability index of each feature, and of the score, against the training of the model that scored: the sum over the bins
 * of (live - training) * ln(live / training). Rows: `groups`, model_id, model_version, feature, payments, psi, live_undefined,
 * training_undefined (shares). `decisions` is a table or query with the columns of sluice.decisions and of `groups`.
 */
export function driftQuery(features: readonly string[], decisions: string, groups: readonly string[]): string {
  const names = [SCORE, ...features].map(quoteText).join(', ');
  const columns = ['ifNull(model_score, nan)', ...features.map((name) => quoteName(FEATURE_PREFIX + name))].join(', ');
  const keys = [...groups, 'model_id', 'model_version', 'feature'].join(', ');
  return (
    `SELECT ${keys}, payments, arraySum((live, training) -> (live - training) * log(live / training), ` +
    `arrayMap(found -> greatest(found / payments, ${LEAST_SHARE}), counts), ` +
    `arrayMap(share -> greatest(share, ${LEAST_SHARE}), shares)) AS psi, ` +
    'counts[1] / payments AS live_undefined, shares[1] AS training_undefined FROM (' +
    `SELECT ${keys}, count() AS payments, any(training.shares) AS shares, ` +
    'sumForEach(arrayMap(bin -> toUInt64(bin = if(isNaN(value), 1, 2 + arrayCount(edge -> value > edge, training.edges))), ' +
    'range(1, length(training.shares) + 1))) AS counts ' +
    `FROM (SELECT ${[...groups, "ifNull(model_id, '') AS model_id", "ifNull(model_version, '') AS model_version"].join(', ')}, ` +
    `pair.1 AS feature, pair.2 AS value FROM ${decisions} ` +
    `ARRAY JOIN arrayZip([${names}], [${columns}]) AS pair WHERE model_score IS NOT NULL) AS live ` +
    'INNER JOIN (SELECT model_id, model_version, feature, argMax(edges, ledger_offset) AS edges, argMax(shares, ledger_offset) AS shares ' +
    `FROM ${HISTORY_DATABASE}.training_distributions GROUP BY model_id, model_version, feature) AS training ` +
    `USING (model_id, model_version, feature) GROUP BY ${keys})`
  );
}

/** Whether the table that drift is measured against is there: it is made a moment after the start. */
export const HAS_DISTRIBUTIONS_QUERY = `SELECT count() FROM system.tables WHERE database = '${HISTORY_DATABASE}' AND name = 'training_distributions'`;

/** Over the newest `last` payments that a model scored. */
export function newestDriftQuery(features: readonly string[], last: number): string {
  const newest = `(SELECT * FROM ${HISTORY_DATABASE}.decisions WHERE model_score IS NOT NULL ORDER BY ledger_offset DESC LIMIT ${last})`;
  return `${driftQuery(features, newest, [])} ORDER BY psi DESC`;
}
