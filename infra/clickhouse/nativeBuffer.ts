const FIRST_BYTES = 16 * 1024;

/** A Buffer that grows and is used again: the bytes of one column or block in ClickHouse's Native format. */
export class NativeBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** The bytes so far; good until the next write or clear. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** An unsigned LEB128 number, below 2^31. */
  varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A varint of the length in bytes, then UTF-8. */
  string(text: string): void {
    const units = text.length;
    if (units > 0x7f) {
      const bytes = Buffer.byteLength(text, 'utf8');
      this.varint(bytes);
      this.#reserve(bytes);
      this.#length += this.#bytes.write(text, this.#length, 'utf8');
      return;
    }
    // Short text: at most 3 bytes a UTF-16 unit; ASCII, by far the most frequent, is copied without a call into C++.
    this.#reserve(1 + 3 * units);
    const bytes = this.#bytes;
    const start = this.#length + 1;
    for (let index = 0; index < units; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) {
        this.#shortUnicode(text);
        return;
      }
      bytes[start + index] = unit;
    }
    bytes[start - 1] = units;
    this.#length = start + units;
  }

  /** A varint of the length, then the bytes. */
  blob(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  uint64(value: number): void {
    this.#reserve(8);
    this.#bytes.writeUInt32LE(value >>> 0, this.#length);
    this.#bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000) >>> 0, this.#length + 4);
    this.#length += 8;
  }

  #shortUnicode(text: string): void {
    const bytes = Buffer.byteLength(text, 'utf8');
    this.varint(bytes);
    this.#reserve(bytes);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.view());
    this.#bytes = grown;
  }
}
