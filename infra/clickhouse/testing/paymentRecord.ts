import type { HistoryRecord } from '../../../pipeline/ports.ts';
import { encodeLedgerRecord } from '../../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../../schemas/ledgerEvent.ts';
import type { Decision, Transaction } from '../../../schemas/types.ts';

/** A payment and a decision on it, at this ledger offset, as the history gets them. */
export function paymentRecord(offset: number, event: Transaction, decided: Partial<Decision>): HistoryRecord {
  const decision: Decision = {
    ledgerOffset: offset,
    transactionId: event.transactionId,
    status: 'new',
    originalOffset: null,
    contentHash: '',
    engineTimeMs: event.eventTimeMs,
    late: false,
    verdict: 'approve',
    score: 0,
    modelScore: null,
    mode: 'full',
    riskLevel: 'normal',
    degraded: [],
    reasons: [],
    letThrough: null,
    rulesFired: [],
    rulePoints: 0,
    groupScores: [],
    ruleErrors: [],
    ruleSet: '1',
    ruleSetSha256: 'b'.repeat(64),
    modelId: null,
    modelVersion: null,
    modelSha256: null,
    catalogueSha256: 'a'.repeat(64),
    explanation: null,
    features: [],
    ...decided,
  };
  return { ...eventRecord(offset, { kind: 'transaction', event }), decision };
}

/** Any other record of the ledger. */
export function eventRecord(offset: number, event: LedgerEvent): HistoryRecord {
  const timeMs = event.event.eventTimeMs;
  return {
    offset,
    ingestTimeMs: timeMs,
    source: 'test',
    event,
    value: encodeLedgerRecord(event, timeMs, 'test'),
    decision: null,
    seal: null,
  };
}
