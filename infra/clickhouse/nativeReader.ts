import { isUtf8 } from 'node:buffer';

/**
 * Reads blocks in ClickHouse's Native format (https://clickhouse.com/docs/interfaces/formats/Native) with the column types that
 * the history has, written without a look at the encoders: what it reads of a sent block and of a found one is compared.
 */
export interface NativeBlock {
  readonly rowCount: number;
  readonly columns: ReadonlyMap<string, NativeCells>;
}

/** The values of one column of a block. */
export interface NativeCells {
  readonly type: string;
  /** Equal texts are equal values; null is null. */
  cell(row: number): string | null;
  /** For people. */
  text(row: number): string;
}

export function readNativeBlocks(bytes: Buffer): NativeBlock[] {
  const input = new Input(bytes);
  const blocks: NativeBlock[] = [];
  while (!input.isAtEnd) {
    const columnCount = input.varint();
    const rowCount = input.varint();
    const columns = new Map<string, NativeCells>();
    for (let column = 0; column < columnCount; column++) {
      const name = input.take(input.varint()).toString('utf8');
      const type = input.take(input.varint()).toString('utf8');
      if (rowCount === 0) continue;
      readPrefix(input, type);
      columns.set(name, readCells(input, type, rowCount));
    }
    if (rowCount > 0) blocks.push({ rowCount, columns });
  }
  return blocks;
}

const WIDTHS: Readonly<Record<string, number>> = {
  UInt64: 8,
  Int64: 8,
  Float64: 8,
  "DateTime64(3, 'UTC')": 8,
  Int32: 4,
  UInt8: 1,
  Bool: 1,
};

class Input {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  uint64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    if (taken.length !== length) throw new RangeError('SLUICE_HISTORY_FORMAT: the block ends too early');
    this.#at += length;
    return taken;
  }
}

/** Versions of the serialisations inside stand before the data of the whole column. */
function readPrefix(input: Input, type: string): void {
  if (type.startsWith('LowCardinality(')) input.take(8);
  else for (const part of partsOf(type)) readPrefix(input, part);
}

function readCells(input: Input, type: string, rows: number): NativeCells {
  const width = WIDTHS[type];
  if (width !== undefined) return new FixedCells(type, width, input.take(width * rows));
  if (type === 'String') return readStrings(input, rows);
  const [first = '', second = ''] = partsOf(type);
  if (type.startsWith('LowCardinality(')) return readLowCardinality(input, type, first, rows);
  if (type.startsWith('Nullable(')) {
    const nulls = input.take(rows);
    return new NullableCells(type, nulls, readCells(input, first, rows));
  }
  if (type.startsWith('Array(') || type.startsWith('Map(')) {
    const ends = Array.from({ length: rows }, () => input.uint64());
    const elements = ends.at(-1) ?? 0;
    const parts = [first, ...(second === '' ? [] : [second])];
    return new ArrayCells(
      type,
      ends,
      parts.map((part) => readCells(input, part, elements)),
    );
  }
  throw new Error(`SLUICE_HISTORY_FORMAT: a column has the type ${type}, which the history does not use`);
}

/** The types inside the outermost brackets, of those that hold other types. */
function partsOf(type: string): string[] {
  const inside = /^(?:Nullable|LowCardinality|Array|Map)\((.*)\)$/s.exec(type)?.[1];
  if (inside === undefined) return [];
  if (!type.startsWith('Map(')) return [inside];
  let depth = 0;
  for (let at = 0; at < inside.length; at++) {
    if (inside[at] === '(') depth++;
    else if (inside[at] === ')') depth--;
    else if (inside[at] === ',' && depth === 0) return [inside.slice(0, at), inside.slice(at + 1).trim()];
  }
  return [inside];
}

function readStrings(input: Input, rows: number): StringCells {
  return new StringCells(Array.from({ length: rows }, () => input.take(input.varint())));
}

/** SerializationLowCardinality.cpp: flags and index type, the keys, then one index a row. */
function readLowCardinality(input: Input, type: string, inner: string, rows: number): NativeCells {
  if (rows === 0) return new KeyedCells(type, new StringCells([]), [], false);
  const flags = input.uint64();
  const isNullable = inner.startsWith('Nullable(');
  const keys = readStrings(input, input.uint64());
  const count = input.uint64();
  const width = 1 << (flags & 0xff);
  const bytes = input.take(width * count);
  const indexes = Array.from({ length: count }, (_, row) => bytes.readUIntLE(row * width, width));
  return new KeyedCells(type, keys, indexes, isNullable);
}

class FixedCells implements NativeCells {
  readonly type: string;
  readonly #width: number;
  readonly #bytes: Buffer;

  constructor(type: string, width: number, bytes: Buffer) {
    this.type = type;
    this.#width = width;
    this.#bytes = bytes;
  }

  /** NaN has many bit patterns and one meaning. */
  cell(row: number): string {
    const at = row * this.#width;
    if (this.type === 'Float64' && Number.isNaN(this.#bytes.readDoubleLE(at))) return 'nan';
    return this.#bytes.toString('latin1', at, at + this.#width);
  }

  text(row: number): string {
    const at = row * this.#width;
    switch (this.type) {
      case 'Float64':
        return String(this.#bytes.readDoubleLE(at));
      case 'Int32':
        return String(this.#bytes.readInt32LE(at));
      case 'UInt64':
        return String(this.#bytes.readBigUInt64LE(at));
      case 'Int64':
        return String(this.#bytes.readBigInt64LE(at));
      case 'Bool':
        return this.#bytes[at] === 0 ? 'false' : 'true';
      case 'UInt8':
        return String(this.#bytes[at]);
      default:
        return timeText(Number(this.#bytes.readBigInt64LE(at)));
    }
  }
}

function timeText(epochMs: number): string {
  const time = new Date(epochMs);
  return Number.isNaN(time.getTime()) ? `${epochMs} ms` : time.toISOString();
}

class StringCells implements NativeCells {
  readonly type = 'String';
  readonly #values: readonly Buffer[];

  constructor(values: readonly Buffer[]) {
    this.#values = values;
  }

  cell(row: number): string {
    return this.#values[row]?.toString('latin1') ?? '';
  }

  text(row: number): string {
    const value = this.#values[row] ?? Buffer.alloc(0);
    return isUtf8(value) ? JSON.stringify(value.toString('utf8')) : `${value.length} bytes`;
  }
}

class KeyedCells implements NativeCells {
  readonly type: string;
  readonly #keys: StringCells;
  readonly #indexes: readonly number[];
  readonly #isNullable: boolean;

  constructor(type: string, keys: StringCells, indexes: readonly number[], isNullable: boolean) {
    this.type = type;
    this.#keys = keys;
    this.#indexes = indexes;
    this.#isNullable = isNullable;
  }

  /** Key 0 of a nullable dictionary is null, whatever its text. */
  cell(row: number): string | null {
    const key = this.#indexes[row] ?? 0;
    return this.#isNullable && key === 0 ? null : this.#keys.cell(key);
  }

  text(row: number): string {
    return this.cell(row) === null ? 'null' : this.#keys.text(this.#indexes[row] ?? 0);
  }
}

class NullableCells implements NativeCells {
  readonly type: string;
  readonly #nulls: Buffer;
  readonly #values: NativeCells;

  constructor(type: string, nulls: Buffer, values: NativeCells) {
    this.type = type;
    this.#nulls = nulls;
    this.#values = values;
  }

  cell(row: number): string | null {
    return this.#nulls[row] === 0 ? this.#values.cell(row) : null;
  }

  text(row: number): string {
    return this.#nulls[row] === 0 ? this.#values.text(row) : 'null';
  }
}

/** Arrays, and maps as arrays of keys and values. */
class ArrayCells implements NativeCells {
  readonly type: string;
  readonly #ends: readonly number[];
  readonly #parts: readonly NativeCells[];

  constructor(type: string, ends: readonly number[], parts: readonly NativeCells[]) {
    this.type = type;
    this.#ends = ends;
    this.#parts = parts;
  }

  /** Lengths before the elements: no two arrays have one text. */
  cell(row: number): string {
    let text = '';
    for (let element = this.#ends[row - 1] ?? 0; element < (this.#ends[row] ?? 0); element++) {
      for (const part of this.#parts) {
        const cell = part.cell(element);
        text += cell === null ? 'n' : `${cell.length}:${cell}`;
      }
    }
    return text;
  }

  text(row: number): string {
    const elements: string[] = [];
    for (let element = this.#ends[row - 1] ?? 0; element < (this.#ends[row] ?? 0); element++)
      elements.push(this.#parts.map((part) => part.text(element)).join(': '));
    return `[${elements.join(', ')}]`;
  }
}
