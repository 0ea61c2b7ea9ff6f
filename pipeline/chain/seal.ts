import { hash } from 'node:crypto';

/**
 * What the chain of hashes keeps of one ledger record. All are SHA-256 in lower-case hexadecimal. `chainSha256` is over the
 * text `<chain before> <ledger offset> <recordSha256> <decisionSha256>`: one space between, empty where there is none, so
 * that anyone can compute it again with `sha256sum` or in SQL.
 */
export interface Seal {
  readonly ledgerOffset: number;
  /** Of the record's bytes in the ledger. */
  readonly recordSha256: string;
  /** Of the bytes of the decision on it; empty for a record that is no payment. */
  readonly decisionSha256: string;
  /** Over this record, its decision and, through the seal before, over all that the chain holds so far. */
  readonly chainSha256: string;
}

/** The chain before its first record. */
export const CHAIN_START = '';

const SEAL_BYTES = 96;

export function sealOf(
  before: string,
  ledgerOffset: number,
  record: Uint8Array,
  decision: Uint8Array | undefined,
): Seal {
  const recordSha256 = hash('sha256', record);
  const decisionSha256 = decision === undefined ? '' : hash('sha256', decision);
  const chainSha256 = chainHash(before, ledgerOffset, recordSha256, decisionSha256);
  return { ledgerOffset, recordSha256, decisionSha256, chainSha256 };
}

export function chainHash(before: string, ledgerOffset: number, recordSha256: string, decisionSha256: string): string {
  return hash('sha256', `${before} ${ledgerOffset} ${recordSha256} ${decisionSha256}`);
}

/** The three hashes, 32 bytes each; zeros for no decision. */
export function encodeSeal({ recordSha256, decisionSha256, chainSha256 }: Seal): Buffer {
  return Buffer.from(`${recordSha256}${decisionSha256 === '' ? NO_DECISION : decisionSha256}${chainSha256}`, 'hex');
}

/** Undefined for bytes that are no seal. */
export function decodeSeal(ledgerOffset: number, value: Buffer): Seal | undefined {
  if (value.length !== SEAL_BYTES) return undefined;
  const text = value.toString('hex');
  const decisionSha256 = text.slice(64, 128);
  return {
    ledgerOffset,
    recordSha256: text.slice(0, 64),
    decisionSha256: decisionSha256 === NO_DECISION ? '' : decisionSha256,
    chainSha256: text.slice(128),
  };
}

const NO_DECISION = '0'.repeat(64);
