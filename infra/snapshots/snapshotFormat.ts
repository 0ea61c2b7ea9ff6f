import { endianness } from 'node:os';
import { z } from 'zod';
import { SnapshotError, type SnapshotHeader } from '../../pipeline/ports.ts';

/**
 * A snapshot file, integers little-endian:
 *
 *     magic (8 bytes) | format version (4) | header's length (4) | header: JSON | checksum (4)
 *     frames: payload's length (4) | checksum (4) | payload
 *     trailer: 0 (4) | checksum (4) | sum of the payloads' lengths (8)
 *
 * Each checksum is the CRC-32 of all payload bytes so far, the header's among them: a frame that is changed, lost, doubled or
 * out of place gives another one. The payloads together are a sequence of items: a tag, then a double; or a length (4) and
 * bytes. Arrays are in the machine's own byte order, which the header tells.
 */
export const MAGIC = Buffer.from('SLUICE\x1aS', 'latin1');
export const FORMAT_VERSION = 1;
export const PREFIX_BYTES = MAGIC.length + 8;
export const FRAME_HEAD_BYTES = 8;
export const TRAILER_BYTES = FRAME_HEAD_BYTES + 8;
export const CHECKSUM_BYTES = 4;
/** Payload of one frame, at most: large enough for the disk, small enough that checking one takes a few milliseconds. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
export const MAX_HEADER_BYTES = 64 * 1024;

export const NUMBER_TAG = 1;
export const TEXT_TAG = 2;

/** Arrays by their tag minus FIRST_ARRAY_TAG. */
export const ARRAYS = [Float64Array, Int32Array, Uint32Array, Uint16Array, Uint8Array] as const;
export const FIRST_ARRAY_TAG = 3;
/** The name of a file beside this one. */
export const FILE_TAG = 8;
/** What is used of a shared memory. */
export const MEMORY_TAG = 9;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const headerSchema = z.object({
  byteOrder: z.enum(['LE', 'BE']),
  layout: z.int(),
  offset: z.int().min(1),
  lastPaymentOffset: z.int().min(-1),
  firstRecordSha256: sha256,
  lastRecordSha256: sha256,
  ruleSet: z.string().nullable(),
  configurationSha256: sha256.nullable(),
  catalogueSha256: sha256.nullable(),
  modelSha256: sha256.nullable(),
  riskLevel: z.enum(['normal', 'elevated', 'lockdown']),
  degradation: z.enum(['full', 'noModel', 'rulesOnly']),
});

export function headerBytes(header: SnapshotHeader): Buffer {
  return Buffer.from(JSON.stringify({ byteOrder: endianness(), ...header }));
}

/** Of bytes whose checksum was right. */
export function parseHeader(bytes: Buffer): SnapshotHeader {
  const { byteOrder, ...header } = headerSchema.parse(JSON.parse(bytes.toString()));
  if (byteOrder !== endianness())
    throw new SnapshotError('SLUICE_SNAPSHOT_VERSION', `it was written on a machine of byte order ${byteOrder}`);
  return header;
}
