import { describe, expect, it } from 'vitest';
import { codecs, DecodeError } from './codec.ts';
import { decodeLedgerRecord, encodeLedgerRecord } from './ledgerCodec.ts';
import type { LedgerEvent } from './ledgerEvent.ts';

const audit = { author: 'ops', reason: 'test' };
const events: readonly LedgerEvent[] = [
  { kind: 'tick', event: { eventTimeMs: 5 } },
  {
    kind: 'outcome',
    event: { transactionId: 't', transactionOffset: 7, eventTimeMs: 5, outcome: 'authorised', responseCode: '00' },
  },
  {
    kind: 'label',
    event: {
      transactionId: 't',
      transactionOffset: null,
      eventTimeMs: 5,
      label: 'fraud',
      labelSource: 'chargeback',
      fraudType: null,
    },
  },
  {
    kind: 'listChange',
    event: { eventTimeMs: 5, list: 'blocked', value: 'd-1', action: 'put', expiresAtMs: null, further: [], ...audit },
  },
  {
    kind: 'ruleSetPublication',
    event: {
      ...{ eventTimeMs: 5, version: '1', sha256: 'a', content: '{}', ...audit },
      ...{ step: 'approve', replaces: 'b', proposalOffset: 4 },
    },
  },
  {
    kind: 'modelPromotion',
    event: {
      eventTimeMs: 5,
      modelId: 'm',
      version: '2',
      sha256: 'a',
      metadata: '{}',
      action: 'rollback',
      step: 'approve',
      proposalOffset: 7,
      percent: 10,
      ...audit,
    },
  },
  {
    kind: 'posture',
    event: { eventTimeMs: 5, riskLevel: 'elevated', degradation: 'noModel', expiresAtMs: 9, ...audit },
  },
  {
    kind: 'fallback',
    event: { transactionId: 't', transactionOffset: 3, eventTimeMs: 5, verdict: 'review', deadlineMs: 100 },
  },
  {
    kind: 'deadLetter',
    event: {
      eventTimeMs: 5,
      subject: 'transaction',
      code: 'SLUICE_INPUT_JSON',
      field: null,
      message: 'expected valid JSON',
      transactionId: null,
      contentType: 'application/json',
      body: '{',
      truncated: false,
    },
  },
];

describe('a ledger record', () => {
  it.each(events)('of kind $kind comes back as it was written', (record) => {
    const bytes = encodeLedgerRecord(record, 1767225600000, 'key-1');
    expect(decodeLedgerRecord(bytes)).toEqual({ ...record, ingestTimeMs: 1767225600000, source: 'key-1' });
  });

  it('whose payload is of another kind than it says is refused', () => {
    const bytes = codecs.ledgerRecord.encode({
      kind: 'outcome',
      ingestTimeMs: 1,
      source: '',
      payload: codecs.tick.encode({ eventTimeMs: 1 }),
    });
    expect(() => decodeLedgerRecord(bytes)).toThrow(DecodeError);
  });
});
