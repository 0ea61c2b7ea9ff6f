import fc from 'fast-check';
import { CHAIN_START, sealOf } from '../../../pipeline/chain/seal.ts';
import { codecs } from '../../../schemas/codec.ts';
import { encodeLedgerRecord } from '../../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../../schemas/ledgerEvent.ts';
import type { Decision, Transaction } from '../../../schemas/types.ts';
import type { FeatureColumns, HistoryBatch, HistoryRecord } from '../../../pipeline/ports.ts';

const MIN_TIME_MS = 946684800000;
const MAX_TIME_MS = 4102444800000;

const time = fc.integer({ min: MIN_TIME_MS, max: MAX_TIME_MS });
/** Any text that UTF-8 can hold, and what breaks hand-written escaping: quotes, line ends, zero bytes, blank lines. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 64 }),
  fc.string({ unit: 'grapheme', maxLength: 64 }),
  fc.constantFrom(
    '',
    "'",
    '\\',
    '\n\n',
    '\0',
    '\t',
    '该卡10分钟内多次支付',
    '👩‍👩‍👧',
    'x'.repeat(127),
    'x'.repeat(128),
    'é'.repeat(200),
  ),
);
const id = text;
const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
const number = fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, Number.MIN_VALUE, 1e308));
// JSON would take __proto__ for something else than a name.
const attributeName = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__proto__');
// avsc writes integers below 2^53 - 1.
const ledgerOffset = fc.integer({ min: 0, max: 2 ** 53 - 2 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

const transaction: fc.Arbitrary<Transaction> = fc.record({
  transactionId: id,
  eventTimeMs: time,
  type: fc.constantFrom('purchase', 'withdrawal', 'transfer', 'topUp', 'refund', 'reversal', 'other'),
  channel: fc.constantFrom('card', 'wallet', 'bankTransfer', 'qr', 'other'),
  amountMinor: fc.oneof(fc.integer({ min: 0, max: 1e12 }), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 1e12)),
  currency: fc.constantFrom('CNY', 'EUR', 'JPY'),
  account: nullable(id),
  card: nullable(fc.record({ token: id, bin: nullable(text), last4: nullable(text) })),
  device: nullable(id),
  ip: nullable(text),
  merchant: nullable(id),
  mcc: nullable(text),
  terminal: nullable(id),
  payee: nullable(id),
  country: nullable(text),
  authMethods: fc.array(text, { maxLength: 8 }),
  originalTransactionId: nullable(id),
  attributes: fc.dictionary(attributeName, fc.oneof(text, number, fc.boolean()), {
    maxKeys: 8,
    noNullPrototype: true,
  }),
});

const reason = fc.record({
  code: text,
  rule: nullable(text),
  version: nullable(int32),
  list: nullable(text),
  feature: nullable(text),
  contribution: nullable(number),
  value: nullable(number),
  text: nullable(fc.record({ en: text, zh: text })),
});

/** Everything of a decision but what ties it to its payment. */
const decisionBody = fc.record({
  contentHash: text,
  engineTimeMs: time,
  late: fc.boolean(),
  verdict: fc.constantFrom('approve', 'challenge', 'review', 'decline'),
  score: fc.integer({ min: 0, max: 1000 }),
  modelScore: nullable(number),
  mode: fc.constantFrom('full', 'noModel', 'rulesOnly', 'fallback'),
  riskLevel: fc.constantFrom('normal', 'elevated', 'lockdown'),
  degraded: fc.array(text, { maxLength: 4 }),
  reasons: fc.array(reason, { maxLength: 5 }),
  letThrough: nullable(
    fc.record({
      verdict: fc.constantFrom('review', 'decline'),
      score: fc.integer({ min: 0, max: 1000 }),
      reasons: fc.array(reason, { maxLength: 3 }),
      percent: fc.double({ min: 0, max: 10, noNaN: true }),
    }),
  ),
  rulesFired: fc.array(
    fc.record({ rule: text, version: int32, mode: fc.constantFrom('live', 'shadow', 'off'), snoozed: fc.boolean() }),
    {
      maxLength: 4,
    },
  ),
  rulePoints: fc.integer({ min: 0, max: 1000 }),
  groupScores: fc.uniqueArray(fc.record({ group: attributeName, points: fc.integer({ min: 0, max: 1000 }) }), {
    maxLength: 3,
    selector: ({ group }) => group,
  }),
  ruleErrors: fc.array(fc.record({ rule: text, version: int32, message: text }), { maxLength: 2 }),
  ruleSet: text,
  ruleSetSha256: text,
  modelId: nullable(text),
  modelVersion: nullable(text),
  modelSha256: nullable(text),
  explanation: nullable(
    fc.record({
      method: fc.constantFrom('treeShap', 'occlusion'),
      mean: nullable(number),
      contributions: fc.array(number, { maxLength: 4 }),
    }),
  ),
});

const otherEvent: fc.Arbitrary<LedgerEvent> = fc.oneof(
  fc.record({
    kind: fc.constant('outcome'),
    event: fc.record({
      transactionId: id,
      transactionOffset: nullable(ledgerOffset),
      eventTimeMs: time,
      outcome: fc.constantFrom('authorised', 'declined', 'captured', 'settled', 'other'),
      responseCode: nullable(text),
    }),
  }),
  fc.record({
    kind: fc.constant('label'),
    event: fc.record({
      transactionId: id,
      transactionOffset: nullable(ledgerOffset),
      eventTimeMs: time,
      label: fc.constantFrom('fraud', 'genuine'),
      labelSource: fc.constantFrom('chargeback', 'review', 'other'),
      fraudType: nullable(text),
    }),
  }),
  fc.record({
    kind: fc.constant('listChange'),
    event: fc.record({
      eventTimeMs: time,
      list: text,
      value: text,
      action: fc.constantFrom('put', 'delete'),
      expiresAtMs: nullable(time),
      author: text,
      reason: text,
      further: fc.array(fc.record({ value: text, expiresAtMs: nullable(time), reason: nullable(text) }), {
        maxLength: 3,
      }),
    }),
  }),
  fc.record({
    kind: fc.constant('ruleSetPublication'),
    event: fc.record({
      eventTimeMs: time,
      version: text,
      sha256: text,
      content: text,
      author: text,
      reason: text,
      step: fc.constantFrom('publish', 'propose', 'approve', 'reject'),
      replaces: text,
      proposalOffset: nullable(fc.nat()),
    }),
  }),
  fc.record({
    kind: fc.constant('modelPromotion'),
    event: fc.record({
      eventTimeMs: time,
      modelId: nullable(text),
      version: text,
      sha256: text,
      metadata: text,
      action: fc.constantFrom('promote', 'rollback', 'withdraw'),
      step: fc.constantFrom('apply', 'propose', 'approve', 'reject'),
      proposalOffset: nullable(ledgerOffset),
      percent: fc.integer({ min: 0, max: 100 }),
      author: text,
      reason: text,
    }),
  }),
  fc.record({
    kind: fc.constant('posture'),
    event: fc.record({
      eventTimeMs: time,
      riskLevel: fc.constantFrom('normal', 'elevated', 'lockdown'),
      degradation: fc.constantFrom('full', 'noModel', 'rulesOnly'),
      expiresAtMs: nullable(time),
      author: text,
      reason: text,
    }),
  }),
  fc.record({
    kind: fc.constant('fallback'),
    event: fc.record({
      transactionId: id,
      transactionOffset: ledgerOffset,
      eventTimeMs: time,
      verdict: fc.constantFrom('approve', 'challenge', 'review', 'decline'),
      deadlineMs: fc.integer({ min: 1, max: 60_000 }),
    }),
  }),
  fc.record({
    kind: fc.constant('deadLetter'),
    event: fc.record({
      eventTimeMs: time,
      subject: fc.constantFrom('transaction', 'outcome', 'label', 'listChange', 'other'),
      code: text,
      field: nullable(text),
      message: text,
      transactionId: nullable(text),
      contentType: text,
      body: text,
      truncated: fc.boolean(),
    }),
  }),
  fc.record({ kind: fc.constant('tick'), event: fc.record({ eventTimeMs: time }) }),
);

/** Records of every kind with hostile content, starting at ledger offset `fromOffset`; payments are decided. */
export function randomBatch(
  catalogues: readonly FeatureColumns[],
  fromOffset: number,
  bounds: { readonly minRecords: number; readonly maxRecords: number },
): fc.Arbitrary<HistoryBatch> {
  const records = fc.array(fc.oneof({ weight: 2, arbitrary: payment(catalogues) }, unpaid), {
    minLength: bounds.minRecords,
    maxLength: bounds.maxRecords,
  });
  return fc.tuple(records, time, text).map(([made, ingestTimeMs, source]) => ({
    fromOffset,
    toOffset: fromOffset + made.length,
    records: sealed(made.map((make, index) => make(fromOffset + index, ingestTimeMs, source))),
  }));
}

type UnsealedRecord = Omit<HistoryRecord, 'seal'>;
type RecordMaker = (offset: number, ingestTimeMs: number, source: string) => UnsealedRecord;

function sealed(records: readonly UnsealedRecord[]): HistoryRecord[] {
  let before = CHAIN_START;
  return records.map((record) => {
    const decision = record.decision === null ? undefined : codecs.decision.encode(record.decision);
    const seal = sealOf(before, record.offset, record.value, decision);
    before = seal.chainSha256;
    return { ...record, seal };
  });
}

const unpaid: fc.Arbitrary<RecordMaker> = otherEvent.map((event): RecordMaker => (offset, ingestTimeMs, source) => ({
  offset,
  ingestTimeMs,
  source,
  event,
  value: encodeLedgerRecord(event, ingestTimeMs, source),
  decision: null,
}));

function payment(catalogues: readonly FeatureColumns[]): fc.Arbitrary<RecordMaker> {
  const featured = fc.constantFrom(...catalogues).chain((catalogue) =>
    fc.record({
      catalogueSha256: fc.constant(catalogue.catalogueSha256),
      features: fc.array(number, { minLength: catalogue.names.length, maxLength: catalogue.names.length }),
    }),
  );
  const standing = fc.constantFrom<Decision['status']>('new', 'new', 'new', 'duplicate', 'conflict');
  return fc
    .tuple(transaction, decisionBody, featured, standing)
    .map(([tx, body, features, status]): RecordMaker => (offset, ingestTimeMs, source) => {
      const event: LedgerEvent = { kind: 'transaction', event: tx };
      return {
        offset,
        ingestTimeMs,
        source,
        event,
        value: encodeLedgerRecord(event, ingestTimeMs, source),
        decision: {
          ...body,
          ...features,
          status,
          ledgerOffset: offset,
          transactionId: tx.transactionId,
          originalOffset: status === 'new' ? null : Math.max(0, offset - 1),
        },
      };
    });
}
