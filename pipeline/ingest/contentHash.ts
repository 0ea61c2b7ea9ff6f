import { hash } from 'node:crypto';

/** Bytes of single-object encoding's header: marker and fingerprint. */
const HEADER_BYTES = 10;

/** Decision.contentHash of an encoded Transaction: the first 32 hexadecimal digits of the datum's SHA-256. */
export function contentHashOf(payload: Buffer): string {
  return hash('sha256', payload.subarray(HEADER_BYTES), 'hex').slice(0, 32);
}
