import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { Decision, Fallback } from '../../schemas/types.ts';
import { ok, type Outcome } from '../outcome.ts';
import type { AppendedPayment } from './appendPayment.ts';
import { unavailable } from './appendPayment.ts';
import type { IngestContext } from './ingestContext.ts';
import { withDeadline } from './withDeadline.ts';

/** What a caller is answered with: the engine's decision, or the fallback given at the deadline. */
export type Answer =
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'fallback'; readonly fallback: Fallback };

/**
 * Waits for the durable decision until the deadline. Past it the fallback verdict is written to the ledger, so that
 * everybody knows what the gateway was told, and only then given.
 */
export async function awaitDecision(context: IngestContext, payment: AppendedPayment): Promise<Outcome<Answer>> {
  const { settings, clock, timer } = context.services;
  const remainingMs = context.acceptedAtMs + settings.deadlineMs - clock();
  const decision = await withDeadline(payment.decided, Math.max(0, remainingMs), timer);
  return decision === undefined ? giveFallback(context, payment) : ok({ kind: 'decision', decision });
}

async function giveFallback(context: IngestContext, payment: AppendedPayment): Promise<Outcome<Answer>> {
  const { settings, clock, ledger, telemetry, fallbacks, onFallback } = context.services;
  const fallback: Fallback = {
    transactionId: payment.transactionId,
    transactionOffset: payment.ledgerOffset,
    eventTimeMs: clock(),
    verdict: settings.fallbackVerdict,
    deadlineMs: settings.deadlineMs,
  };
  const appending = ledger.append([encodeLedgerRecord({ kind: 'fallback', event: fallback }, clock(), 'sluice')]);
  fallbacks.give(
    payment.transactionId,
    appending.then(
      () => fallback,
      () => undefined,
    ),
  );
  try {
    await appending;
  } catch (error) {
    return unavailable(error);
  }
  telemetry.fallback();
  onFallback();
  return ok({ kind: 'fallback', fallback });
}
