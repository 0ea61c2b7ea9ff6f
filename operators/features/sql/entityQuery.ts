import type { CelColumns } from '../../cel/sql/celColumns.ts';
import { celToSql } from '../../cel/sql/celToSql.ts';
import { isTextField, otherColumns, paymentColumns, textAttribute } from '../../cel/sql/paymentColumns.ts';
import { FEATURE_PREFIX } from '../../sql/history.ts';
import { floatLiteral, quoteText } from '../../sql/sqlText.ts';
import { attributeName } from '../keyField.ts';
import { coordinateFields, MAX_LATITUDE, MAX_LONGITUDE } from '../numberField.ts';
import { aggregateSql, type WindowFeature } from './aggregateSql.ts';
import { durationText, intervalSql } from './durationSql.ts';
import { factDefinitions, type FactName } from './factsSql.ts';

/** A feature that has no SQL. */
export class FeatureSqlError extends Error {
  readonly code = 'SLUICE_FEATURE_SQL';
}

/** The query that computes all windows over the payments of one entity, for each of the chosen payments. */
export interface EntityQuery {
  /** Of the WITH clause. */
  readonly name: string;
  readonly sql: string;
  /** Columns of the key. */
  readonly keyColumns: readonly string[];
  readonly facts: readonly FactName[];
}

/** `events AS event` and `payments AS payment` are what the query around it defines. */
export function entityQuery(entity: readonly string[], features: readonly WindowFeature[]): EntityQuery {
  const keyColumns = entity.map(keyColumn);
  // In the order in which they may refer to each other.
  const definitions = new Map<string, string>();
  const facts = new Set<FactName>();
  const fact = (name: FactName): string => {
    facts.add(name);
    return name;
  };
  const columns: CelColumns = {
    payment: 'event.',
    get label() {
      return fact('label');
    },
    get outcome() {
      return fact('outcome');
    },
    get reversed() {
      return fact('reversed');
    },
    feature: () => refuse('a where'),
    modelScore: 'nan',
    modelProbability: 'nan',
    list: () => refuse('a where'),
  };
  const selected = features.map((feature) => {
    const inWindow = [windowSql(feature, definitions)];
    if (!feature.includeCurrent) {
      definitions.set('is_earlier', 'event.ledger_offset < payment.ledger_offset');
      inWindow.push('is_earlier');
    }
    const where = feature.where === null ? [] : [whereSql(feature.where.expression.source, columns)];
    return `    ${valueSql(feature, inWindow, where)} AS ${FEATURE_PREFIX}${feature.name}`;
  });
  if (features.some(({ isNet }) => isNet)) {
    fact('reversed');
    fact('refunded');
  }
  for (const name of facts) for (const [column, sql] of factDefinitions(name)) definitions.set(column, sql);
  const withClause = [...definitions].map(([name, sql]) => `    ${sql} AS ${name}`).join(',\n');
  const longestMs = Math.max(...features.map(({ delayMs, windowMs }) => delayMs + windowMs));
  return {
    name: `by_${keyColumns.join('_')}`,
    keyColumns,
    facts: [...facts],
    sql: `  WITH
${withClause}
  SELECT
    payment.ledger_offset AS ledger_offset,
${selected.join(',\n')}
  FROM events AS event
  INNER JOIN payments AS payment ON ${keyColumns.map((column) => `event.${column} = payment.${column}`).join(' AND ')}
  WHERE event.ledger_offset <= payment.ledger_offset
    AND (event.counted_at > payment.engine_time - ${intervalSql(longestMs)} OR event.ledger_offset = payment.ledger_offset)
  GROUP BY payment.ledger_offset, payment.engine_time`,
  };
}

/** The column that holds a field of a key. */
export function keyColumn(field: string): string {
  const name = field === 'card' ? 'card.token' : field === 'cardBin' ? 'card.bin' : field;
  if (!isTextField(name)) throw new FeatureSqlError(`the history has no column for ${field}`);
  return paymentColumns[name].column;
}

function windowSql({ windowMs, delayMs }: WindowFeature, definitions: Map<string, string>): string {
  const begins = `event.counted_at > payment.engine_time - ${intervalSql(delayMs + windowMs)}`;
  if (delayMs === 0) {
    const name = `in_${durationText(windowMs)}`;
    // No event that came before is later than the engine's time.
    definitions.set(name, begins);
    return name;
  }
  const name = `in_${durationText(windowMs)}_before_${durationText(delayMs)}`;
  definitions.set(name, `${begins} AND event.counted_at <= payment.engine_time - ${intervalSql(delayMs)}`);
  return name;
}

/** A condition that fails on an event does not hold for it. */
function whereSql(source: string, columns: CelColumns): string {
  const { sql, canFail } = celToSql(source, { kind: 'where' }, columns);
  return canFail ? `ifNull(${sql}, false)` : `(${sql})`;
}

function valueSql(feature: WindowFeature, inWindow: readonly string[], where: readonly string[]): string {
  const toSql = aggregateSql[feature.aggregate];
  if (toSql === null)
    throw new FeatureSqlError(`feature '${feature.name}': the aggregate ${feature.aggregate} has no SQL yet`);
  const { value, valueWhenEmpty, count } = toSql({
    inWindow: inWindow.join(' AND '),
    matches: [...inWindow, ...where].join(' AND '),
    amount: feature.isNet ? netAmount : 'event.amount_minor',
    paymentAmount: 'payment.amount_minor',
    text: textSql('event.', feature.textField),
    paymentText: textSql('payment.', feature.textField),
    number: numberSql(feature.numberField),
    place: placeSql('event.'),
    paymentPlace: placeSql('payment.'),
    eventTime: 'event.counted_at',
    eventOffset: 'event.ledger_offset',
    engineTime: 'payment.engine_time',
    paymentTime: 'payment.event_time',
  });
  if (Object.is(valueWhenEmpty, feature.whenEmpty)) return value;
  return `if(${count} = 0, ${floatLiteral(feature.whenEmpty)}, ${value})`;
}

function textSql(prefix: string, field: string | null): string {
  if (field === null) return 'NULL';
  const attribute = /^attributes\.(.*)$/.exec(field)?.[1];
  return attribute === undefined ? `${prefix}${keyColumn(field)}` : textAttribute(prefix, quoteText(attribute));
}

/** What refunds and reversals that were known then have left of the event's amount. */
const netAmount = 'if(reversed, 0, greatest(event.amount_minor - refunded, 0))';

function numberSql(field: string | null): string {
  if (field === null) return 'NULL';
  return field === 'amountMinor' ? 'toFloat64(event.amount_minor)' : numberAttribute('event.', field, Number.MAX_VALUE);
}

function placeSql(prefix: string): readonly [string, string] {
  const [latitude, longitude] = coordinateFields;
  return [
    numberAttribute(prefix, `attributes.${latitude}`, MAX_LATITUDE),
    numberAttribute(prefix, `attributes.${longitude}`, MAX_LONGITUDE),
  ];
}

/** NULL where it is absent or further from 0 than `greatest`. */
function numberAttribute(prefix: string, field: string, greatest: number): string {
  const map = `${prefix}${otherColumns.attributesNumber}`;
  const name = quoteText(attributeName(field) ?? '');
  return `if(mapContains(${map}, ${name}) AND abs(${map}[${name}]) <= ${greatest}, ${map}[${name}], NULL)`;
}

function refuse(where: string): never {
  throw new FeatureSqlError(`${where} reads neither features nor lists`);
}
