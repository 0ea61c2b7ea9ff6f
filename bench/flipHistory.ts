import type { ClickHouseClient } from '@clickhouse/client';
import { backtestRows } from '../infra/clickhouse/backtestRows.ts';
import type { ClickHouseHistory } from '../infra/clickhouse/history.ts';
import type { DeploymentModel } from '../infra/deployment/loadModel.ts';
import type { CompiledConfiguration } from '../operators/configuration.ts';
import type { FeatureDefinition } from '../operators/definitions.ts';
import { FEATURE_PREFIX, HISTORY_DATABASE } from '../operators/sql/history.ts';
import { quoteText } from '../operators/sql/sqlText.ts';
import { decidedPaymentsQuery } from '../pipeline/backtest/backtestQuery.ts';
import { gatherFacts } from '../pipeline/backtest/historyFacts.ts';
import type { HistoryRecord } from '../pipeline/ports.ts';
import { promotionRecord } from '../pipeline/promotionRecord.ts';
import { publicationRecord } from '../pipeline/publicationRecord.ts';
import { encodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';

/** Offsets before hold the rule set, the model and the list entries. */
export const FIRST_PAYMENT_OFFSET = 1_000_000;
const START_MS = Date.UTC(2026, 9, 1);
/** 30 days of ten million payments. */
const PAYMENT_INTERVAL_MS = 259;
const PAYMENTS_PER_INSERT = 500_000;
const LABELLED_EVERY = 50;

export interface FilledHistory {
  readonly client: ClickHouseClient;
  readonly history: ClickHouseHistory;
  readonly configuration: CompiledConfiguration;
  readonly model: DeploymentModel | null;
}

/** Fills a history by SQL: payments, decisions with all features, labels, list entries, firings. The same numbers each time. */
export async function fillHistory(
  { client, history, configuration, model }: FilledHistory,
  { payments, listEntries }: { readonly payments: number; readonly listEntries: number },
): Promise<void> {
  const { catalogue, definition } = configuration;
  await history.prepare([{ catalogueSha256: catalogue.sha256, names: catalogue.names }]);
  const records = firstEvents(configuration, model).map((event, offset): HistoryRecord => {
    const value = encodeLedgerRecord(event, START_MS, 'bench');
    return { offset, ingestTimeMs: START_MS, source: 'bench', event, value, decision: null, seal: null };
  });
  await history.write({ fromOffset: 0, toOffset: records.length, records });
  const insert = async (query: string): Promise<void> => {
    await client.command({ query: `INSERT INTO ${HISTORY_DATABASE}.${query}` });
  };
  for (let from = 0; from < payments; from += PAYMENTS_PER_INSERT) {
    const source = `FROM numbers_mt(${from}, ${Math.min(PAYMENTS_PER_INSERT, payments - from)})`;
    await insert(decisionsSql(configuration, model, source));
    await insert(transactionsSql(source));
  }
  await insert(
    'labels (ledger_offset, ingest_time, source, event_time, transaction_id, transaction_offset, label, label_source) ' +
      `SELECT ${FIRST_PAYMENT_OFFSET + payments} + number, ${timeSql}, 'bench', ${timeSql}, '', ` +
      `${FIRST_PAYMENT_OFFSET} + number * ${LABELLED_EVERY}, if(number % 3 = 0, 'genuine', 'fraud'), 'chargeback' ` +
      `FROM numbers(${Math.floor(payments / LABELLED_EVERY)})`,
  );
  const lists = definition.lists.map(({ name }) => quoteText(name)).join(', ');
  const prefixes = definition.lists.map(({ entity }) => quoteText(entity.slice(0, 1))).join(', ');
  await insert(
    'list_changes (ledger_offset, ingest_time, source, event_time, list, value, action, expires_at, author, reason) ' +
      `SELECT 10 + number, ${timeSql}, 'bench', ${timeSql}, [${lists}][number % ${definition.lists.length} + 1], ` +
      `concat([${prefixes}][number % ${definition.lists.length} + 1], '-', toString(intHash32(number) % 100000)), 'put', NULL, 'bench', '' ` +
      `FROM numbers(${definition.lists.length === 0 ? 0 : listEntries})`,
  );
  await insert(
    `history_batches (from_offset, to_offset, step) VALUES (${records.length}, ${FIRST_PAYMENT_OFFSET + payments}, 'written')`,
  );
  await insert(await firingsSql(client, configuration, payments));
}

/** What the configuration's rules make of the payments: evaluated (`deciding` is empty), since no firing is recorded yet. */
async function firingsSql(
  client: ClickHouseClient,
  configuration: CompiledConfiguration,
  payments: number,
): Promise<string> {
  const found = await gatherFacts(backtestRows(client), { kind: 'decisions', decisions: payments });
  const { sql, after } = decidedPaymentsQuery(configuration, configuration, { ...found, deciding: [] }, null);
  const hits = after.rules.map(({ rule, fires }) => `(${quoteText(rule.id)}, ${rule.version}, ${fires})`);
  return (
    'rule_firings (ledger_offset, transaction_id, event_time, amount_minor, currency, rule, version, result, mode, snoozed) ' +
    "SELECT ledger_offset, transaction_id, event_time, amount_minor, currency, hit.1, hit.2, 'fired', 'live', false " +
    `FROM (SELECT *, arrayJoin(arrayFilter(hit -> hit.3 > 0, [${hits.join(', ')}])) AS hit FROM (${sql}))`
  );
}

const timeSql = `toDateTime64(${START_MS / 1000}, 3, 'UTC') + INTERVAL number * ${PAYMENT_INTERVAL_MS} MILLISECOND`;

function firstEvents(configuration: CompiledConfiguration, model: DeploymentModel | null): readonly LedgerEvent[] {
  const by = { eventTimeMs: START_MS, author: 'bench', reason: 'benchmark' };
  const published = publicationRecord(configuration, by);
  if (model === null) return [published];
  return [published, { kind: 'modelPromotion', event: promotionRecord(model.metadata, by) }];
}

function decisionsSql(
  { catalogue, sha256 }: CompiledConfiguration,
  model: DeploymentModel | null,
  source: string,
): string {
  const features = catalogue.names.map((name) => `${FEATURE_PREFIX}${name}`);
  const values = catalogue.definitions.map((definition, index) => featureSql(definition, index));
  return (
    'decisions (ledger_offset, transaction_id, event_time, amount_minor, currency, engine_time, verdict, model_score, model_sha256, mode, ' +
    `rule_set, rule_set_sha256, catalogue_sha256, content_hash, ${features.join(', ')}) ` +
    `SELECT ${FIRST_PAYMENT_OFFSET} + number, concat('t-', toString(number)), ${timeSql}, intHash32(number) % 100000, ` +
    `if(number % 10 = 0, 'USD', 'CNY'), ${timeSql}, 'approve', pow((intHash32(number + 7) % 10000) / 10000, 8), ${model === null ? 'NULL' : quoteText(model.metadata.sha256)}, 'full', ` +
    `'old', ${quoteText(sha256)}, ${quoteText(catalogue.sha256)}, hex(sipHash128(number)), ${values.join(', ')} ${source}`
  );
}

/** A value as the feature's kind mostly has it: counts are small, sums and averages whole, shares of few parts. */
function featureSql({ aggregate }: FeatureDefinition, index: number): string {
  const hash = `intHash32(number * 131 + ${index})`;
  switch (aggregate) {
    case 'count':
    case 'distinct':
      return `floor(-2 * log((${hash} % 1000 + 1) / 1001))`;
    case 'sum':
    case 'avg':
    case 'min':
    case 'max':
    case 'first':
    case 'last':
      return `toFloat64(${hash} % 1000 * 100)`;
    case 'zScore':
      return `if(${hash} % 5 = 0, nan, toFloat64(${hash} % 61) / 10 - 3)`;
    default:
      return `toFloat64(${hash} % 11) / 10`;
  }
}

function transactionsSql(source: string): string {
  const among = (values: readonly string[], divisor: number): string =>
    `[${values.map(quoteText).join(', ')}][intDiv(h, ${divisor}) % ${values.length} + 1]`;
  return (
    'transactions (ledger_offset, ingest_time, source, transaction_id, event_time, type, channel, amount_minor, currency, account, ' +
    'card_token, device, ip, merchant, mcc, payee, country, auth_methods) WITH intHash32(number) AS h ' +
    `SELECT ${FIRST_PAYMENT_OFFSET} + number, ${timeSql}, 'bench', concat('t-', toString(number)), ${timeSql}, ` +
    `${among(['purchase', 'purchase', 'transfer', 'withdrawal', 'refund'], 1)}, ${among(['card', 'wallet', 'bankTransfer', 'qr'], 5)}, ` +
    `h % 100000, if(number % 10 = 0, 'USD', 'CNY'), concat('a-', toString(h % 500000)), concat('c-', toString(h % 700000)), ` +
    "if(h % 7 = 0, NULL, concat('d-', toString(h % 600000))), concat('i-', toString(h % 300000)), " +
    `concat('m-', toString(h % 20000)), ${among(['5411', '5944', '6011', '4111'], 20)}, ` +
    `if(h % 5 = 2, concat('p-', toString(h % 90000)), NULL), ${among(['CN', 'CN', 'US', 'DE'], 80)}, if(h % 3 = 0, ['otp'], []) ${source}`
  );
}
