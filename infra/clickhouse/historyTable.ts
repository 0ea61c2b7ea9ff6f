import { HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteName, quoteText } from '../../operators/sql/sqlText.ts';
import { schemaRegistry } from '../../schemas/registry.ts';
import type { NativeBuffer } from './nativeBuffer.ts';
import { Integer64Column, NullableColumn } from './nativeColumn.ts';
import type { NativeColumn } from './nativeColumn.ts';
import { StringColumn } from './nativeTextColumn.ts';

export { HISTORY_DATABASE };

/** A repair may send a batch again some times; a window of this many inserts is far more than one batch needs. */
const DEDUPLICATION_WINDOW_INSERTS = 100;
/** One partition spans so many ledger offsets: old history can be dropped whole, and a batch touches one or two. */
export const PARTITION_OFFSETS = 1_000_000_000;
/** Parts smaller than this keep all columns in one file: inserting a hundred columns stays cheap. */
const WIDE_PART_BYTES = 64 * 1024 * 1024;

interface HistoryColumn {
  readonly name: string;
  readonly column: NativeColumn;
  readonly comment: string;
  readonly options: ColumnOptions;
}

export interface ColumnOptions {
  readonly codec?: string;
  /** A data-skipping index on the column: minmax for what rises with the offset, bloom for looking up ids. */
  readonly index?: 'minmax' | 'bloom';
}

/**
 * A table of the history and the rows of the batch at hand. Ordered by ledger offset: rows arrive in that order, a
 * replay reads in it, payments and decisions join by it, and because events come nearly in time order a minmax index
 * on event_time finds a time range.
 */
export abstract class HistoryTable {
  readonly name: string;
  readonly #comment: string;
  readonly #orderBy: string;
  readonly #columns: HistoryColumn[] = [];
  protected readonly ledgerOffset: Integer64Column;

  protected constructor(name: string, comment: string, orderBy = 'ledger_offset') {
    this.name = name;
    this.#comment = comment;
    this.#orderBy = orderBy;
    this.ledgerOffset = this.add('ledger_offset', new Integer64Column('UInt64'), 'Offset of the ledger record.', {
      codec: 'Delta(8), LZ4',
    });
  }

  get rowCount(): number {
    return this.ledgerOffset.rowCount;
  }

  clear(): void {
    for (const { column } of this.#columns) column.clear();
  }

  /** Idempotent. */
  createStatement(): string {
    const columns = this.columnDefinitions().map(({ definition }) => `  ${definition}`);
    const indexes = this.#columns.flatMap(({ name, options }) => {
      if (options.index === undefined) return [];
      const type = options.index === 'minmax' ? 'minmax GRANULARITY 1' : 'bloom_filter(0.01) GRANULARITY 4';
      return [`  INDEX ${quoteName(`${name}_${options.index}`)} ${quoteName(name)} TYPE ${type}`];
    });
    return (
      `CREATE TABLE IF NOT EXISTS ${this.qualifiedName} (\n${[...columns, ...indexes].join(',\n')}\n) ENGINE = MergeTree\n` +
      `PARTITION BY intDiv(ledger_offset, ${PARTITION_OFFSETS}) ORDER BY (${this.#orderBy})\n` +
      `SETTINGS ${tableSettings()}\n` +
      `COMMENT ${quoteText(this.#comment)}`
    );
  }

  /** Every column but the features', as in CREATE TABLE and ADD COLUMN. */
  columnDefinitions(): readonly { readonly name: string; readonly definition: string }[] {
    return this.#columns.map(({ name, column, comment, options }) => ({
      name,
      definition:
        `${quoteName(name)} ${column.type} COMMENT ${quoteText(comment)}` +
        (options.codec === undefined ? '' : ` CODEC(${options.codec})`),
    }));
  }

  /** Names and ClickHouse types of every column but the features'. */
  columnTypes(): readonly { readonly name: string; readonly type: string }[] {
    return this.#columns.map(({ name, column }) => ({ name, type: column.type }));
  }

  get qualifiedName(): string {
    return `${HISTORY_DATABASE}.${this.name}`;
  }

  /** The statement whose data is what `encode` writes. */
  insertStatement(): string {
    const names = this.sentColumns().map((column) => quoteName(column.name));
    return `INSERT INTO ${this.qualifiedName} (${names.join(', ')}) FORMAT Native`;
  }

  /** Writes all rows as one Native block, which ClickHouse inserts as one part. */
  encode(out: NativeBuffer): void {
    const columns = this.sentColumns();
    out.varint(columns.length);
    out.varint(this.rowCount);
    for (const { name, column } of columns) {
      if (column.rowCount !== this.rowCount) {
        throw new Error(
          `SLUICE_HISTORY_ROWS: ${this.name}.${name} has ${column.rowCount} of ${this.rowCount} rows; ` +
            `a column was not filled for every row, which is a mistake in this program`,
        );
      }
      out.string(name);
      out.string(column.type);
      column.writePrefix(out);
      column.writeData(out);
    }
  }

  protected sentColumns(): readonly HistoryColumn[] {
    return this.#columns;
  }

  protected add<C extends NativeColumn>(name: string, column: C, comment: string, options: ColumnOptions = {}): C {
    this.#columns.push({ name, column, comment, options });
    return column;
  }
}

/** Settings of every table that batches are written to. Rows survive a power cut once an insert is acknowledged. */
export function tableSettings(): string {
  return (
    `non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW_INSERTS}, fsync_after_insert = 1, ` +
    `fsync_part_directory = 1, min_bytes_for_wide_part = ${WIDE_PART_BYTES}`
  );
}

export function dateTime(): Integer64Column {
  return new Integer64Column("DateTime64(3, 'UTC')");
}

export function nullableDateTime(): NullableColumn<number> {
  return new NullableColumn(dateTime(), 0);
}

export function nullableString(): NullableColumn<string> {
  return new NullableColumn(new StringColumn(), '');
}

export function nullableOffset(): NullableColumn<number> {
  return new NullableColumn(new Integer64Column('UInt64'), 0);
}

/** A field's doc in the Avro schema, so that a column's comment says the same. Throws when there is no such field. */
export function schemaDoc(record: string, field: string): string {
  const found = schemaRegistry
    .current(`io.sluice.${record}`)
    .schema.fields.find((candidate) => candidate.name === field);
  if (found === undefined) throw new Error(`SLUICE_SCHEMA_MISSING: ${record} has no field ${field}`);
  return found.doc ?? '';
}
