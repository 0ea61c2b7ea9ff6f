import { NativeBuffer } from './nativeBuffer.ts';
import { Integer64Column } from './nativeColumn.ts';
import type { NativeColumn } from './nativeColumn.ts';

/** String: any bytes. Text is stored as UTF-8. */
export class StringColumn implements NativeColumn {
  readonly type = 'String';
  readonly #bytes = new NativeBuffer();
  #rows = 0;

  get rowCount(): number {
    return this.#rows;
  }

  push(value: string): void {
    this.#bytes.string(value);
    this.#rows++;
  }

  pushBytes(value: Uint8Array): void {
    this.#bytes.blob(value);
    this.#rows++;
  }

  clear(): void {
    this.#bytes.clear();
    this.#rows = 0;
  }

  writePrefix(): void {
    // Strings have no prefix.
  }

  writeData(out: NativeBuffer): void {
    out.bytes(this.#bytes.view());
  }
}

// SerializationLowCardinality.cpp: the only version of the keys, and the flags above the index type (0: UInt8, 1:
// UInt16, 2: UInt32) that say "this block brings its own keys".
const KEYS_VERSION = 1;
const HAS_ADDITIONAL_KEYS = 1 << 9;
const NEEDS_UPDATE = 1 << 10;

/** LowCardinality(String) or LowCardinality(Nullable(String)): each distinct text once, and a number a row. */
export class LowCardinalityColumn implements NativeColumn {
  readonly type: string;
  readonly #isNullable: boolean;
  readonly #keyOf = new Map<string, number>();
  readonly #keys = new NativeBuffer();
  #keyCount = 0;
  #indexes = new Uint32Array(1024);
  #rows = 0;
  // Most columns repeat the value of the row before.
  #lastValue: string | null = null;
  #lastKey = -1;

  constructor(nullable: 'nullable' | 'required' = 'required') {
    this.#isNullable = nullable === 'nullable';
    this.type = this.#isNullable ? 'LowCardinality(Nullable(String))' : 'LowCardinality(String)';
    this.clear();
  }

  get rowCount(): number {
    return this.#rows;
  }

  push(value: string | null): void {
    const key = this.#lastKey >= 0 && value === this.#lastValue ? this.#lastKey : this.#findKey(value);
    if (this.#rows === this.#indexes.length) {
      const larger = new Uint32Array(2 * this.#rows);
      larger.set(this.#indexes);
      this.#indexes = larger;
    }
    this.#indexes[this.#rows++] = key;
  }

  clear(): void {
    this.#keyOf.clear();
    this.#keys.clear();
    this.#keyCount = 0;
    this.#rows = 0;
    this.#lastKey = -1;
    if (this.#isNullable) {
      // Key 0 of a nullable dictionary is null, whatever its text.
      this.#keys.string('');
      this.#keyCount = 1;
    }
  }

  writePrefix(out: NativeBuffer): void {
    out.uint64(KEYS_VERSION);
  }

  writeData(out: NativeBuffer): void {
    // An array column without any element writes nothing for its elements.
    if (this.#rows === 0) return;
    const indexType = this.#keyCount <= 0xff ? 0 : this.#keyCount <= 0xffff ? 1 : 2;
    out.uint64(HAS_ADDITIONAL_KEYS | NEEDS_UPDATE | indexType);
    out.uint64(this.#keyCount);
    out.bytes(this.#keys.view());
    out.uint64(this.#rows);
    const indexes = this.#indexes.subarray(0, this.#rows);
    if (indexType === 0) out.bytes(Uint8Array.from(indexes));
    else if (indexType === 1) out.bytes(new Uint8Array(Uint16Array.from(indexes).buffer));
    else out.bytes(new Uint8Array(indexes.buffer, 0, 4 * this.#rows));
  }

  #findKey(value: string | null): number {
    let key: number | undefined = 0;
    if (value !== null || !this.#isNullable) {
      const text = value ?? '';
      key = this.#keyOf.get(text);
      if (key === undefined) {
        key = this.#keyCount++;
        this.#keyOf.set(text, key);
        this.#keys.string(text);
      }
    }
    this.#lastValue = value;
    this.#lastKey = key;
    return key;
  }
}

/** Array(T): where each row's elements end, then all elements. Push elements, then end the row. */
export class ArrayColumn<C extends NativeColumn> implements NativeColumn {
  readonly type: string;
  readonly elements: C;
  readonly #ends = new Integer64Column('UInt64');

  constructor(elements: C) {
    this.type = `Array(${elements.type})`;
    this.elements = elements;
  }

  get rowCount(): number {
    return this.#ends.rowCount;
  }

  endRow(): void {
    this.#ends.push(this.elements.rowCount);
  }

  clear(): void {
    this.elements.clear();
    this.#ends.clear();
  }

  writePrefix(out: NativeBuffer): void {
    this.elements.writePrefix(out);
  }

  writeData(out: NativeBuffer): void {
    this.#ends.writeData(out);
    this.elements.writeData(out);
  }
}

/** Map(LowCardinality(String), T): an array of keys and one of values with the same ends. */
export class MapColumn<C extends NativeColumn> implements NativeColumn {
  readonly type: string;
  readonly keys = new LowCardinalityColumn();
  readonly values: C;
  readonly #ends = new Integer64Column('UInt64');

  constructor(values: C) {
    this.type = `Map(${this.keys.type}, ${values.type})`;
    this.values = values;
  }

  get rowCount(): number {
    return this.#ends.rowCount;
  }

  endRow(): void {
    this.#ends.push(this.keys.rowCount);
  }

  clear(): void {
    this.keys.clear();
    this.values.clear();
    this.#ends.clear();
  }

  writePrefix(out: NativeBuffer): void {
    this.keys.writePrefix(out);
    this.values.writePrefix(out);
  }

  writeData(out: NativeBuffer): void {
    this.#ends.writeData(out);
    this.keys.writeData(out);
    this.values.writeData(out);
  }
}
