import { ok, reject, type Outcome } from '../outcome.ts';
import type { IngestContext } from './ingestContext.ts';
import type { PreparedPayment } from './preparePayment.ts';

/**
 * One payment far in the future would move the engine's time, and with it every window, for everybody; so such a time is
 * refused here. After retries are recognised: an old payment's verdict can always be asked for again.
 */
export function checkTimes(context: IngestContext, payment: PreparedPayment): Outcome<PreparedPayment> {
  const { maxFutureMs, maxPastMs } = context.services.settings;
  const { transactionId, eventTimeMs } = payment.transaction;
  const aheadMs = eventTimeMs - context.acceptedAtMs;
  if (aheadMs > maxFutureMs) {
    return reject(
      'SLUICE_INPUT_FUTURE',
      'eventTimeMs',
      `must not be more than ${String(maxFutureMs)} ms ahead of the server's clock; it is ${String(aheadMs)} ms ahead`,
      transactionId,
    );
  }
  if (-aheadMs > maxPastMs) {
    return reject(
      'SLUICE_INPUT_PAST',
      'eventTimeMs',
      `must not be more than ${String(maxPastMs)} ms behind the server's clock`,
      transactionId,
    );
  }
  return ok(payment);
}
