import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { SnapshotError, type SnapshotHeader } from '../../pipeline/ports.ts';
import {
  CHECKSUM_BYTES,
  FORMAT_VERSION,
  FRAME_HEAD_BYTES,
  MAGIC,
  MAX_FRAME_BYTES,
  MAX_HEADER_BYTES,
  parseHeader,
  PREFIX_BYTES,
  TRAILER_BYTES,
} from './snapshotFormat.ts';
import { SnapshotItems } from './snapshotItems.ts';

export async function readSnapshotHeader(path: string): Promise<SnapshotHeader> {
  return withFile(path, async (file) => (await readStart(file)).header);
}

/** Frame by frame, so that the thread has time for others in between. */
export async function readSnapshotItems(path: string, onProgress: (share: number) => void): Promise<SnapshotItems> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const start = await readStart(file);
    const items = new SnapshotItems(dirname(path));
    // A frame and the head of the next one, so that each takes one read.
    const buffer = Buffer.alloc(MAX_FRAME_BYTES + FRAME_HEAD_BYTES);
    let { checksum, position } = start;
    let payloadBytes = 0;
    let head = frameHead(await readExactly(file, buffer, FRAME_HEAD_BYTES, position), 0);
    while (head.length > 0) {
      const { length } = head;
      if (length > MAX_FRAME_BYTES) throw damaged(`a frame of ${length} bytes at ${position}`);
      position += FRAME_HEAD_BYTES;
      const bytes = await readExactly(file, buffer, length + FRAME_HEAD_BYTES, position);
      const payload = bytes.subarray(0, length);
      checksum = crc32(payload, checksum);
      if (checksum !== head.checksum) throw damaged(`the checksum at byte ${position} is not that of the content`);
      items.take(payload, size - position);
      position += length;
      payloadBytes += length;
      head = frameHead(bytes, length);
      onProgress(position / size);
    }
    position += FRAME_HEAD_BYTES;
    const total = await readExactly(file, buffer, TRAILER_BYTES - FRAME_HEAD_BYTES, position);
    if (crc32(total, checksum) !== head.checksum) throw damaged('the checksum at its end is not that of the content');
    if (total.readBigUInt64LE(0) !== BigInt(payloadBytes)) throw damaged(`${payloadBytes} bytes are not all of it`);
    position += total.length;
    if (position !== size || !items.isComplete) throw damaged('it does not end where it should');
    return items;
  });
}

function frameHead(bytes: Buffer, at: number): { readonly length: number; readonly checksum: number } {
  return { length: bytes.readUInt32LE(at), checksum: bytes.readUInt32LE(at + 4) };
}

async function readStart(
  file: FileHandle,
): Promise<{ readonly header: SnapshotHeader; readonly checksum: number; readonly position: number }> {
  const prefix = await readExactly(file, Buffer.alloc(PREFIX_BYTES), PREFIX_BYTES, 0);
  if (!prefix.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged('it does not begin as a snapshot does');
  const version = prefix.readUInt32LE(MAGIC.length);
  const length = prefix.readUInt32LE(MAGIC.length + 4);
  if (version !== FORMAT_VERSION)
    throw new SnapshotError(
      'SLUICE_SNAPSHOT_VERSION',
      `its format is version ${version}, and this Sluice reads version ${FORMAT_VERSION}`,
    );
  if (length > MAX_HEADER_BYTES) throw damaged(`a header of ${length} bytes`);
  const rest = await readExactly(file, Buffer.alloc(length + CHECKSUM_BYTES), length + CHECKSUM_BYTES, PREFIX_BYTES);
  const json = rest.subarray(0, length);
  const checksum = crc32(json, crc32(prefix));
  if (checksum !== rest.readUInt32LE(length)) throw damaged('the checksum of its header is not that of the content');
  return { header: parseHeader(json), checksum, position: PREFIX_BYTES + length + CHECKSUM_BYTES };
}

async function readExactly(file: FileHandle, buffer: Buffer, length: number, position: number): Promise<Buffer> {
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) throw damaged(`it ends at byte ${position + read}`);
    read += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** Every failure becomes a SnapshotError. */
async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path, 'r');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const isDisk = error instanceof Error && 'code' in error && 'syscall' in error;
    if (isDisk && error.code !== 'ENOENT')
      throw new SnapshotError('SLUICE_SNAPSHOT_IO', `it cannot be read: ${message}`, error);
    throw damaged(isDisk ? 'its file is missing' : message, error);
  }
}

function damaged(what: string, cause?: unknown): SnapshotError {
  return new SnapshotError('SLUICE_SNAPSHOT_DAMAGED', what, cause);
}
