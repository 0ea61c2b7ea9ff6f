import { codecs } from '../schemas/codec.ts';
import type { LedgerRow } from './ports.ts';

export interface LedgerReader {
  read(fromOffset: number, maxRecords: number): Promise<readonly LedgerRow[]>;
}

/** The configuration that the publication at this ledger offset carries, as canonical JSON; null where there is none. */
export async function publicationContent(ledger: LedgerReader, ledgerOffset: number): Promise<string | null> {
  const [row] = await ledger.read(ledgerOffset, 1);
  if (row?.offset !== ledgerOffset) return null;
  const { kind, payload } = codecs.ledgerRecord.decode(row.value);
  if (kind !== 'ruleSetPublication') return null;
  const { content } = codecs.ruleSetPublication.decode(payload);
  return content === '' ? null : content;
}
