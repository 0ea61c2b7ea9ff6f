import type { Transaction } from '../../schemas/types.ts';
import type { EvaluationContext, ListMembership } from './context.ts';

/** A payment of which everything that may be absent is absent. */
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

export const noLists: ListMembership = { has: () => false };

/** A context with the given parts; features are in order, from 0. */
export function contextOf(
  tx: Partial<Transaction> = {},
  features: readonly number[] = [],
  rest: Partial<EvaluationContext> = {},
): EvaluationContext {
  return {
    tx: { ...bareTransaction, ...tx },
    label: 'none',
    features: Float64Array.from(features),
    featureBase: 0,
    modelScore: NaN,
    modelProbability: NaN,
    lists: noLists,
    ...rest,
  };
}
