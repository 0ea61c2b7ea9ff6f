import { codecs } from './codec.ts';
import type { LedgerEvent } from './ledgerEvent.ts';

/** A ledger record with its payload decoded. */
export type DecodedLedgerRecord = LedgerEvent & {
  /** Epoch milliseconds, UTC. Decides nothing. */
  readonly ingestTimeMs: number;
  readonly source: string;
};

/** The bytes of one ledger row. `ingestTimeMs`: epoch milliseconds; `source`: an API key's id, import:NAME, sluice. */
export function encodeLedgerRecord(record: LedgerEvent, ingestTimeMs: number, source: string): Buffer {
  return codecs.ledgerRecord.encode({ kind: record.kind, ingestTimeMs, source, payload: encodePayload(record) });
}

/** Throws DecodeError when the envelope or its payload cannot be read. */
export function decodeLedgerRecord(bytes: Buffer): DecodedLedgerRecord {
  const { kind, ingestTimeMs, source, payload } = codecs.ledgerRecord.decode(bytes);
  switch (kind) {
    case 'transaction':
      return { kind, event: codecs.transaction.decode(payload), ingestTimeMs, source };
    case 'outcome':
      return { kind, event: codecs.outcome.decode(payload), ingestTimeMs, source };
    case 'label':
      return { kind, event: codecs.label.decode(payload), ingestTimeMs, source };
    case 'listChange':
      return { kind, event: codecs.listChange.decode(payload), ingestTimeMs, source };
    case 'ruleSetPublication':
      return { kind, event: codecs.ruleSetPublication.decode(payload), ingestTimeMs, source };
    case 'modelPromotion':
      return { kind, event: codecs.modelPromotion.decode(payload), ingestTimeMs, source };
    case 'posture':
      return { kind, event: codecs.posture.decode(payload), ingestTimeMs, source };
    case 'fallback':
      return { kind, event: codecs.fallback.decode(payload), ingestTimeMs, source };
    case 'tick':
      return { kind, event: codecs.tick.decode(payload), ingestTimeMs, source };
    case 'deadLetter':
      return { kind, event: codecs.deadLetter.decode(payload), ingestTimeMs, source };
  }
}

// Shared buffers are safe here: the envelope copies the payload before anything else is encoded.
function encodePayload(record: LedgerEvent): Buffer {
  switch (record.kind) {
    case 'transaction':
      return codecs.transaction.encodeShared(record.event);
    case 'outcome':
      return codecs.outcome.encodeShared(record.event);
    case 'label':
      return codecs.label.encodeShared(record.event);
    case 'listChange':
      return codecs.listChange.encodeShared(record.event);
    case 'ruleSetPublication':
      return codecs.ruleSetPublication.encodeShared(record.event);
    case 'modelPromotion':
      return codecs.modelPromotion.encodeShared(record.event);
    case 'posture':
      return codecs.posture.encodeShared(record.event);
    case 'fallback':
      return codecs.fallback.encodeShared(record.event);
    case 'tick':
      return codecs.tick.encodeShared(record.event);
    case 'deadLetter':
      return codecs.deadLetter.encodeShared(record.event);
  }
}
