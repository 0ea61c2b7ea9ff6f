import type { Transaction } from '../../schemas/types.ts';
import type { EntityName } from '../definitions.ts';

/** In the order in which a tuple's entities are put: [merchant, card] and [card, merchant] are one tuple. */
export const entityNames: readonly EntityName[] = ['account', 'card', 'device', 'ip', 'merchant', 'terminal', 'payee'];

const readers: Readonly<Record<string, (tx: Transaction) => string | null>> = {
  account: (tx) => tx.account,
  card: (tx) => tx.card?.token ?? null,
  device: (tx) => tx.device,
  ip: (tx) => tx.ip,
  merchant: (tx) => tx.merchant,
  terminal: (tx) => tx.terminal,
  payee: (tx) => tx.payee,
  country: (tx) => tx.country,
  mcc: (tx) => tx.mcc,
  currency: (tx) => tx.currency,
  type: (tx) => tx.type,
  channel: (tx) => tx.channel,
  cardBin: (tx) => tx.card?.bin ?? null,
};

/** Fields whose values aggregates can tell apart; `attributes.NAME` comes on top, where it is text. */
export const textFields: readonly string[] = Object.keys(readers);

export function isTextField(field: string): boolean {
  return Object.hasOwn(readers, field) || attributeName(field) !== null;
}

/** NAME of `attributes.NAME`, null for any other field. */
export function attributeName(field: string): string | null {
  return /^attributes\.([A-Za-z_][A-Za-z0-9_]{0,63})$/.exec(field)?.[1] ?? null;
}

/** What reads a field as text; null when the payment has none. */
export function fieldReader(field: string): (tx: Transaction) => string | null {
  const name = attributeName(field);
  if (name !== null) {
    return (tx) => {
      const value = Object.hasOwn(tx.attributes, name) ? tx.attributes[name] : undefined;
      return typeof value === 'string' ? value : null;
    };
  }
  const reader = readers[field];
  if (reader === undefined) throw new Error(`SLUICE_STATE_KEY: no field ${field}`);
  return reader;
}
