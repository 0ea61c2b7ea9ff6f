import fc from 'fast-check';
import type { GatewayTransaction, Transaction } from '../types.ts';

const id = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 });
const optionalId = fc.option(id);

const shared = {
  transactionId: id,
  eventTimeMs: fc.integer({ min: 946684800000, max: 4102444800000 }),
  type: fc.constantFrom('purchase', 'withdrawal', 'transfer', 'topUp', 'refund', 'reversal', 'other'),
  channel: fc.constantFrom('card', 'wallet', 'bankTransfer', 'qr', 'other'),
  amountMinor: fc.integer({ min: 0, max: 1_000_000_000_000 }),
  currency: fc.constantFrom('CNY', 'USD', 'EUR', 'JPY'),
  account: optionalId,
  device: optionalId,
  ip: fc.option(fc.oneof(fc.ipV4(), fc.ipV6())),
  merchant: optionalId,
  mcc: fc.option(fc.constantFrom('5411', '7995', '0000')),
  terminal: optionalId,
  payee: optionalId,
  country: fc.option(fc.constantFrom('CN', 'DE', 'BR')),
  authMethods: fc.array(fc.constantFrom('password', 'otp', '3ds', 'pin'), { maxLength: 8 }),
  originalTransactionId: optionalId,
  attributes: fc.dictionary(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 16 }).filter((key) => key !== '__proto__'),
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 32 }).filter((text) => text.length <= 256),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      fc.boolean(),
    ),
    { maxKeys: 8, noNullPrototype: true },
  ),
} as const;

/** Ledger transactions, all fields over their whole ranges. */
export const transactions: fc.Arbitrary<Transaction> = fc.record({
  ...shared,
  card: fc.option(
    fc.record({
      token: id,
      bin: fc.option(fc.constantFrom('411111', '55000000')),
      last4: fc.option(fc.constantFrom('0000', '9999')),
    }),
  ),
});

/** Payments as a gateway sends them, with every optional field present or null. */
export const gatewayTransactions: fc.Arbitrary<GatewayTransaction> = fc.record({
  ...shared,
  card: fc.option(
    fc.record({
      pan: fc.option(fc.constantFrom('4111111111111111', '378282246310005', '6205500000000000004')),
      token: optionalId,
      bin: fc.option(fc.constantFrom('411111', '55000000')),
      last4: fc.option(fc.constantFrom('0000', '9999')),
    }),
  ),
});
