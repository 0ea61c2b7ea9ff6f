import { z } from 'zod';
import { compileConfiguration, parseConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import type { ConfigurationDefinition, EntityName } from '../../operators/definitions.ts';
import { compileCatalogue, featureMeanings } from '../../operators/features/catalogue.ts';
import type { RangeKind } from '../../operators/lists/listRange.ts';
import { rangeKindOf } from '../../operators/lists/listSubject.ts';
import { parseSnooze, SNOOZES } from '../../operators/lists/snoozes.ts';
import { HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';
import { decodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import { OVERLOAD_AUTHOR } from '../engine/postureState.ts';
import { PublicationLog } from '../engine/publicationLog.ts';

/** Asks the history; gives rows as ClickHouse's JSONEachRow has them, 64-bit integers as numbers. */
export type HistoryRows = (query: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export const MAX_BACKTEST_DAYS = 3_660;
export const MAX_BACKTEST_DECISIONS = 1_000_000_000;

/** Which payments a backtest looks back on: those of the last days of history, or so many of the newest. */
export type BacktestSpan =
  { readonly kind: 'days'; readonly days: number } | { readonly kind: 'decisions'; readonly decisions: number };

/** The payments of a span: ledger offsets from `fromOffset` to before `toOffset`. Times are the engine's. */
export interface HistorySpan {
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly payments: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
}

/** What a list went through, as far as it bears on payments. */
export interface ListFacts {
  readonly changes: number;
  /** Whether any entry was put with an expiry. */
  readonly expires: boolean;
  /** Offsets in which the configuration in force had no such list: what was on it before is gone after. */
  readonly undeclared: readonly { readonly fromOffset: number; readonly toOffset: number }[];
}

export type Calibration = readonly (readonly [number, number])[];

/** How probabilities became scores from an offset on. */
export interface CalibrationFrom {
  readonly fromOffset: number;
  readonly points: Calibration;
}

/** All that a backtest must know of the history before it can ask about the payments. */
export interface HistoryFacts {
  readonly span: HistorySpan;
  /** Threads that ClickHouse gives a query. */
  readonly threads: number;
  /** What decides now, and since which offset. */
  readonly inForce: CompiledConfiguration;
  readonly lists: ReadonlyMap<string, ListFacts>;
  /** Rules that were ever snoozed, and for what. */
  readonly snoozes: readonly { readonly rule: string; readonly entity: EntityName }[];
  /** Of each model by its file's SHA-256, in the order of their offsets. */
  readonly calibrations: ReadonlyMap<string, readonly CalibrationFrom[]>;
  /** Whether transactions and decisions have as many rows in the span: then they have the same. */
  readonly isAligned: boolean;
  /** Whether anybody ever set a risk level. */
  readonly hasPostures: boolean;
  /** What decided in the span; empty where one of them cannot be read. */
  readonly deciding: readonly ConfigurationDefinition[];
  /** Of each catalogue that decided in the span, what its features mean. */
  readonly catalogues: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** There is nothing to look back on. */
export class NoHistoryError extends Error {
  readonly code = 'SLUICE_BACKTEST_NO_HISTORY';
}

const IS_WRITTEN = `ledger_offset < (SELECT max(to_offset) FROM ${HISTORY_DATABASE}.history_batches WHERE step = 'written')`;

export async function gatherFacts(rows: HistoryRows, span: BacktestSpan): Promise<HistoryFacts> {
  const found = await findSpan(rows, span);
  const publications = await findPublications(rows);
  return {
    span: found,
    threads: await findThreads(rows),
    inForce: compileInForce(publications),
    lists: await findLists(rows, publications, found.toOffset),
    snoozes: await findSnoozes(rows, found.toOffset),
    calibrations: await findCalibrations(rows),
    isAligned: (await countTransactions(rows, found)) === found.payments,
    hasPostures: await findPostures(rows, found.toOffset),
    ...(await findDeciding(rows, publications, found)),
  };
}

const spanRow = z.object({
  payments: z.number(),
  from_offset: z.number(),
  to_offset: z.number(),
  first_ms: z.number(),
  last_ms: z.number(),
});

async function findSpan(rows: HistoryRows, span: BacktestSpan): Promise<HistorySpan> {
  const tables = await rows(
    `SELECT count() AS tables FROM system.tables WHERE database = '${HISTORY_DATABASE}' AND name = 'decisions'`,
  );
  const nothing = new NoHistoryError('the history has no decision yet: send payments first, or import some');
  if (z.object({ tables: z.number() }).parse(tables[0]).tables === 0) throw nothing;
  // Engine time never runs backwards, so that a time is an offset.
  const within =
    span.kind === 'decisions'
      ? `ledger_offset >= (SELECT min(ledger_offset) FROM (SELECT ledger_offset FROM ${HISTORY_DATABASE}.decisions ` +
        `WHERE ${IS_WRITTEN} ORDER BY ledger_offset DESC LIMIT ${span.decisions}))`
      : `engine_time > (SELECT max(engine_time) FROM ${HISTORY_DATABASE}.decisions WHERE ${IS_WRITTEN}) - INTERVAL ${span.days} DAY`;
  const [row] = await rows(
    'SELECT count() AS payments, min(ledger_offset) AS from_offset, max(ledger_offset) + 1 AS to_offset, ' +
      'toUnixTimestamp64Milli(min(engine_time)) AS first_ms, toUnixTimestamp64Milli(max(engine_time)) AS last_ms ' +
      `FROM ${HISTORY_DATABASE}.decisions WHERE ${IS_WRITTEN} AND ${within}`,
  );
  const { payments, from_offset, to_offset, first_ms, last_ms } = spanRow.parse(row);
  if (payments === 0) throw nothing;
  return { payments, fromOffset: from_offset, toOffset: to_offset, firstTimeMs: first_ms, lastTimeMs: last_ms };
}

async function findThreads(rows: HistoryRows): Promise<number> {
  const [row] = await rows("SELECT toUInt32(getSetting('max_threads')) AS threads");
  return z.object({ threads: z.number().min(1) }).parse(row).threads;
}

/** A publication that took effect. */
interface Effective {
  readonly ledgerOffset: number;
  readonly configuration: ConfigurationDefinition;
  readonly sha256: string;
}

const recordRow = z.object({ ledger_offset: z.number(), value: z.string() });

/** Publications that took effect, by the ledger's own records: proposals, and what came too late, are none. */
async function findPublications(rows: HistoryRows): Promise<readonly Effective[]> {
  const records = await rows(
    `SELECT ledger_offset, hex(value) AS value FROM ${HISTORY_DATABASE}.ledger ` +
      "WHERE kind = 'ruleSetPublication' ORDER BY ledger_offset",
  );
  const log = new PublicationLog();
  const effective: Effective[] = [];
  for (const row of records) {
    const { ledger_offset: ledgerOffset, value } = recordRow.parse(row);
    const record = decodeLedgerRecord(Buffer.from(value, 'hex'));
    if (record.kind !== 'ruleSetPublication' || !log.apply(ledgerOffset, record.event)) continue;
    const parsed = parseConfiguration(record.event.content);
    if (!parsed.ok)
      throw new Error(
        `SLUICE_RULE_SET_UNREADABLE: rule set ${record.event.version}: ${parsed.problems[0]?.message ?? ''}`,
      );
    log.tookEffect(parsed.value.approvals ?? 0);
    effective.push({ ledgerOffset, configuration: parsed.value, sha256: record.event.sha256 });
  }
  return effective;
}

function compileInForce(publications: readonly Effective[]): CompiledConfiguration {
  const newest = publications.at(-1);
  if (newest === undefined) throw new NoHistoryError('the history has no rule set: start Sluice on it first');
  const compiled = compileConfiguration(newest.configuration);
  if (compiled.ok) return compiled.value;
  throw new Error(`SLUICE_RULE_SET_UNREADABLE: the rule set in force: ${compiled.problems[0]?.message ?? ''}`);
}

const listRow = z.object({ list: z.string(), changes: z.number(), expiring: z.number() });

async function findLists(
  rows: HistoryRows,
  publications: readonly Effective[],
  toOffset: number,
): Promise<ReadonlyMap<string, ListFacts>> {
  const changed = await rows(
    'SELECT list, count() AS changes, countIf(expires_at IS NOT NULL) AS expiring ' +
      `FROM ${HISTORY_DATABASE}.list_changes WHERE ledger_offset < ${toOffset} GROUP BY list`,
  );
  return new Map(
    changed.map((row) => {
      const { list, changes, expiring } = listRow.parse(row);
      // Nobody declares what rules are snoozed.
      const undeclared = list === SNOOZES ? [] : undeclaredSpans(list, publications, toOffset);
      return [list, { changes, expires: expiring > 0, undeclared }];
    }),
  );
}

function undeclaredSpans(list: string, publications: readonly Effective[], toOffset: number): ListFacts['undeclared'] {
  const spans: { fromOffset: number; toOffset: number }[] = [];
  let since: number | null = null;
  let ranges: RangeKind | null = null;
  for (const { ledgerOffset: offset, configuration } of publications) {
    if (offset >= toOffset) break;
    const declared = configuration.lists.find(({ name }) => name === list);
    if (declared !== undefined) {
      const kind = rangeKindOf(declared.entity);
      // A list that becomes one of ranges, or none any more, starts anew.
      if (ranges !== null && kind !== ranges) spans.push({ fromOffset: offset, toOffset: offset });
      ranges = kind;
    }
    if (declared === undefined) since ??= offset;
    else if (since !== null) {
      spans.push({ fromOffset: since, toOffset: offset });
      since = null;
    }
  }
  if (since !== null) spans.push({ fromOffset: since, toOffset });
  return spans;
}

const snoozeRow = z.object({ snooze: z.string() });

async function findSnoozes(rows: HistoryRows, toOffset: number): Promise<HistoryFacts['snoozes']> {
  // A value is rule, entity and id with colons between: one of each rule and entity tells which there are.
  const values = await rows(
    `SELECT any(value) AS snooze FROM ${HISTORY_DATABASE}.list_changes WHERE list = ${quoteText(SNOOZES)} ` +
      `AND ledger_offset < ${toOffset} GROUP BY splitByChar(':', value)[1], splitByChar(':', value)[2]`,
  );
  return values.flatMap((row) => parseSnooze(snoozeRow.parse(row).snooze) ?? []);
}

const promotionRow = z.object({ ledger_offset: z.number(), sha256: z.string(), calibration: z.string() });
const calibrationShape = z.array(z.tuple([z.number(), z.number()]));

async function findCalibrations(rows: HistoryRows): Promise<HistoryFacts['calibrations']> {
  const promotions = await rows(
    "SELECT ledger_offset, sha256, JSONExtractRaw(metadata, 'calibration') AS calibration " +
      `FROM ${HISTORY_DATABASE}.model_promotions WHERE calibration != '' ORDER BY ledger_offset`,
  );
  const calibrations = new Map<string, CalibrationFrom[]>();
  for (const row of promotions) {
    const { ledger_offset: fromOffset, sha256, calibration } = promotionRow.parse(row);
    const points = calibrationShape.parse(JSON.parse(calibration));
    calibrations.set(sha256, [...(calibrations.get(sha256) ?? []), { fromOffset, points }]);
  }
  return calibrations;
}

async function countTransactions(rows: HistoryRows, { fromOffset, toOffset }: HistorySpan): Promise<number> {
  const [row] = await rows(
    `SELECT count() AS payments FROM ${HISTORY_DATABASE}.transactions ` +
      `WHERE ledger_offset BETWEEN ${fromOffset} AND ${toOffset - 1}`,
  );
  return z.object({ payments: z.number() }).parse(row).payments;
}

async function findPostures(rows: HistoryRows, toOffset: number): Promise<boolean> {
  const [row] = await rows(
    `SELECT count() AS postures FROM ${HISTORY_DATABASE}.postures ` +
      `WHERE ledger_offset < ${toOffset} AND author != ${quoteText(OVERLOAD_AUTHOR)}`,
  );
  return z.object({ postures: z.number() }).parse(row).postures > 0;
}

const decidingRow = z.object({ catalogue: z.string(), rule_set: z.string() });

async function findDeciding(
  rows: HistoryRows,
  publications: readonly Effective[],
  { fromOffset, toOffset }: HistorySpan,
): Promise<Pick<HistoryFacts, 'deciding' | 'catalogues'>> {
  const found = await rows(
    'SELECT DISTINCT catalogue_sha256 AS catalogue, rule_set_sha256 AS rule_set ' +
      `FROM ${HISTORY_DATABASE}.decisions WHERE ledger_offset BETWEEN ${fromOffset} AND ${toOffset - 1}`,
  );
  const deciding = found.map((row) => {
    const { catalogue, rule_set } = decidingRow.parse(row);
    return { catalogue, configuration: publications.find(({ sha256 }) => sha256 === rule_set)?.configuration };
  });
  const known = deciding.flatMap(({ configuration }) => configuration ?? []);
  return {
    deciding: known.length === deciding.length ? known : [],
    catalogues: new Map(deciding.map(({ catalogue, configuration }) => [catalogue, meaningsOf(configuration)])),
  };
}

/** Empty where the catalogue cannot be read: then none of its features is known to mean what another's do. */
function meaningsOf(configuration: ConfigurationDefinition | undefined): ReadonlyMap<string, string> {
  if (configuration === undefined) return new Map();
  const compiled = compileCatalogue(configuration.features, configuration.latenessMs);
  return compiled.ok ? featureMeanings(compiled.value) : new Map();
}
