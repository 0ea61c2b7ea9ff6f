const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

/**
 * Reads one Protocol Buffers message field by field: the wire format's four types, without a schema
 * (https://protobuf.dev/programming-guides/encoding). Throws RangeError where the bytes are no message.
 *
 *     while (reader.next()) if (reader.field === 1) name = reader.text(); else reader.skip();
 */
export class ProtobufReader {
  field = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #wireType = VARINT;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes to the next field; false at the end. Its value must be read, or skipped, before the next call. */
  next(): boolean {
    if (this.#position === this.#bytes.length) return false;
    const key = Number(this.#varint());
    this.field = Math.floor(key / 8);
    this.#wireType = key % 8;
    return true;
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#varint();
    else if (this.#wireType === FIXED64) this.#take(8);
    else if (this.#wireType === BYTES) this.bytes();
    else this.float();
  }

  bytes(): Uint8Array {
    this.#expect(BYTES);
    const length = Number(this.#varint());
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  message(): ProtobufReader {
    return new ProtobufReader(this.bytes());
  }

  /** An int32, int64 or enumeration. */
  integer(): number {
    this.#expect(VARINT);
    return Number(BigInt.asIntN(64, this.#varint()));
  }

  float(): number {
    this.#expect(FIXED32);
    return this.#view.getFloat32(this.#take(4), true);
  }

  /** Adds a repeated field's integers, packed or one of them, to `values`. */
  integers(values: number[]): void {
    if (this.#wireType === BYTES) {
      const packed = this.message();
      while (packed.#position < packed.#bytes.length) values.push(Number(BigInt.asIntN(64, packed.#varint())));
    } else values.push(this.integer());
  }

  floats(values: number[]): void {
    if (this.#wireType === BYTES) {
      const packed = this.message();
      while (packed.#position < packed.#bytes.length) values.push(packed.#view.getFloat32(packed.#take(4), true));
    } else values.push(this.float());
  }

  #varint(): bigint {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number of more than ten bytes');
  }

  #take(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw new RangeError('the message ends within a field');
    this.#position += length;
    return start;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw new RangeError(`field ${this.field} has wire type ${this.#wireType}, not ${wireType}`);
    }
  }
}
