import type { Validated } from '../schemas/parse.ts';
import { printableName } from '../schemas/compileInput.ts';
import type { Card, GatewayCard, GatewayTransaction, Transaction } from '../schemas/types.ts';
import { holdsCardNumber, isCardNumber, maskCardNumbers, tokenise, tokenOf } from './cardNumbers.ts';

export type ToTransactionResult =
  | { readonly ok: true; readonly transaction: Transaction }
  | {
      readonly ok: false;
      /** PAN_IN_ID: a card number where it cannot be replaced. CARD: a card without number and token. */
      readonly code: 'SLUICE_INPUT_PAN_IN_ID' | 'SLUICE_INPUT_CARD';
      readonly field: string;
      readonly message: string;
    };

/**
 * The payment as the ledger keeps it: no card number is left in it. The card's becomes token, BIN and last four; an
 * identifier or attribute that is one becomes its token; text around one is masked. Identifiers that a token would
 * make useless (the payment's own id, what it takes back) are refused. Attributes are put in order, so that two retries
 * that differ only in their order are the same bytes. `key`: the deployment's token key, at least 32 bytes.
 */
export function toTransaction(input: Validated<GatewayTransaction>, key: Uint8Array): ToTransactionResult {
  const field = fieldWithCardNumber(input);
  if (field !== null) {
    return {
      ok: false,
      code: 'SLUICE_INPUT_PAN_IN_ID',
      field,
      message: 'holds a card number; send card numbers only in card.pan',
    };
  }
  const card = input.card === null ? null : toCard(input.card, key);
  if (card === undefined) {
    return { ok: false, code: 'SLUICE_INPUT_CARD', field: 'card', message: 'expected either card.pan or card.token' };
  }
  return {
    ok: true,
    transaction: {
      transactionId: input.transactionId,
      eventTimeMs: input.eventTimeMs,
      type: input.type,
      channel: input.channel,
      amountMinor: input.amountMinor,
      currency: input.currency,
      account: withoutCardNumber(input.account, key),
      card,
      device: withoutCardNumber(input.device, key),
      ip: input.ip,
      merchant: withoutCardNumber(input.merchant, key),
      mcc: input.mcc,
      terminal: withoutCardNumber(input.terminal, key),
      payee: withoutCardNumber(input.payee, key),
      country: input.country,
      authMethods: input.authMethods,
      originalTransactionId: input.originalTransactionId,
      attributes: toAttributes(input.attributes, key),
    },
  };
}

function fieldWithCardNumber(input: GatewayTransaction): string | null {
  if (holdsCardNumber(input.transactionId)) return 'transactionId';
  if (input.originalTransactionId !== null && holdsCardNumber(input.originalTransactionId)) {
    return 'originalTransactionId';
  }
  if (input.ip !== null && holdsCardNumber(input.ip)) return 'ip';
  for (let index = 0; index < input.authMethods.length; index += 1) {
    if (holdsCardNumber(input.authMethods[index] ?? '')) return `authMethods.${index}`;
  }
  for (const name of Object.keys(input.attributes)) {
    if (holdsCardNumber(name)) return `attributes.${printableName(name)}`;
  }
  return null;
}

function toCard(card: GatewayCard, key: Uint8Array): Card | undefined {
  if (card.pan !== null) return tokenise(card.pan, key);
  if (card.token === null) return undefined;
  // A gateway that puts the number itself where its token belongs.
  if (isCardNumber(card.token)) return tokenise(card.token, key);
  return { token: withoutCardNumber(card.token, key), bin: card.bin, last4: card.last4 };
}

/** Replaces an identifier that is or holds a card number, so that the same one is still the same one. */
export function withoutCardNumber<Identifier extends string | null>(
  identifier: Identifier,
  key: Uint8Array,
): Identifier | string {
  if (identifier === null || !holdsCardNumber(identifier)) return identifier;
  return isCardNumber(identifier) ? tokenise(identifier, key).token : tokenOf(identifier, key);
}

function toAttributes(attributes: GatewayTransaction['attributes'], key: Uint8Array): Transaction['attributes'] {
  const names = Object.keys(attributes);
  if (names.length === 0) return attributes;
  const result: Record<string, string | number | boolean> = {};
  for (const name of names.sort()) {
    const value = attributes[name];
    if (value !== undefined) result[name] = attributeWithoutCardNumber(value, key);
  }
  return result;
}

/** Smallest number of 12 digits. */
const LEAST_CARD_NUMBER = 1e11;

function attributeWithoutCardNumber(value: string | number | boolean, key: Uint8Array): string | number | boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    const digits = Math.abs(value);
    if (digits < LEAST_CARD_NUMBER) return value;
    return isCardNumber(String(digits)) ? tokenise(String(digits), key).token : value;
  }
  return isCardNumber(value) ? tokenise(value, key).token : maskCardNumbers(value);
}
