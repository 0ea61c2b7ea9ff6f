import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecs, DecodeError } from './codec.ts';
import { transactions } from './testing/inputArbitrary.ts';
import type { Decision, Transaction } from './types.ts';

const transaction: Transaction = {
  transactionId: 't-81',
  eventTimeMs: 1767225600000,
  type: 'purchase',
  channel: 'card',
  amountMinor: 12599,
  currency: 'CNY',
  account: 'a-102',
  card: { token: 'tok_1', bin: '411111', last4: '1111' },
  device: null,
  ip: '203.0.113.7',
  merchant: 'm-7',
  mcc: '5411',
  terminal: null,
  payee: null,
  country: 'CN',
  authMethods: ['password'],
  originalTransactionId: null,
  attributes: { basketItems: 3, isGift: false, note: '礼物' },
};

const decision: Decision = {
  ledgerOffset: 918273,
  transactionId: 't-81',
  status: 'new',
  originalOffset: null,
  contentHash: '00',
  engineTimeMs: 1767225600000,
  late: false,
  verdict: 'challenge',
  score: 812,
  modelScore: 0.812,
  mode: 'full',
  riskLevel: 'normal',
  degraded: [],
  reasons: [
    {
      code: 'MODEL',
      rule: null,
      version: null,
      list: null,
      feature: 'card_amount_z_30d',
      contribution: 0.31,
      value: 6.2,
      text: { en: 'Unusual amount', zh: '金额异常' },
    },
  ],
  letThrough: {
    verdict: 'decline',
    score: 960,
    percent: 0.1,
    reasons: [
      {
        code: 'VELOCITY_CARD',
        rule: 'card-velocity',
        version: 3,
        list: null,
        feature: null,
        contribution: null,
        value: null,
        text: null,
      },
    ],
  },
  rulesFired: [{ rule: 'card-velocity', version: 3, mode: 'shadow', snoozed: true }],
  rulePoints: 640,
  groupScores: [{ group: 'takeover', points: 640 }],
  ruleErrors: [],
  ruleSet: '2026-11.4',
  ruleSetSha256: 'a',
  modelId: 'card-fraud',
  modelVersion: '7',
  modelSha256: 'b',
  catalogueSha256: 'c',
  explanation: { method: 'treeShap', mean: -6.25, contributions: [0.5, -0.25] },
  features: [1, Number.NaN, -0, Number.POSITIVE_INFINITY],
};

describe('a codec', () => {
  it('writes single-object encoding: C3 01, the fingerprint little-endian, the datum', () => {
    const bytes = codecs.tick.encode({ eventTimeMs: 1 });
    expect(bytes.subarray(0, 2).toString('hex')).toBe('c301');
    expect(Buffer.from(bytes.subarray(2, 10)).reverse().toString('hex')).toBe(codecs.tick.fingerprint);
    expect([...bytes.subarray(10)]).toEqual([2]);
  });

  it('gives back what was written, for every transaction', () => {
    fc.assert(
      fc.property(transactions, (value) => {
        expect(codecs.transaction.decode(codecs.transaction.encode(value))).toEqual(value);
      }),
    );
  });

  it('gives back a decision with undefined features (NaN) and all', () => {
    expect(codecs.decision.decode(codecs.decision.encode(decision))).toEqual(decision);
  });

  it('writes the same bytes for the same value, so that a decision can be compared byte for byte', () => {
    const bytes = codecs.decision.encode(decision);
    expect(codecs.decision.encode(codecs.decision.decode(bytes)).equals(bytes)).toBe(true);
  });

  it('hands out buffers of their own, and shared ones only on request', () => {
    const first = codecs.tick.encode({ eventTimeMs: 1 });
    const shared = codecs.tick.encodeShared({ eventTimeMs: 2 });
    codecs.tick.encode({ eventTimeMs: 3 });
    expect(codecs.tick.decode(first)).toEqual({ eventTimeMs: 1 });
    expect(codecs.tick.decode(shared)).toEqual({ eventTimeMs: 3 });
  });

  it('takes records larger than its first buffer', () => {
    const content = 'rule '.repeat(100_000);
    const step = { step: 'publish', replaces: '', proposalOffset: null } as const;
    const publication = { eventTimeMs: 1, version: '1', sha256: '', content, author: 'a', reason: '', ...step };
    const decoded = codecs.ruleSetPublication.decode(codecs.ruleSetPublication.encode(publication));
    expect(decoded.content).toBe(content);
  });
});

describe('bytes that are not a datum', () => {
  const bytes = codecs.transaction.encode(transaction);

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from('{"transactionId":"t-81"}')],
    ['only a header', bytes.subarray(0, 10)],
    ['a truncated datum', bytes.subarray(0, bytes.length - 1)],
    ['trailing bytes', Buffer.concat([bytes, Buffer.from([0])])],
  ])('%s: SLUICE_AVRO_MALFORMED', (_name, malformed) => {
    expect(codecs.transaction.tryDecode(malformed)).toMatchObject({ ok: false, code: 'SLUICE_AVRO_MALFORMED' });
  });

  it('an unknown fingerprint: SLUICE_SCHEMA_UNKNOWN', () => {
    const unknown = Buffer.from(bytes);
    unknown.fill(0x11, 2, 10);
    expect(codecs.transaction.tryDecode(unknown)).toMatchObject({ ok: false, code: 'SLUICE_SCHEMA_UNKNOWN' });
  });

  it('a datum of another schema: SLUICE_SCHEMA_UNKNOWN, saying which was expected', () => {
    const result = codecs.transaction.tryDecode(codecs.tick.encode({ eventTimeMs: 1 }));
    expect(result).toMatchObject({
      ok: false,
      code: 'SLUICE_SCHEMA_UNKNOWN',
      message: 'expected io.sluice.Transaction, got io.sluice.Tick',
    });
  });

  it('an array that announces 2^40 items ends at once', () => {
    const attributes = Buffer.from([0]);
    const announced = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
    const plain = codecs.transaction.encode({ ...transaction, authMethods: [], attributes: {} });
    // The last three bytes are: no authMethods, originalTransactionId null, no attributes.
    const bomb = Buffer.concat([plain.subarray(0, -3), announced, attributes]);
    expect(codecs.transaction.tryDecode(bomb)).toMatchObject({ ok: false, code: 'SLUICE_AVRO_MALFORMED' });
  });

  it('an integer that a double cannot hold: SLUICE_AVRO_MALFORMED', () => {
    const greatest = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    const tick = Buffer.concat([codecs.tick.encode({ eventTimeMs: 0 }).subarray(0, 10), greatest]);
    expect(codecs.tick.tryDecode(tick)).toMatchObject({ ok: false, code: 'SLUICE_AVRO_MALFORMED' });
  });

  it('any damage is a value of the type or a DecodeError, never another error', () => {
    const damage = fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), { minLength: 1 });
    fc.assert(
      fc.property(damage, fc.nat({ max: bytes.length }), (changes, length) => {
        const damaged = Buffer.from(bytes);
        for (const [position, byte] of changes) damaged[position] = byte;
        try {
          expect(typeof codecs.transaction.decode(damaged.subarray(0, length)).transactionId).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
