import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecs } from './codec.ts';
import { checkBounds, MAX_JSON_DEPTH, parseJson, parseJsonText } from './parse.ts';
import { gatewayTransactions } from './testing/inputArbitrary.ts';

const payment = {
  transactionId: 't-81',
  eventTimeMs: 1767225600000,
  type: 'purchase',
  channel: 'card',
  amountMinor: 12599,
  currency: 'CNY',
};

function refusal(change: Readonly<Record<string, unknown>>): unknown {
  return parseJson('gatewayTransaction', { ...payment, ...change });
}

describe('parsing a payment', () => {
  it('fills what is absent with null or the default', () => {
    expect(
      parseJson('gatewayTransaction', { ...payment, card: { token: 'x' }, account: null, attributes: null }),
    ).toEqual({
      ok: true,
      value: {
        ...payment,
        account: null,
        card: { pan: null, token: 'x', bin: null, last4: null },
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
      },
    });
  });

  it('shares no default between two results', () => {
    const [first, second] = [parseJson('gatewayTransaction', payment), parseJson('gatewayTransaction', payment)];
    if (!first.ok || !second.ok) throw new Error('both are valid');
    expect(first.value.attributes).not.toBe(second.value.attributes);
    expect(first.value.authMethods).not.toBe(second.value.authMethods);
  });

  it('accepts every payment within the bounds, unchanged, from JSON as from Avro', () => {
    fc.assert(
      fc.property(gatewayTransactions, (value) => {
        const text = Buffer.from(JSON.stringify(value));
        expect(parseJsonText('gatewayTransaction', text)).toEqual({ ok: true, value });
        const decoded = codecs.gatewayTransaction.decode(codecs.gatewayTransaction.encode(value));
        expect(checkBounds('gatewayTransaction', decoded)).toEqual({ ok: true, value });
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (value) => {
        expect(parseJson('gatewayTransaction', value).ok).toBe(false);
      }),
    );
  });

  it('takes -0 for 0, so that the two are the same bytes', () => {
    const result = parseJson('gatewayTransaction', { ...payment, amountMinor: -0, attributes: { a: -0 } });
    expect(result).toMatchObject({ ok: true, value: { amountMinor: 0, attributes: { a: 0 } } });
  });
});

describe('a refused payment is told the field, by its path, and what is expected there', () => {
  it.each([
    ['transactionId', { transactionId: undefined }, 'SLUICE_INPUT_MISSING', 'this field is required'],
    ['transactionId', { transactionId: null }, 'SLUICE_INPUT_MISSING', 'this field is required'],
    ['transactionId', { transactionId: '' }, 'SLUICE_INPUT_BOUNDS', 'expected 1 to 64 characters'],
    ['transactionId', { transactionId: 'x'.repeat(65) }, 'SLUICE_INPUT_BOUNDS', 'expected 1 to 64 characters'],
    ['transactionId', { transactionId: 7 }, 'SLUICE_INPUT_TYPE', 'expected a string'],
    ['transactionId', { transactionId: 'a\u0000b' }, 'SLUICE_INPUT_BOUNDS', expect.stringContaining('control')],
    ['transactionId', { transactionId: 'a\ud800b' }, 'SLUICE_INPUT_BOUNDS', expect.stringContaining('surrogates')],
    ['transactionId', { transactionId: 'a\udc00' }, 'SLUICE_INPUT_BOUNDS', expect.stringContaining('surrogates')],
    ['amountMinor', { amountMinor: '125' }, 'SLUICE_INPUT_TYPE', 'expected an integer from 0 to 1000000000000'],
    ['amountMinor', { amountMinor: 12.5 }, 'SLUICE_INPUT_TYPE', 'expected an integer from 0 to 1000000000000'],
    ['amountMinor', { amountMinor: Number.NaN }, 'SLUICE_INPUT_TYPE', expect.any(String)],
    ['amountMinor', { amountMinor: Number.POSITIVE_INFINITY }, 'SLUICE_INPUT_TYPE', expect.any(String)],
    ['amountMinor', { amountMinor: -1 }, 'SLUICE_INPUT_BOUNDS', 'expected an integer from 0 to 1000000000000'],
    ['amountMinor', { amountMinor: 2 ** 60 }, 'SLUICE_INPUT_BOUNDS', expect.any(String)],
    ['eventTimeMs', { eventTimeMs: 0 }, 'SLUICE_INPUT_BOUNDS', expect.any(String)],
    ['currency', { currency: 'cny' }, 'SLUICE_INPUT_BOUNDS', 'expected text that matches ^[A-Z]{3}$'],
    ['currency', { currency: 'CNY\n' }, 'SLUICE_INPUT_BOUNDS', expect.any(String)],
    ['type', { type: 'gift' }, 'SLUICE_INPUT_BOUNDS', expect.stringContaining('purchase, withdrawal')],
    ['type', { type: 'constructor' }, 'SLUICE_INPUT_BOUNDS', expect.any(String)],
    ['card', { card: '4111111111111111' }, 'SLUICE_INPUT_TYPE', 'expected an object'],
    ['card.pan', { card: { pan: '4111x' } }, 'SLUICE_INPUT_BOUNDS', expect.any(String)],
    ['card.pan', { card: { pan: 4111111111111111 } }, 'SLUICE_INPUT_TYPE', 'expected a string'],
    ['card.cvv', { card: { cvv: '123' } }, 'SLUICE_INPUT_UNKNOWN_FIELD', expect.stringContaining('pan, token')],
    ['ammountMinor', { amountMinor: undefined, ammountMinor: 5 }, 'SLUICE_INPUT_UNKNOWN_FIELD', expect.any(String)],
    ['authMethods', { authMethods: 'otp' }, 'SLUICE_INPUT_TYPE', 'expected an array'],
    ['authMethods', { authMethods: new Array(9).fill('otp') }, 'SLUICE_INPUT_BOUNDS', 'expected at most 8 items'],
    ['authMethods.1', { authMethods: ['otp', 7] }, 'SLUICE_INPUT_TYPE', 'expected a string'],
    ['attributes.basketItems', { attributes: { basketItems: [] } }, 'SLUICE_INPUT_TYPE', expect.any(String)],
    ['attributes.basketItems', { attributes: { basketItems: null } }, 'SLUICE_INPUT_TYPE', expect.any(String)],
    ['attributes.note', { attributes: { note: 'x'.repeat(257) } }, 'SLUICE_INPUT_BOUNDS', expect.any(String)],
    ['attributes', { attributes: { ['k'.repeat(65)]: 1 } }, 'SLUICE_INPUT_BOUNDS', expect.any(String)],
  ])('%s %#', (field, change, code, message) => {
    expect(refusal(change)).toEqual({ ok: false, code, field, message });
  });

  it('attributes: at most 32', () => {
    const attributes = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, index]));
    expect(refusal({ attributes })).toMatchObject({ code: 'SLUICE_INPUT_BOUNDS', field: 'attributes' });
  });

  it('__proto__ is a name like any other, and not a way in', () => {
    const inRecord = parseJson('gatewayTransaction', JSON.parse('{"__proto__":{"transactionId":"x"}}'));
    expect(inRecord).toMatchObject({ ok: false, code: 'SLUICE_INPUT_UNKNOWN_FIELD' });
    expect(refusal({ attributes: JSON.parse('{"__proto__":1}') })).toMatchObject({ ok: false, field: 'attributes' });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('a field name that could be a card number is not repeated', () => {
    const result = refusal({ 'pan 4111111111111111': 1 });
    expect(result).toMatchObject({ ok: false, code: 'SLUICE_INPUT_UNKNOWN_FIELD', field: '(name not shown)' });
    expect(JSON.stringify(refusal({ n4111111111111111: 1 }))).not.toContain('4111111111111111');
  });

  it('the same bounds hold for a payment in Avro', () => {
    const result = parseJson('gatewayTransaction', payment);
    if (!result.ok) throw new Error('the payment is valid');
    const { value } = result;
    expect(checkBounds('gatewayTransaction', { ...value, attributes: { a: Number.NaN } })).toMatchObject({
      ok: false,
      field: 'attributes.a',
    });
  });
});

describe('JSON text', () => {
  it.each([
    ['nothing', ''],
    ['half an object', '{"transactionId":'],
    ['two values', '{} {}'],
    ['a number beyond double', '{"amountMinor":1e999'],
  ])('that is %s: SLUICE_INPUT_JSON, without quoting it', (_name, text) => {
    expect(parseJsonText('gatewayTransaction', Buffer.from(text))).toEqual({
      ok: false,
      code: 'SLUICE_INPUT_JSON',
      field: null,
      message: 'expected valid JSON',
    });
  });

  it('that is not UTF-8', () => {
    expect(parseJsonText('label', Buffer.from([0x7b, 0xff, 0x7d]))).toMatchObject({ code: 'SLUICE_INPUT_JSON' });
  });

  it('nested too deep is refused before it is parsed; brackets inside strings do not count', () => {
    const deep = Buffer.from('['.repeat(1_000_000));
    expect(parseJsonText('gatewayTransaction', deep)).toMatchObject({
      code: 'SLUICE_INPUT_JSON',
      message: `expected JSON nested at most ${MAX_JSON_DEPTH} levels deep`,
    });
    const quoted = JSON.stringify({ ...payment, account: '\\"[[[[[[[[[[[[[[[[[[[[' });
    expect(parseJsonText('gatewayTransaction', Buffer.from(quoted))).toMatchObject({ ok: true });
  });
});

describe('the other inputs', () => {
  it.each([
    ['outcome', { transactionId: 't', eventTimeMs: 1767225600000, outcome: 'captured' }],
    ['label', { transactionId: 't', eventTimeMs: 1767225600000, label: 'fraud', labelSource: 'review' }],
    ['listChange', { eventTimeMs: 1767225600000, list: 'blocked', value: 'd', action: 'put', author: 'key-1' }],
    ['posture', { eventTimeMs: 1767225600000, riskLevel: 'normal', degradation: 'full', author: 'key-1' }],
  ] as const)('%s', (name, value) => {
    expect(parseJson(name, value)).toMatchObject({ ok: true, value });
    expect(parseJson(name, { ...value, extra: 1 })).toMatchObject({ ok: false, field: 'extra' });
  });
});
