import { ok, retry, type Outcome } from '../outcome.ts';
import type { IngestContext } from './ingestContext.ts';
import type { PendingVerdict } from './pendingVerdicts.ts';
import type { PreparedPayment } from './preparePayment.ts';
import { joinFirst } from './recogniseRetry.ts';

/** A payment seen for the first time, with the place where its verdict will arrive. */
export interface AdmittedPayment extends PreparedPayment {
  readonly pending: PendingVerdict;
}

/** Lets a new payment in, if there is room; a copy that was let in since the look before is joined. */
export function admitPayment(
  context: IngestContext,
  payment: PreparedPayment,
): Outcome<AdmittedPayment> | Promise<Outcome<AdmittedPayment>> {
  const { pending } = context.services;
  const { transactionId } = payment.transaction;
  const first = pending.find(transactionId);
  if (first !== undefined) return joinFirst(context, payment, first);
  if (pending.full) {
    return retry('SLUICE_OVERLOADED', 'too many payments are being decided; send this one again later', 1);
  }
  return ok({ ...payment, pending: pending.open(transactionId, payment.contentHash) });
}
