import { codecs } from '../../schemas/codec.ts';
import type { Decision } from '../../schemas/types.ts';
import { ok, retry, type Outcome } from '../outcome.ts';
import type { IngestContext } from './ingestContext.ts';
import type { PendingVerdict } from './pendingVerdicts.ts';
import type { PreparedPayment } from './preparePayment.ts';
import { withDeadline } from './withDeadline.ts';

/**
 * A retried payment gets the first attempt's verdict, whether that one is still on its way or was decided years ago; the
 * same id with other content is a conflict.
 */
export async function recogniseRetry(
  context: IngestContext,
  payment: PreparedPayment,
): Promise<Outcome<PreparedPayment>> {
  const { pending, decisions } = context.services;
  const { transactionId } = payment.transaction;
  const onItsWay = pending.find(transactionId);
  if (onItsWay !== undefined) return joinFirst(context, payment, onItsWay);
  const decided = await decisions.find(transactionId);
  return decided === undefined ? ok(payment) : answerAgain(payment, codecs.decision.decode(decided));
}

/** Waits with the first attempt, no longer than a first attempt would. */
export async function joinFirst(
  context: IngestContext,
  payment: PreparedPayment,
  first: PendingVerdict,
): Promise<Outcome<never>> {
  if (first.contentHash !== payment.contentHash) return conflict(payment.transaction.transactionId);
  const { settings, timer } = context.services;
  const decision = await withDeadline(first.decided, settings.deadlineMs, timer);
  if (decision !== undefined) return answerAgain(payment, decision);
  const fallback = await context.services.fallbacks.find(payment.transaction.transactionId);
  return fallback === undefined
    ? retry('SLUICE_STILL_DECIDING', 'the first attempt with this transaction id has no verdict yet; ask again', 1)
    : { kind: 'fallbackGiven', fallback };
}

function answerAgain(payment: PreparedPayment, decision: Decision): Outcome<never> {
  return decision.contentHash === payment.contentHash
    ? { kind: 'duplicate', decision }
    : conflict(payment.transaction.transactionId);
}

function conflict(transactionId: string): Outcome<never> {
  return {
    kind: 'conflict',
    transactionId,
    refusal: {
      code: 'SLUICE_TRANSACTION_CONFLICT',
      field: 'transactionId',
      message:
        'this transaction id was used before, with other content; its verdict is at /v1/verdicts/{transactionId}',
    },
  };
}
