import type { Decision } from '../../schemas/types.ts';
import { ok, retry, type Outcome } from '../outcome.ts';
import { LedgerUnavailableError } from '../ports.ts';
import type { IngestContext } from './ingestContext.ts';
import type { AdmittedPayment } from './admitPayment.ts';
import { withDeadline } from './withDeadline.ts';

/** A payment that is durable in the ledger. */
export interface AppendedPayment {
  readonly transactionId: string;
  readonly ledgerOffset: number;
  readonly decided: Promise<Decision | undefined>;
}

/**
 * Makes the payment durable. When that takes longer than the deadline the caller is told to ask again, and never gets a verdict
 * that a crash could lose; the payment goes on, and the retry finds it.
 */
export async function appendPayment(
  context: IngestContext,
  payment: AdmittedPayment,
): Promise<Outcome<AppendedPayment>> {
  const { settings, clock, timer } = context.services;
  const remainingMs = context.acceptedAtMs + settings.deadlineMs - clock();
  const outcome = await withDeadline(append(context, payment), Math.max(MIN_APPEND_MS, remainingMs), timer);
  return outcome ?? retry('SLUICE_LEDGER_SLOW', 'the payment could not be written in time; send it again', 1);
}

/** Even a request that waited long for its turn gets a commit's time. */
const MIN_APPEND_MS = 20;

async function append(context: IngestContext, payment: AdmittedPayment): Promise<Outcome<AppendedPayment>> {
  const { ledger, pending, telemetry } = context.services;
  const { transactionId } = payment.transaction;
  const startMs = performance.now();
  try {
    const ledgerOffset = await ledger.append([payment.record]);
    telemetry.stage('append', performance.now() - startMs);
    return ok({ transactionId, ledgerOffset, decided: payment.pending.decided });
  } catch (error) {
    pending.settle(transactionId, undefined);
    return unavailable(error);
  }
}

/** The answer to a ledger that cannot take a record now; any other error is a defect and goes on. */
export function unavailable(error: unknown): Outcome<never> {
  if (error instanceof LedgerUnavailableError) return retry(error.code, error.message, 1);
  throw error;
}
