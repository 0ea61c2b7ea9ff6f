import type { Transaction } from '../../schemas/types.ts';
import type { EvaluationContext } from './context.ts';
import { NOTHING_KNOWN } from './facts.ts';

/** A payment of which everything that may be absent is absent: what examples and tests start from. */
export const bareTransaction: Transaction = {
  transactionId: 't-1',
  eventTimeMs: 0,
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

/** A context around the bare payment: no features, no model, empty lists. */
export function bareContext(given: Partial<EvaluationContext> = {}): EvaluationContext {
  return {
    tx: bareTransaction,
    known: NOTHING_KNOWN,
    features: new Float64Array(0),
    featureBase: 0,
    modelScore: NaN,
    modelProbability: NaN,
    lists: { has: () => false, isEmpty: () => true },
    ...given,
  };
}
