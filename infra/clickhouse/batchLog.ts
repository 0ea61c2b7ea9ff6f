import type { ClickHouseClient } from '@clickhouse/client';
import { quoteText } from '../../operators/sql/sqlText.ts';
import { HISTORY_DATABASE, tableSettings } from './historyTable.ts';

/** Ledger offsets, `toOffset` exclusive. */
export interface BatchBounds {
  readonly fromOffset: number;
  readonly toOffset: number;
}

const NAME = 'history_batches';
const TABLE = `${HISTORY_DATABASE}.${NAME}`;

/**
 * Which batches were begun and which are complete, in ClickHouse itself, so that it stays with the rows it speaks of.
 *
 * A batch is `planned` before its first row is written and `written` after its last. So at most one batch, the last
 * planned, can be half written, and it is sent again with the same bounds.
 */
export class BatchLog {
  readonly name = NAME;
  readonly #client: ClickHouseClient;

  constructor(client: ClickHouseClient) {
    this.#client = client;
  }

  createStatement(): string {
    const comment =
      'Progress of the writer: batches of ledger offsets, planned before and written after their rows. ' +
      'Rows of other tables in a batch that is only planned may be incomplete.';
    return (
      `CREATE TABLE IF NOT EXISTS ${TABLE} (\n` +
      `  from_offset UInt64 COMMENT 'First ledger offset of the batch.' CODEC(Delta(8), LZ4),\n` +
      `  to_offset UInt64 COMMENT 'Ledger offset after the last.' CODEC(Delta(8), LZ4),\n` +
      `  step LowCardinality(String) COMMENT 'planned: rows may be written; written: all rows are.',\n` +
      `  table_rows Map(LowCardinality(String), UInt64) COMMENT 'Rows of the batch in each table.',\n` +
      `  at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the step was taken.'\n` +
      `) ENGINE = MergeTree ORDER BY from_offset\nSETTINGS ${tableSettings()}\nCOMMENT ${quoteText(comment)}`
    );
  }

  async plan(bounds: BatchBounds): Promise<void> {
    await this.#append(bounds, 'planned', {});
  }

  async complete(bounds: BatchBounds, tableRows: Readonly<Record<string, number>>): Promise<void> {
    await this.#append(bounds, 'written', tableRows);
  }

  /** Where the complete batches end, and the bounds of the batch that was planned there, if any. */
  async position(): Promise<{ readonly fromOffset: number; readonly toOffset: number | null }> {
    const written = await this.#rows<{ to_offset: string }>(
      `SELECT to_offset FROM ${TABLE} WHERE step = 'written' ORDER BY from_offset DESC LIMIT 1`,
    );
    const fromOffset = Number(written[0]?.to_offset ?? 0);
    // Several plans from one offset: a writer died before it saw its plan acknowledged, hence before it wrote a row;
    // the plan made last is the one that rows may have been written by.
    const planned = await this.#rows<{ to_offset: string }>(
      `SELECT to_offset FROM ${TABLE} WHERE step = 'planned' AND from_offset = ${fromOffset} ORDER BY at DESC LIMIT 1`,
    );
    return { fromOffset, toOffset: planned[0] === undefined ? null : Number(planned[0].to_offset) };
  }

  /** Rows that all complete batches have in each table. */
  async totals(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#rows<{ name: string; total: string }>(
      `SELECT name, sum(value) AS total FROM (SELECT DISTINCT from_offset, table_rows FROM ${TABLE} WHERE step = 'written')
       ARRAY JOIN mapKeys(table_rows) AS name, mapValues(table_rows) AS value GROUP BY name`,
    );
    return new Map(rows.map(({ name, total }) => [name, Number(total)]));
  }

  async #append(
    { fromOffset, toOffset }: BatchBounds,
    step: 'planned' | 'written',
    tableRows: Readonly<Record<string, number>>,
  ): Promise<void> {
    await this.#client.insert({
      table: TABLE,
      columns: ['from_offset', 'to_offset', 'step', 'table_rows'],
      values: [{ from_offset: fromOffset, to_offset: toOffset, step, table_rows: tableRows }],
      format: 'JSONEachRow',
      clickhouse_settings: { insert_deduplication_token: `history_batches-${step}-${fromOffset}-${toOffset}` },
    });
  }

  async #rows<T>(query: string): Promise<T[]> {
    const result = await this.#client.query({ query, format: 'JSONEachRow' });
    return result.json<T>();
  }
}
