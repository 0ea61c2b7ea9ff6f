import { codecs } from '../../schemas/codec.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import type { Validated } from '../../schemas/parse.ts';
import type { Label, Outcome as OutcomeEvent } from '../../schemas/types.ts';
import { maskCardNumbers } from '../cardNumbers.ts';
import { ok, reject, type Outcome } from '../outcome.ts';
import type { IngestContext } from './ingestContext.ts';
import { withDeadline } from './withDeadline.ts';

/** An outcome or label: something said later about a payment. */
export type FollowUp = Extract<LedgerEvent, { readonly kind: 'outcome' | 'label' }>;

/** Gives an outcome the ledger offset of its payment. */
export async function referOutcome(context: IngestContext, event: Validated<OutcomeEvent>): Promise<Outcome<FollowUp>> {
  const transactionOffset = await offsetOfPayment(context, event.transactionId);
  if (transactionOffset === undefined) return unknownTransaction(event.transactionId, 'outcome');
  return ok(outcomeOf(event, transactionOffset));
}

/** Gives a label the ledger offset of its payment, so that the engine need not search. */
export async function referLabel(context: IngestContext, event: Validated<Label>): Promise<Outcome<FollowUp>> {
  const transactionOffset = await offsetOfPayment(context, event.transactionId);
  if (transactionOffset === undefined) return unknownTransaction(event.transactionId, 'label');
  return ok(labelOf(event, transactionOffset));
}

/** The outcome as the ledger keeps it: with its payment's offset, without card numbers. */
export function outcomeOf(event: OutcomeEvent, transactionOffset: number): FollowUp {
  const responseCode = event.responseCode === null ? null : maskCardNumbers(event.responseCode);
  return { kind: 'outcome', event: { ...event, transactionOffset, responseCode } };
}

/** The label as the ledger keeps it: with its payment's offset, without card numbers. */
export function labelOf(event: Label, transactionOffset: number): FollowUp {
  const fraudType = event.fraudType === null ? null : maskCardNumbers(event.fraudType);
  return { kind: 'label', event: { ...event, transactionOffset, fraudType } };
}

async function offsetOfPayment(context: IngestContext, transactionId: string): Promise<number | undefined> {
  const { pending, decisions, settings, timer } = context.services;
  const onItsWay = pending.find(transactionId);
  if (onItsWay !== undefined) await withDeadline(onItsWay.decided, settings.deadlineMs, timer);
  const stored = await decisions.find(transactionId);
  return stored === undefined ? undefined : codecs.decision.decode(stored).ledgerOffset;
}

/** Refused, since a label that reaches no payment would be lost without a word. */
function unknownTransaction(transactionId: string, what: string): Outcome<never> {
  return reject(
    UNKNOWN_TRANSACTION,
    'transactionId',
    `no payment with this transaction id is known; the ${what} was not applied`,
    transactionId,
  );
}

export const UNKNOWN_TRANSACTION = 'SLUICE_TRANSACTION_UNKNOWN';
