import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { FEATURE_PREFIX, HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteName, quoteText } from '../../operators/sql/sqlText.ts';
import type {
  FeatureColumns,
  HistoryAudit,
  HistoryBatch,
  HistoryComparison,
  HistoryDifference,
  HistoryRecord,
} from '../../pipeline/ports.ts';
import { BatchLog } from './batchLog.ts';
import { CatalogueLog } from './catalogueLog.ts';
import { FEATURE_COLUMN_TYPE } from './decisionTables.ts';
import type { HistoryTable } from './historyTable.ts';
import { HistoryTables } from './historyTables.ts';
import { NativeBuffer } from './nativeBuffer.ts';
import { readNativeBlocks, type NativeBlock } from './nativeReader.ts';
import { compareRows } from './tableComparison.ts';

export interface ClickHouseAuditOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** Rows named of those that are behind everything. */
const MAX_NAMED = 20;
const FEATURE_TYPE = FEATURE_COLUMN_TYPE.split(' ')[0] ?? '';

/**
 * Compares the history in ClickHouse with what ledger and decisions say: the rows that the writer would write are made again by
 * the writer's own code, read back, and compared with those that are there, column by column. Challengers' scores are left out.
 * Needs an analyst's rights only.
 */
export class ClickHouseAudit implements HistoryAudit {
  readonly #client: ClickHouseClient;
  readonly #batchLog: BatchLog;
  readonly #catalogueLog: CatalogueLog;
  readonly #tables = new HistoryTables();
  readonly #buffer = new NativeBuffer();
  readonly #catalogues = new Map<string, FeatureColumns>();
  /** Columns of each table that are there as they should be. */
  #columns = new Map<string, readonly string[]>();

  constructor({ url, username, password }: ClickHouseAuditOptions) {
    this.#client = createClient({
      url,
      username,
      password,
      application: 'sluice verify',
      // Whoever calls tells the error.
      log: { level: ClickHouseLogLevel.OFF },
    });
    this.#batchLog = new BatchLog(this.#client);
    this.#catalogueLog = new CatalogueLog(this.#client);
  }

  async begin(): ReturnType<HistoryAudit['begin']> {
    const found = await this.#presentColumns();
    if (found.size === 0) return { endOffset: 0, differences: [] };
    const differences: HistoryDifference[] = [];
    for (const table of this.#tables.derived) this.#checkColumns(table, found.get(table.name), differences);
    const { fromOffset } = await this.#batchLog.position();
    return { endOffset: fromOffset, differences };
  }

  learn(columns: readonly FeatureColumns[]): void {
    for (const catalogue of columns) {
      this.#catalogues.set(catalogue.catalogueSha256, catalogue);
      this.#tables.learn(catalogue);
    }
  }

  async compare(batch: HistoryBatch): Promise<HistoryComparison> {
    const rows = new Map<string, number>();
    const differences: HistoryDifference[] = [];
    const records = batch.records.filter((record) => this.#canWrite(record));
    this.#tables.fill({ ...batch, records });
    const counts = await this.#counts(batch);
    for (const table of this.#tables.derived) {
      const columns = this.#columns.get(table.name);
      const count = counts.get(table.name) ?? 0;
      if (columns === undefined || table.rowCount + count === 0) continue;
      const found = count === 0 ? [] : await this.#found(table, columns, batch);
      rows.set(
        table.name,
        found.reduce((sum, { rowCount }) => sum + rowCount, 0),
      );
      differences.push(...compareRows(table.name, columns, this.#expected(table), found));
    }
    const known = new Set(records.map(({ offset }) => offset));
    const isKnown = ({ ledgerOffset }: HistoryDifference): boolean => known.has(ledgerOffset ?? -1);
    const unwritable = batch.records.filter(({ offset }) => !known.has(offset)).map(({ offset }) => unreadable(offset));
    return { rows, differences: [...differences.filter(isKnown), ...unwritable] };
  }

  async end(): Promise<readonly HistoryDifference[]> {
    const differences: HistoryDifference[] = [];
    for (const { name, qualifiedName } of this.#tables.derived) {
      if (!this.#columns.has(name)) continue;
      const { toOffset, fromOffset } = await this.#batchLog.position();
      const behind = await this.#rows<{ offset: string }>(
        `SELECT toString(ledger_offset) AS offset FROM ${qualifiedName} WHERE ledger_offset >= ${toOffset ?? fromOffset} ` +
          `ORDER BY ledger_offset LIMIT ${MAX_NAMED}`,
      );
      // The writer may have begun another batch since.
      const now = await this.#batchLog.position();
      for (const { offset } of behind) {
        if (Number(offset) < (now.toOffset ?? now.fromOffset)) continue;
        const detail = 'it is behind all that was ever written';
        differences.push({ table: name, ledgerOffset: Number(offset), kind: 'added', detail });
      }
    }
    if (this.#columns.size > 0) differences.push(...(await this.#catalogueDifferences()));
    return differences;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Whether the writer could write it: not a decision of another payment, or of a catalogue that no publication brought. */
  #canWrite({ offset, decision }: HistoryRecord): boolean {
    if (decision === null) return true;
    if (decision.ledgerOffset !== offset) return false;
    const names = this.#catalogues.get(decision.catalogueSha256)?.names;
    return decision.status !== 'new' || names?.length === decision.features.length;
  }

  #checkColumns(
    table: HistoryTable,
    found: ReadonlyMap<string, string> | undefined,
    differences: HistoryDifference[],
  ): void {
    const whole = { table: table.name, ledgerOffset: null } as const;
    if (found === undefined) {
      differences.push({ ...whole, kind: 'missing', detail: 'the whole table is gone' });
      return;
    }
    const columns: string[] = [];
    for (const { name, type } of table.columnTypes()) {
      const foundType = found.get(name);
      if (foundType === type) columns.push(name);
      else if (foundType === undefined)
        differences.push({
          ...whole,
          kind: 'missing',
          detail: `column ${name}: an older Sluice wrote last, or it was dropped`,
        });
      else
        differences.push({
          ...whole,
          kind: 'changed',
          detail: `column ${name} has type ${foundType} instead of ${type}`,
        });
    }
    if (table.name === 'decisions')
      for (const [name, type] of found)
        if (name.startsWith(FEATURE_PREFIX) && type === FEATURE_TYPE) columns.push(name);
    this.#columns.set(table.name, columns);
  }

  async #presentColumns(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const rows = await this.#rows<{ table: string; name: string; type: string }>(
      `SELECT table, name, type FROM system.columns WHERE database = '${HISTORY_DATABASE}'`,
    );
    const tables = new Map<string, Map<string, string>>();
    for (const { table, name, type } of rows) {
      const columns = tables.get(table) ?? new Map<string, string>();
      tables.set(table, columns.set(name, type));
    }
    return tables;
  }

  #expected(table: HistoryTable): readonly NativeBlock[] {
    if (table.rowCount === 0) return [];
    this.#buffer.clear();
    table.encode(this.#buffer);
    return readNativeBlocks(Buffer.from(this.#buffer.view()));
  }

  async #found(
    table: HistoryTable,
    columns: readonly string[],
    { fromOffset, toOffset }: HistoryBatch,
  ): Promise<readonly NativeBlock[]> {
    const { stream } = await this.#client.exec({
      query:
        `SELECT ${columns.map(quoteName).join(', ')} FROM ${table.qualifiedName} ` +
        `WHERE ledger_offset >= ${fromOffset} AND ledger_offset < ${toOffset} ORDER BY ledger_offset FORMAT Native`,
    });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    return readNativeBlocks(Buffer.concat(chunks));
  }

  async #counts({ fromOffset, toOffset }: HistoryBatch): Promise<ReadonlyMap<string, number>> {
    const counts = this.#tables.derived
      .filter(({ name }) => this.#columns.has(name))
      .map(
        ({ name, qualifiedName }) =>
          `SELECT ${quoteText(name)} AS name, count() AS found FROM ${qualifiedName} ` +
          `WHERE ledger_offset >= ${fromOffset} AND ledger_offset < ${toOffset}`,
      );
    const rows = await this.#rows<{ name: string; found: string }>(counts.join(' UNION ALL '));
    return new Map(rows.map(({ name, found }) => [name, Number(found)]));
  }

  /** The list of catalogues says which feature a column's values are of. */
  async #catalogueDifferences(): Promise<readonly HistoryDifference[]> {
    const differences: HistoryDifference[] = [];
    const whole = { table: this.#catalogueLog.name, ledgerOffset: null } as const;
    const stored = new Map((await this.#catalogueLog.all()).map((row) => [row.catalogueSha256, row.names]));
    for (const [sha256, { names }] of this.#catalogues) {
      const found = stored.get(sha256);
      if (found !== undefined && JSON.stringify(found) !== JSON.stringify(names))
        differences.push({ ...whole, kind: 'changed', detail: `catalogue ${sha256} has other features` });
    }
    for (const sha256 of stored.keys())
      if (!this.#catalogues.has(sha256))
        differences.push({ ...whole, kind: 'added', detail: `catalogue ${sha256} was never published` });
    return differences;
  }

  async #rows<T>(query: string): Promise<T[]> {
    const result = await this.#client.query({ query, format: 'JSONEachRow' });
    return result.json<T>();
  }
}

function unreadable(ledgerOffset: number): HistoryDifference {
  const detail =
    'it cannot be compared: the stored decision is of another payment or of features that were never published';
  return { table: 'decisions', ledgerOffset, kind: 'changed', detail };
}
