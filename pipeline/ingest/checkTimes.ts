import type { Validated } from '../../schemas/parse.ts';
import type { GatewayTransaction } from '../../schemas/types.ts';
import { ok, reject, type Outcome } from '../outcome.ts';
import type { IngestContext } from './ingestContext.ts';

/**
 * One payment far in the future would move the engine's time, and with it every window, for everybody; so such a time is
 * refused here.
 */
export function checkTimes(
  context: IngestContext,
  payment: Validated<GatewayTransaction>,
): Outcome<Validated<GatewayTransaction>> {
  const { maxFutureMs, maxPastMs } = context.services.settings;
  const aheadMs = payment.eventTimeMs - context.acceptedAtMs;
  if (aheadMs > maxFutureMs) {
    return reject(
      'SLUICE_INPUT_FUTURE',
      'eventTimeMs',
      `must not be more than ${String(maxFutureMs)} ms ahead of the server's clock; it is ${String(aheadMs)} ms ahead`,
      payment.transactionId,
    );
  }
  if (-aheadMs > maxPastMs) {
    return reject(
      'SLUICE_INPUT_PAST',
      'eventTimeMs',
      `must not be more than ${String(maxPastMs)} ms behind the server's clock`,
      payment.transactionId,
    );
  }
  return ok(payment);
}
