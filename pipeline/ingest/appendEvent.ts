import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import { ok, type Outcome } from '../outcome.ts';
import { unavailable } from './appendPayment.ts';
import type { IngestContext } from './ingestContext.ts';

/** Writes any event but a payment to the ledger and gives its offset. */
export async function appendEvent(context: IngestContext, event: LedgerEvent): Promise<Outcome<number>> {
  try {
    const record = encodeLedgerRecord(event, context.acceptedAtMs, context.sender.source);
    return ok(await context.services.ledger.append([record]));
  } catch (error) {
    return unavailable(error);
  }
}
