import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecs } from '../schemas/codec.ts';
import { checkBounds, parseJson } from '../schemas/parse.ts';
import type { Validated } from '../schemas/parse.ts';
import type { GatewayTransaction, Transaction } from '../schemas/types.ts';
import { gatewayTransactions } from '../schemas/testing/inputArbitrary.ts';
import { tokenise } from './cardNumbers.ts';
import { toTransaction } from './toTransaction.ts';

const key = Buffer.alloc(32, 7);
const PAN = '4111111111111111';
const { token } = tokenise(PAN, key);

function payment(change: Readonly<Record<string, unknown>>): Validated<GatewayTransaction> {
  const result = parseJson('gatewayTransaction', {
    transactionId: 't-81',
    eventTimeMs: 1767225600000,
    type: 'purchase',
    channel: 'card',
    amountMinor: 12599,
    currency: 'CNY',
    ...change,
  });
  if (!result.ok) throw new Error(`${result.field ?? ''}: ${result.message}`);
  return result.value;
}

function accepted(change: Readonly<Record<string, unknown>>): Transaction {
  const result = toTransaction(payment(change), key);
  if (!result.ok) throw new Error(result.message);
  return result.transaction;
}

describe('the payment as the ledger keeps it', () => {
  it('has a token, BIN and last four in place of the card number', () => {
    expect(accepted({ card: { pan: PAN } }).card).toEqual({ token, bin: '41111111', last4: '1111' });
  });

  it('keeps a token that the gateway already holds', () => {
    const card = { token: 'gw-1', bin: '411111', last4: '1111' };
    expect(accepted({ card }).card).toEqual(card);
  });

  it('has the same token when the gateway puts the number where its token belongs', () => {
    expect(accepted({ card: { token: PAN } }).card).toEqual({ token, bin: '41111111', last4: '1111' });
  });

  it.each(['account', 'device', 'merchant', 'terminal', 'payee'] as const)(
    'has the token in place of a card number in %s',
    (field) => {
      expect(accepted({ [field]: '4111 1111 1111 1111' })[field]).toBe(token);
      const held = accepted({ [field]: `x-${PAN}` })[field];
      expect(held).toMatch(/^tok_/);
      expect(held).not.toBe(token);
    },
  );

  it('has attributes in order, tokens for card numbers in them, and text around one masked', () => {
    const attributes = {
      z: true,
      number: Number(PAN),
      below: -Number(PAN),
      text: PAN,
      note: `paid by ${PAN}`,
      items: 3,
    };
    const result = accepted({ attributes }).attributes;
    expect(Object.keys(result)).toEqual(['below', 'items', 'note', 'number', 'text', 'z']);
    expect(result).toEqual({
      z: true,
      number: token,
      below: token,
      text: token,
      note: 'paid by ************1111',
      items: 3,
    });
  });

  it.each([
    ['transactionId', { transactionId: PAN }],
    ['originalTransactionId', { originalTransactionId: `r-${PAN}` }],
    ['ip', { ip: PAN }],
    ['authMethods.1', { authMethods: ['otp', PAN] }],
    ['attributes.(name not shown)', { attributes: { [PAN]: 1 } }],
  ])('does not exist when %s holds a card number', (field, change) => {
    const result = toTransaction(payment(change), key);
    expect(result).toMatchObject({ ok: false, code: 'SLUICE_INPUT_PAN_IN_ID', field });
    expect(JSON.stringify(result)).not.toContain(PAN);
  });

  it('does not exist for a card without number and token', () => {
    expect(toTransaction(payment({ card: { bin: '411111' } }), key)).toMatchObject({
      ok: false,
      code: 'SLUICE_INPUT_CARD',
      field: 'card',
    });
  });

  it('fits its own schema, and its bytes hold no card number, for every payment', () => {
    fc.assert(
      fc.property(gatewayTransactions, (value) => {
        const result = toTransaction(payment({ ...value }), key);
        if (!result.ok) return;
        expect(checkBounds('transaction', result.transaction)).toMatchObject({ ok: true });
        const bytes = codecs.transaction.encode(result.transaction);
        const pan = value.card?.pan ?? null;
        if (pan !== null) expect(bytes.includes(pan)).toBe(false);
      }),
    );
  });
});
