import { expect, it } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import { StateParts, type StatePart } from '../../operators/stateParts.ts';
import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import { MemoryLedger } from '../testing/memoryLedger.ts';
import { featuresOnlyEngine } from './featureBackfill.ts';

const START_MS = 1_767_225_600_000;
const made = { eventTimeMs: START_MS, author: 'test', reason: '' };
const model = { modelId: 'm', version: '1', sha256: 'f'.repeat(64), metadata: '{}' };

function payment(index: number): LedgerEvent {
  const event = { ...bareTransaction, transactionId: `t-${index}`, eventTimeMs: START_MS + index, account: 'a-1' };
  return { kind: 'transaction', event };
}

const steering: readonly LedgerEvent[] = [
  {
    kind: 'listChange',
    event: { ...made, list: 'blocked', value: 'a-1', action: 'put', expiresAtMs: null, further: [] },
  },
  { kind: 'posture', event: { ...made, riskLevel: 'elevated', degradation: 'noModel', expiresAtMs: null } },
  {
    kind: 'modelPromotion',
    event: { ...made, ...model, action: 'promote', step: 'apply', proposalOffset: null, percent: 100 },
  },
  {
    kind: 'fallback',
    event: { transactionId: 't-0', transactionOffset: 0, eventTimeMs: START_MS, verdict: 'review', deadlineMs: 100 },
  },
];

/** What an engine hands over after the payments, with other records after the first one. */
async function handedOver(others: readonly LedgerEvent[]): Promise<StatePart[]> {
  const compiled = compileCatalogue(
    [{ name: 'count', aggregate: 'count', entity: ['account'], windowMs: 60_000 }],
    1_000,
  );
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const ledger = new MemoryLedger();
  const events = [payment(0), ...others, payment(1)];
  await ledger.append(events.map((event) => encodeLedgerRecord(event, START_MS, 'test')));
  const engine = featuresOnlyEngine(createFeatureState(compiled.value));
  await engine.process(await ledger.read(0, events.length));
  expect(engine.nextOffset).toBe(events.length);
  const state = new StateParts();
  engine.save(state);
  return state.parts;
}

it('hands nothing over that features do not depend on: lists and fallbacks may be many', async () => {
  const { length } = await handedOver([]);
  expect((await handedOver(steering)).length).toBe(length);
});
