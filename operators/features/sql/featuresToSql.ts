import type { CelColumns } from '../../cel/sql/celColumns.ts';
import { celToSql } from '../../cel/sql/celToSql.ts';
import { otherColumns, paymentColumns } from '../../cel/sql/paymentColumns.ts';
import { SqlNames } from '../../cel/sql/sqlNode.ts';
import { FEATURE_PREFIX, HISTORY_DATABASE } from '../../sql/history.ts';
import { floatLiteral } from '../../sql/sqlText.ts';
import type { CompiledCatalogue, CompiledFeature } from '../catalogue.ts';
import type { WindowFeature } from './aggregateSql.ts';
import { durationText, intervalSql } from './durationSql.ts';
import { factJoins, type FactName } from './factsSql.ts';
import { entityQuery, FeatureSqlError, type EntityQuery } from './entityQuery.ts';

type ExpressionFeature = Extract<CompiledFeature, { kind: 'expression' }>;

/**
 * One SELECT over the history that computes features as the engine does: a row for each chosen payment, with its ledger
 * offset and a column `f_…` for each feature that is named and each that those read.
 *
 * `offsets` is what stands in `ledger_offset IN (…)`: numbers, or a SELECT. All payments chosen must be decided, and history
 * must hold every record before them. A payment's engine time is taken from its decision, so that ticks are in it.
 *
 * Not in it are the bounds of the engine's state (limits.ts): beyond one of them, which the engine counts, the two may
 * differ. A distinct beyond its bound is counted exactly here and estimated by the engine (DistinctSamples). Sums, counts and what comes from them by one operation are the same doubles; std and what expressions make of it
 * agree to 1e-9, relatively.
 */
export function featuresToSql(catalogue: CompiledCatalogue, names: readonly string[], offsets: string): string {
  const features = withDependencies(catalogue, names);
  const queries = byEntity(features);
  const texts = new Map(catalogue.definitions.map(({ name, text }) => [name, text?.en]));
  const selected = features.map((feature) => {
    const column = `${FEATURE_PREFIX}${feature.name}`;
    const comment = texts.get(feature.name)?.replaceAll(/\s+/g, ' ');
    const says = comment === undefined ? '' : `  -- ${comment}\n`;
    return `${says}  ${feature.kind === 'window' ? windowValue(feature, queries) : expressionValue(feature)} AS ${column}`;
  });
  const parts = queries.map(({ query }) => `${query.name} AS (\n${query.sql}\n)`);
  const joins = queries.map(
    ({ query: { name } }) => `\nLEFT JOIN ${name} ON ${name}.ledger_offset = payment.ledger_offset`,
  );
  const text = [...selected, ...parts].join('\n');
  const facts = new Set(queries.flatMap(({ query }) => query.facts));
  const keys = new Set(queries.flatMap(({ query }) => query.keyColumns));
  const withClause = [
    paymentsQuery(columnsOf(text, 'payment', keys), offsets),
    ...(queries.length === 0 ? [] : [eventsQuery(columnsOf(text, 'event', keys), catalogue.latenessMs, [...facts])]),
    ...parts,
  ];
  return `WITH
${withClause.join(',\n')}
SELECT
  payment.ledger_offset AS ledger_offset,
${selected.join(',\n')}
FROM payments AS payment${joins.join('')}
ORDER BY ledger_offset`;
}

/** In the catalogue's order. Throws FeatureSqlError on a name that the catalogue lacks. */
function withDependencies(catalogue: CompiledCatalogue, names: readonly string[]): readonly CompiledFeature[] {
  const wanted = new Set<string>();
  const want = (name: string): void => {
    const feature = catalogue.features.find((candidate) => candidate.name === name);
    if (feature === undefined) throw new FeatureSqlError(`there is no feature '${name}'`);
    if (wanted.has(name)) return;
    wanted.add(name);
    if (feature.kind === 'expression') for (const read of feature.expression.features) want(read);
  };
  for (const name of names) want(name);
  return catalogue.features.filter(({ name }) => wanted.has(name));
}

interface PlacedQuery {
  readonly key: string;
  readonly query: EntityQuery;
}

function byEntity(features: readonly CompiledFeature[]): readonly PlacedQuery[] {
  const groups = new Map<string, WindowFeature[]>();
  for (const feature of features) {
    if (feature.kind !== 'window') continue;
    const key = feature.entity.join('+');
    const group = groups.get(key) ?? [];
    group.push(feature);
    groups.set(key, group);
  }
  return [...groups].map(([key, group]) => ({ key, query: entityQuery(group[0]?.entity ?? [], group) }));
}

/** A payment without the entity has no window; any other is an event of its own key, so that its row is never missing. */
function windowValue({ name, entity }: WindowFeature, queries: readonly PlacedQuery[]): string {
  const query = queries.find(({ key }) => key === entity.join('+'))?.query;
  if (query === undefined) throw new FeatureSqlError(`no query for ${entity.join('+')}`);
  const isAbsent = query.keyColumns.map((column) => `payment.${column} IS NULL`).join(' OR ');
  return `if(${isAbsent}, nan, ${query.name}.${FEATURE_PREFIX}${name})`;
}

function expressionValue({ expression, whenEmpty }: ExpressionFeature): string {
  const columns: CelColumns = {
    payment: 'payment.',
    feature: (name) => `${FEATURE_PREFIX}${name}`,
    label: "'none'",
    outcome: "'none'",
    reversed: 'false',
    modelScore: 'nan',
    modelProbability: 'nan',
    list: () => 'false',
  };
  const names = [...expression.features];
  const { sql, canFail, type } = celToSql(expression.source, { kind: 'expression', features: names }, columns);
  const number = type === 'bool' ? `toFloat64(${sql})` : sql;
  const value = canFail ? `ifNull(${number}, nan)` : number;
  if (Number.isNaN(whenEmpty)) return value;
  return new SqlNames().name([value], ([given = '']) => `if(isNaN(${given}), ${floatLiteral(whenEmpty)}, ${given})`);
}

const knownColumns: ReadonlySet<string> = new Set([
  ...Object.values(paymentColumns).map(({ column }) => column),
  ...Object.values(otherColumns),
]);

/** Columns of the payment that `sql` reads through an alias, and those given. */
function columnsOf(sql: string, alias: string, given: ReadonlySet<string>): readonly string[] {
  const read = [...sql.matchAll(new RegExp(`\\b${alias}\\.(\\w+)`, 'g'))].map(([, column = '']) => column);
  return [...knownColumns].filter((column) => given.has(column) || read.includes(column));
}

function paymentsQuery(columns: readonly string[], offsets: string): string {
  const selected = ['ledger_offset', ...columns].map((column) => `transactions.${column} AS ${column}`);
  return `-- The payments that features are computed for, each at the engine's time.
payments AS (
  SELECT ${[...selected, 'decisions.engine_time AS engine_time'].join(', ')}
  FROM ${HISTORY_DATABASE}.transactions AS transactions
  INNER JOIN ${HISTORY_DATABASE}.decisions AS decisions ON decisions.ledger_offset = transactions.ledger_offset
  WHERE transactions.ledger_offset IN (${offsets})
)`;
}

function eventsQuery(columns: readonly string[], latenessMs: number, facts: readonly FactName[]): string {
  const selected = ['ledger_offset', ...columns].map((column) => `transactions.${column} AS ${column}`);
  const lateness = intervalSql(latenessMs);
  const counted = `greatest(transactions.event_time, late.engine_time - ${lateness}) AS counted_at`;
  const known = factJoins(facts);
  return `-- All payments, each at the time that it counts at: its own, or ${durationText(latenessMs)} before the engine's when it came later than that.
events AS (
  SELECT ${[...selected, counted, ...known.columns].join(', ')}
  FROM ${HISTORY_DATABASE}.transactions AS transactions
  LEFT JOIN (
    SELECT ledger_offset, engine_time FROM ${HISTORY_DATABASE}.decisions
    WHERE event_time < engine_time - ${lateness}
  ) AS late ON late.ledger_offset = transactions.ledger_offset${known.sql}
)`;
}
