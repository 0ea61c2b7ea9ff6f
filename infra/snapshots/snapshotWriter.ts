import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { StateArray, StateOutput } from '../../operators/savedState.ts';
import type { SnapshotHeader } from '../../pipeline/ports.ts';
import { linkOrCopy } from '../reservoir/blockFile.ts';
import {
  ARRAYS,
  CHECKSUM_BYTES,
  FILE_TAG,
  FIRST_ARRAY_TAG,
  FORMAT_VERSION,
  FRAME_HEAD_BYTES,
  headerBytes,
  MAGIC,
  MAX_FRAME_BYTES,
  MEMORY_TAG,
  NUMBER_TAG,
  PREFIX_BYTES,
  TEXT_TAG,
  TRAILER_BYTES,
} from './snapshotFormat.ts';

/** Bytes that may wait for the disk: a flush of more would hold up the ledger's own flushes, which payments wait for. */
const UNFLUSHED_BYTES = 8 * 1024 * 1024;
const ITEM_HEAD_BYTES = 9;

/** Writes a snapshot to a new file in a folder of its own, and holds the thread while it does. */
export class SnapshotWriter implements StateOutput {
  readonly #folder: string;
  readonly #descriptor: number;
  readonly #frame: Buffer;
  readonly #item = Buffer.alloc(ITEM_HEAD_BYTES);
  /** Where the frame's next byte goes. */
  #end = FRAME_HEAD_BYTES;
  #checksum: number;
  #payloadBytes = 0;
  #written = 0;
  #unflushed = 0;

  /** `descriptor` is of the state's file; the files that the state refers to are put into `folder` beside it. */
  constructor(folder: string, descriptor: number, header: SnapshotHeader, frameBytes = MAX_FRAME_BYTES) {
    this.#folder = folder;
    this.#descriptor = descriptor;
    this.#frame = Buffer.alloc(FRAME_HEAD_BYTES + frameBytes);
    const json = headerBytes(header);
    const bytes = Buffer.alloc(PREFIX_BYTES + json.length + CHECKSUM_BYTES);
    MAGIC.copy(bytes);
    bytes.writeUInt32LE(FORMAT_VERSION, MAGIC.length);
    bytes.writeUInt32LE(json.length, MAGIC.length + 4);
    json.copy(bytes, PREFIX_BYTES);
    this.#checksum = crc32(bytes.subarray(0, -CHECKSUM_BYTES));
    bytes.writeUInt32LE(this.#checksum, bytes.length - CHECKSUM_BYTES);
    this.#write(bytes);
  }

  number(value: number): void {
    this.#item[0] = NUMBER_TAG;
    this.#item.writeDoubleLE(value, 1);
    this.#put(this.#item);
  }

  text(value: string): void {
    this.#putBytes(TEXT_TAG, Buffer.from(value));
  }

  array(values: StateArray, used = values.length): void {
    const kind = ARRAYS.findIndex((array) => values instanceof array);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, used * values.BYTES_PER_ELEMENT);
    this.#putBytes(FIRST_ARRAY_TAG + kind, bytes);
  }

  memory({ buffer }: WebAssembly.Memory, used: number): void {
    this.#putBytes(MEMORY_TAG, new Uint8Array(buffer, 0, used));
  }

  file(path: string): void {
    const name = basename(path);
    const kept = join(this.#folder, name);
    linkOrCopy(path, kept);
    // A link's bytes are on the disk already, and this costs nothing; a copy's are not.
    const descriptor = openSync(kept, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    this.#putBytes(FILE_TAG, Buffer.from(name));
  }

  /** Completes the file and has it on the disk. Returns its length. */
  finish(): number {
    this.#writeFrame();
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeBigUInt64LE(BigInt(this.#payloadBytes), FRAME_HEAD_BYTES);
    trailer.writeUInt32LE(crc32(trailer.subarray(FRAME_HEAD_BYTES), this.#checksum), 4);
    this.#write(trailer);
    this.#flush();
    return this.#written;
  }

  #putBytes(tag: number, bytes: Uint8Array): void {
    this.#item[0] = tag;
    this.#item.writeUInt32LE(bytes.length, 1);
    this.#put(this.#item.subarray(0, 5));
    this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      if (this.#end === this.#frame.length) this.#writeFrame();
      const to = Math.min(bytes.length, from + this.#frame.length - this.#end);
      this.#frame.set(bytes.subarray(from, to), this.#end);
      this.#end += to - from;
      from = to;
    }
  }

  #writeFrame(): void {
    const frame = this.#frame.subarray(0, this.#end);
    const payload = frame.subarray(FRAME_HEAD_BYTES);
    if (payload.length === 0) return;
    this.#checksum = crc32(payload, this.#checksum);
    frame.writeUInt32LE(payload.length, 0);
    frame.writeUInt32LE(this.#checksum, 4);
    this.#write(frame);
    this.#payloadBytes += payload.length;
    this.#end = FRAME_HEAD_BYTES;
  }

  #write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) from += writeSync(this.#descriptor, bytes, from);
    this.#written += bytes.length;
    this.#unflushed += bytes.length;
    if (this.#unflushed >= UNFLUSHED_BYTES) this.#flush();
  }

  #flush(): void {
    fdatasyncSync(this.#descriptor);
    this.#unflushed = 0;
  }
}
