import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import type { FeatureColumns, History, HistoryBatch, LedgerRow } from '../../pipeline/ports.ts';
import { BatchLog } from './batchLog.ts';
import type { BatchBounds } from './batchLog.ts';
import { CatalogueLog } from './catalogueLog.ts';
import { FEATURE_PREFIX } from '../../operators/sql/history.ts';
import { FEATURE_COLUMN_TYPE } from './decisionTables.ts';
import { HISTORY_DATABASE } from './historyTable.ts';
import { quoteName, quoteText } from '../../operators/sql/sqlText.ts';
import type { HistoryTable } from './historyTable.ts';
import { HistoryTables } from './historyTables.ts';
import { historyViews } from './historyViews.ts';
import { NativeBuffer } from './nativeBuffer.ts';

export interface ClickHouseHistoryOptions {
  /** Any ClickHouse HTTP endpoint, e.g. http://127.0.0.1:8123. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** How long one statement may take; milliseconds. */
  readonly requestTimeoutMs?: number;
}

/** Rows that a table should hold by the batch log, and does. */
export interface HistoryCount {
  readonly table: string;
  readonly expected: number;
  readonly found: number;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 60_000;
const MAX_REPAIRS = 3;
const FEATURE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

/**
 * The history in ClickHouse, exactly once under any crash of this process or of the engine:
 * a batch's bounds are planned durably first, every table's rows are one insert (one part, hence all or nothing) with a
 * deduplication token made of the bounds, and a `written` row ends it. A batch found half written is sent again:
 * rows are counted by ledger offset first, what is there is left, what is missing is inserted with the same token (an
 * insert of the dead process may still be under way), and the counts are checked again. The tokens alone would not do:
 * ClickHouse notes a token before the part appears and never syncs the note (ClickHouse issue 111577), so a crash can
 * leave a token without rows, or after a power cut rows without a token.
 */
export class ClickHouseHistory implements History {
  readonly #client: ClickHouseClient;
  readonly #batchLog: BatchLog;
  readonly #catalogueLog: CatalogueLog;
  readonly #tables = new HistoryTables();
  readonly #catalogues = new Map<string, FeatureColumns>();
  #buffers = new Map<string, NativeBuffer>();
  #position: { readonly fromOffset: number; readonly toOffset: number | null } | null = null;
  /** Whether the plan of the batch at #position is known to be in the log. */
  #isPlanned = false;

  constructor(options: ClickHouseHistoryOptions) {
    this.#client = createClient({
      url: options.url,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
      application: 'sluice',
      request_timeout: options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
      // Whoever calls logs the error, once, and not the client at every attempt.
      log: { level: ClickHouseLogLevel.OFF },
      compression: { request: false, response: false },
      clickhouse_settings: { async_insert: 0, insert_deduplicate: 1 },
    });
    this.#batchLog = new BatchLog(this.#client);
    this.#catalogueLog = new CatalogueLog(this.#client);
  }

  async prepare(columns: readonly FeatureColumns[]): Promise<void> {
    for (const { names } of columns) names.forEach(assertFeatureName);
    await this.#command(`CREATE DATABASE IF NOT EXISTS ${HISTORY_DATABASE}`);
    const present = await this.#presentTables();
    const tables = [this.#batchLog, this.#catalogueLog, ...this.#tables.all].filter(({ name }) => !present.has(name));
    await Promise.all(tables.map((table) => this.#command(table.createStatement())));
    const stored = await this.#catalogueLog.all();
    const known = new Set(stored.map(({ catalogueSha256 }) => catalogueSha256));
    await this.#widen([...stored, ...columns]);
    // Only now that its columns exist: whoever reads the log may insert them.
    for (const catalogue of columns) if (!known.has(catalogue.catalogueSha256)) await this.#catalogueLog.put(catalogue);
    for (const catalogue of [...stored, ...columns]) this.#learn(catalogue);
    const features = [...new Set([...this.#catalogues.values()].flatMap(({ names }) => names))];
    for (const layer of historyViews(features)) {
      const changed = layer.filter(({ name, comment }) => present.get(name) !== comment);
      await Promise.all(changed.map(({ statement }) => this.#command(statement)));
    }
  }

  async position(): Promise<{ readonly fromOffset: number; readonly toOffset: number | null }> {
    if (this.#position === null) {
      this.#position = await this.#batchLog.position();
      this.#isPlanned = this.#position.toOffset !== null;
    }
    return this.#position;
  }

  async modelPromotions(beforeOffset: number): Promise<readonly LedgerRow[]> {
    const result = await this.#client.query({
      query:
        `SELECT ledger_offset AS offset, hex(value) AS bytes FROM ${HISTORY_DATABASE}.ledger WHERE ledger_offset IN ` +
        `(SELECT ledger_offset FROM ${HISTORY_DATABASE}.model_promotions WHERE ledger_offset < ${beforeOffset}) ` +
        'ORDER BY offset',
      format: 'JSONEachRow',
    });
    const rows = await result.json<{ offset: string; bytes: string }>();
    return rows.map(({ offset, bytes }) => ({ offset: Number(offset), value: Buffer.from(bytes, 'hex') }));
  }

  async write(batch: HistoryBatch): Promise<void> {
    const position = await this.position();
    assertBounds(batch, position);
    try {
      this.#tables.fill(batch);
      const isRepeat = position.toOffset !== null;
      this.#position = { fromOffset: batch.fromOffset, toOffset: batch.toOffset };
      if (!this.#isPlanned) {
        await this.#batchLog.plan(batch);
        this.#isPlanned = true;
      }
      const filled = this.#tables.all.filter((table) => table.rowCount > 0);
      if (isRepeat) await this.#insertMissing(batch);
      else await this.#insertAll(filled, batch, '');
      await this.#batchLog.complete(
        batch,
        Object.fromEntries(filled.map((table): [string, number] => [table.name, table.rowCount])),
      );
    } catch (error) {
      // A request that was given up may still be reading its buffer: the next attempt takes new ones.
      this.#buffers = new Map();
      throw error;
    }
    this.#position = { fromOffset: batch.toOffset, toOffset: null };
    this.#isPlanned = false;
  }

  /** Compares what complete batches wrote with what the tables hold: an operator's check, and the tests'. */
  async check(): Promise<readonly HistoryCount[]> {
    const { fromOffset } = await this.#batchLog.position();
    const totals = await this.#batchLog.totals();
    const found = await this.#countRows({ fromOffset: 0, toOffset: fromOffset });
    return this.#tables.all.map(({ name }) => ({
      table: name,
      expected: totals.get(name) ?? 0,
      found: found.get(name) ?? 0,
    }));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Comments of the tables and views that exist, by name. */
  async #presentTables(): Promise<ReadonlyMap<string, string>> {
    const result = await this.#client.query({
      query: `SELECT name, comment FROM system.tables WHERE database = '${HISTORY_DATABASE}'`,
      format: 'JSONEachRow',
    });
    const rows = await result.json<{ name: string; comment: string }>();
    return new Map(rows.map(({ name, comment }) => [name, comment]));
  }

  #learn(catalogue: FeatureColumns): void {
    this.#catalogues.set(catalogue.catalogueSha256, catalogue);
    this.#tables.learn(catalogue);
  }

  /** Adds the columns that tables of an older version, or of a smaller catalogue, do not have yet. */
  async #widen(catalogues: readonly FeatureColumns[]): Promise<void> {
    const result = await this.#client.query({
      query: `SELECT table, name FROM system.columns WHERE database = '${HISTORY_DATABASE}'`,
      format: 'JSONEachRow',
    });
    const present = new Set(
      (await result.json<{ table: string; name: string }>()).map((row) => `${row.table}.${row.name}`),
    );
    const additions = new Map<string, string>();
    for (const { names, descriptions } of catalogues) {
      names.forEach((feature, index) => {
        const name = FEATURE_PREFIX + feature;
        if (present.has(`decisions.${name}`) || additions.has(name)) return;
        const comment = descriptions?.[index] ?? '';
        additions.set(
          name,
          `ADD COLUMN IF NOT EXISTS ${quoteName(name)} ${FEATURE_COLUMN_TYPE} COMMENT ${quoteText(comment)}`,
        );
      });
    }
    if (additions.size > 0) {
      await this.#command(`ALTER TABLE ${HISTORY_DATABASE}.decisions ${[...additions.values()].join(', ')}`);
    }
    for (const table of this.#tables.all) {
      const missing = table.columnDefinitions().filter(({ name }) => !present.has(`${table.name}.${name}`));
      if (missing.length === 0) continue;
      const clauses = missing.map(({ definition }) => `ADD COLUMN IF NOT EXISTS ${definition}`);
      await this.#command(`ALTER TABLE ${table.qualifiedName} ${clauses.join(', ')}`);
    }
  }

  async #insertMissing(bounds: BatchBounds): Promise<void> {
    for (let repair = 0; repair <= MAX_REPAIRS; repair++) {
      const found = await this.#countRows(bounds);
      const wrong = this.#tables.all.filter((table) => table.rowCount !== (found.get(table.name) ?? 0));
      if (wrong.length === 0) return;
      for (const table of wrong) {
        if ((found.get(table.name) ?? 0) > 0) await this.#deleteRows(table, bounds);
      }
      // First with the batch's own token. Rows that are still missing then belong to a token without a part.
      const insertable = wrong.filter((table) => table.rowCount > 0);
      await this.#insertAll(insertable, bounds, repair === 0 ? '' : `-${randomUUID()}`);
    }
    throw new Error(
      `SLUICE_HISTORY_REPAIR: the rows of ledger offsets ${bounds.fromOffset} to ${bounds.toOffset} still do not ` +
        `add up after ${MAX_REPAIRS} repairs; is another Sluice writing to the same ClickHouse database?`,
    );
  }

  async #deleteRows(table: HistoryTable, { fromOffset, toOffset }: BatchBounds): Promise<void> {
    await this.#command(
      `ALTER TABLE ${table.qualifiedName} DELETE WHERE ledger_offset >= ${fromOffset} AND ledger_offset < ${toOffset} ` +
        `SETTINGS mutations_sync = 2`,
    );
  }

  async #countRows({ fromOffset, toOffset }: BatchBounds): Promise<ReadonlyMap<string, number>> {
    const counts = this.#tables.all.map(
      (table) =>
        `SELECT '${table.name}' AS name, count() AS found FROM ${table.qualifiedName} ` +
        `WHERE ledger_offset >= ${fromOffset} AND ledger_offset < ${toOffset}`,
    );
    const result = await this.#client.query({ query: counts.join(' UNION ALL '), format: 'JSONEachRow' });
    const rows = await result.json<{ name: string; found: string }>();
    return new Map(rows.map(({ name, found }) => [name, Number(found)]));
  }

  /** All inserts at once; ends when every one has ended, well or not, so that no buffer is still being read. */
  async #insertAll(tables: readonly HistoryTable[], bounds: BatchBounds, tokenSuffix: string): Promise<void> {
    const inserts = tables.map((table) => this.#insert(table, bounds, tokenSuffix));
    for (const outcome of await Promise.allSettled(inserts)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
  }

  async #insert(table: HistoryTable, { fromOffset, toOffset }: BatchBounds, tokenSuffix: string): Promise<void> {
    let buffer = this.#buffers.get(table.name);
    if (buffer === undefined) this.#buffers.set(table.name, (buffer = new NativeBuffer()));
    buffer.clear();
    table.encode(buffer);
    const { stream } = await this.#client.exec({
      query: table.insertStatement(),
      values: Readable.from(buffer.view()),
      clickhouse_settings: { insert_deduplication_token: `${table.name}-${fromOffset}-${toOffset}${tokenSuffix}` },
    });
    await finished(stream.resume());
  }

  async #command(query: string): Promise<void> {
    await this.#client.command({ query });
  }
}

function assertFeatureName(name: string): void {
  if (FEATURE_NAME.test(name)) return;
  throw new Error(
    `SLUICE_HISTORY_FEATURE_NAME: feature ${JSON.stringify(name)} cannot be a column's name; ` +
      `use letters, digits and underscores, at most 100, and no digit first`,
  );
}

function assertBounds(
  batch: BatchBounds,
  position: { readonly fromOffset: number; readonly toOffset: number | null },
): void {
  const isNext = batch.fromOffset === position.fromOffset && batch.toOffset > batch.fromOffset;
  if (isNext && (position.toOffset === null || position.toOffset === batch.toOffset)) return;
  throw new Error(
    `SLUICE_HISTORY_BOUNDS: history takes ledger offsets ${position.fromOffset} to ${position.toOffset ?? 'any'} next, ` +
      `not ${batch.fromOffset} to ${batch.toOffset}`,
  );
}
