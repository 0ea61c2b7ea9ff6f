import { codecs } from '../../schemas/codec.ts';
import type { Validated } from '../../schemas/parse.ts';
import type { GatewayTransaction, Transaction } from '../../schemas/types.ts';
import { toTransaction } from '../toTransaction.ts';
import { ok, reject, type Outcome } from '../outcome.ts';
import { contentHashOf } from './contentHash.ts';
import type { IngestContext } from './ingestContext.ts';

/** A payment ready for the ledger. */
export interface PreparedPayment {
  readonly transaction: Transaction;
  readonly contentHash: string;
  /** The ledger record's bytes. */
  readonly record: Buffer;
}

/** Replaces the card number by its token and writes the ledger record. No card number gets past this stage. */
export function preparePayment(
  context: IngestContext,
  payment: Validated<GatewayTransaction>,
): Outcome<PreparedPayment> {
  const converted = toTransaction(payment, context.services.cardKey);
  if (!converted.ok) return reject(converted.code, converted.field, converted.message);
  const payload = codecs.transaction.encode(converted.transaction);
  const record = codecs.ledgerRecord.encode({
    kind: 'transaction',
    ingestTimeMs: context.acceptedAtMs,
    source: context.sender.source,
    payload,
  });
  return ok({ transaction: converted.transaction, contentHash: contentHashOf(payload), record });
}
