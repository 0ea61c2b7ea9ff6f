import type { NativeBuffer } from './nativeBuffer.ts';

/**
 * One column of a block in ClickHouse's Native format, filled row by row and used again for the next block.
 * Format: https://clickhouse.com/docs/interfaces/formats/Native; numbers are little-endian.
 */
export interface NativeColumn {
  /** The ClickHouse type, as in CREATE TABLE. */
  readonly type: string;
  readonly rowCount: number;
  clear(): void;
  /** What goes before the data of the whole column: versions of the serialisations inside. */
  writePrefix(out: NativeBuffer): void;
  writeData(out: NativeBuffer): void;
}

const FIRST_ROWS = 1024;

/** Which rows are null: one byte a row. The column's data holds some default for them. */
export class NullMap {
  #bytes = new Uint8Array(FIRST_ROWS);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  push(isNull: boolean): void {
    if (this.#length === this.#bytes.length) this.#bytes = grow(this.#bytes, new Uint8Array(2 * this.#length));
    this.#bytes[this.#length++] = isNull ? 1 : 0;
  }

  write(out: NativeBuffer): void {
    out.bytes(this.#bytes.subarray(0, this.#length));
  }
}

/** A number type whose values sit in one typed array. */
abstract class TypedArrayColumn implements NativeColumn {
  abstract readonly type: string;
  protected length = 0;

  get rowCount(): number {
    return this.length;
  }

  clear(): void {
    this.length = 0;
  }

  writePrefix(): void {
    // Numbers have no prefix.
  }

  abstract writeData(out: NativeBuffer): void;
}

export class Float64Column extends TypedArrayColumn {
  readonly type = 'Float64';
  #values = new Float64Array(FIRST_ROWS);

  push(value: number): void {
    this.set(this.length, value);
  }

  /** Sets row `row`, at or after the last one; rows that were passed over become NaN. */
  set(row: number, value: number): void {
    if (row >= this.#values.length) this.#values = grow(this.#values, new Float64Array(2 * row));
    while (this.length < row) this.#values[this.length++] = Number.NaN;
    this.#values[row] = value;
    this.length = row + 1;
  }

  /** Makes the column `rows` long with NaN. */
  pad(rows: number): void {
    if (this.length < rows) this.set(rows - 1, Number.NaN);
  }

  writeData(out: NativeBuffer): void {
    out.bytes(new Uint8Array(this.#values.buffer, 0, 8 * this.length));
  }
}

export type Integer64Type = 'UInt64' | 'Int64' | "DateTime64(3, 'UTC')";

/** UInt64, Int64 and DateTime64(3), whose ticks are milliseconds, from safe integers. */
export class Integer64Column extends TypedArrayColumn {
  readonly type: Integer64Type;
  #words = new Uint32Array(2 * FIRST_ROWS);

  constructor(type: Integer64Type) {
    super();
    this.type = type;
  }

  push(value: number): void {
    const at = 2 * this.length;
    if (at === this.#words.length) this.#words = grow(this.#words, new Uint32Array(2 * at));
    // Two's complement: the low word is the remainder, the high word the floor, modulo 2^32.
    this.#words[at] = value >>> 0;
    this.#words[at + 1] = Math.floor(value / 0x1_0000_0000) >>> 0;
    this.length++;
  }

  writeData(out: NativeBuffer): void {
    out.bytes(new Uint8Array(this.#words.buffer, 0, 8 * this.length));
  }
}

export class Int32Column extends TypedArrayColumn {
  readonly type = 'Int32';
  #values = new Int32Array(FIRST_ROWS);

  push(value: number): void {
    if (this.length === this.#values.length) this.#values = grow(this.#values, new Int32Array(2 * this.length));
    this.#values[this.length++] = value;
  }

  writeData(out: NativeBuffer): void {
    out.bytes(new Uint8Array(this.#values.buffer, 0, 4 * this.length));
  }
}

export class BoolColumn extends TypedArrayColumn {
  readonly type = 'Bool';
  #values = new Uint8Array(FIRST_ROWS);

  push(value: boolean): void {
    if (this.length === this.#values.length) this.#values = grow(this.#values, new Uint8Array(2 * this.length));
    this.#values[this.length++] = value ? 1 : 0;
  }

  writeData(out: NativeBuffer): void {
    out.bytes(this.#values.subarray(0, this.length));
  }
}

/** Nullable(T): a null map before the values. `missing` stands in the values where the row is null. */
export class NullableColumn<V> implements NativeColumn {
  readonly type: string;
  readonly #nulls = new NullMap();
  readonly #values: NativeColumn & { push(value: V): void };
  readonly #missing: V;

  constructor(values: NativeColumn & { push(value: V): void }, missing: V) {
    this.type = `Nullable(${values.type})`;
    this.#values = values;
    this.#missing = missing;
  }

  get rowCount(): number {
    return this.#values.rowCount;
  }

  push(value: V | null): void {
    this.#nulls.push(value === null);
    this.#values.push(value ?? this.#missing);
  }

  clear(): void {
    this.#nulls.clear();
    this.#values.clear();
  }

  writePrefix(out: NativeBuffer): void {
    this.#values.writePrefix(out);
  }

  writeData(out: NativeBuffer): void {
    this.#nulls.write(out);
    this.#values.writeData(out);
  }
}

function grow<A extends Float64Array | Uint32Array | Int32Array | Uint8Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
