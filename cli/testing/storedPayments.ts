import { openLmdb } from '../../infra/lmdb/openLmdb.ts';
import { codecs } from '../../schemas/codec.ts';
import { decodeLedgerRecord, type DecodedLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { Decision } from '../../schemas/types.ts';

/** What a data folder holds, decoded. */
export interface StoredData {
  readonly records: readonly DecodedLedgerRecord[];
  readonly decisions: readonly Decision[];
}

const READ_RECORDS = 1_000;

/** Reads a data folder whole, also beside a running Sluice. */
export async function readStored(dataDir: string): Promise<StoredData> {
  const data = openLmdb(dataDir, { readOnly: true });
  try {
    const records: DecodedLedgerRecord[] = [];
    const endOffset = data.ledger.endOffset();
    while (records.length < endOffset) {
      const rows = await data.ledger.read(records.length, Math.min(READ_RECORDS, endOffset - records.length));
      for (const { value } of rows) records.push(decodeLedgerRecord(value));
    }
    const decisions = (await data.decisions.read(0, endOffset)).map(({ value }) => codecs.decision.decode(value));
    return { records, decisions };
  } finally {
    await data.close();
  }
}

/** How often each transaction id is in the ledger. */
export function paymentCounts(stored: StoredData): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const record of stored.records) {
    if (record.kind !== 'transaction') continue;
    const { transactionId } = record.event;
    counts.set(transactionId, (counts.get(transactionId) ?? 0) + 1);
  }
  return counts;
}
