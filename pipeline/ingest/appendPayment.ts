import type { Decision } from '../../schemas/types.ts';
import { ok, retry, type Outcome } from '../outcome.ts';
import { LedgerUnavailableError } from '../ports.ts';
import type { IngestContext } from './ingestContext.ts';
import type { AdmittedPayment } from './recogniseRetry.ts';

/** A payment that is durable in the ledger. */
export interface AppendedPayment {
  readonly transactionId: string;
  readonly ledgerOffset: number;
  readonly decided: Promise<Decision | undefined>;
}

export async function appendPayment(
  context: IngestContext,
  payment: AdmittedPayment,
): Promise<Outcome<AppendedPayment>> {
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
