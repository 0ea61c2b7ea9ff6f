import type { GatewayTransaction } from '../../schemas/types.ts';

/** A payment before it has its id and time. */
export type PaymentDraft = Omit<GatewayTransaction, 'transactionId' | 'eventTimeMs'>;

/** Everything a payment may have, absent; the simulated gateway settles in one currency. */
const EMPTY: PaymentDraft = {
  type: 'purchase',
  channel: 'card',
  amountMinor: 0,
  currency: 'CNY',
  account: null,
  card: null,
  device: null,
  ip: null,
  merchant: null,
  mcc: null,
  terminal: null,
  payee: null,
  country: null,
  authMethods: [],
  originalTransactionId: null,
  attributes: {},
};

export function paymentDraft(fields: Partial<PaymentDraft>): PaymentDraft {
  return { ...EMPTY, ...fields };
}

export function cardOf(pan: string): PaymentDraft['card'] {
  return { pan, token: null, bin: null, last4: null };
}

/** A positive whole amount; what people type is often round. */
export function amountFrom(value: number, roundToMinor = 1): number {
  return Math.max(roundToMinor, Math.round(value / roundToMinor) * roundToMinor);
}
