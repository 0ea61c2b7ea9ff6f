import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ConfigurationDefinition } from '../operators/definitions.ts';
import type { DecisionRow } from './ports.ts';
import { MemoryDecisionStore } from './testing/memoryDecisionStore.ts';
import { MemoryLedger } from './testing/memoryLedger.ts';
import { TopologyDriver } from './testing/topologyDriver.ts';

const thresholds = { challenge: 600, review: 800, decline: 930 };
const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 600_000,
  recentIds: 1_000,
  features: [{ name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' }],
  rules: [],
  lists: [],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};
const payment = {
  transactionId: 't-1',
  eventTimeMs: 1_767_225_600_000,
  type: 'purchase',
  channel: 'card',
  amountMinor: 100,
  currency: 'CNY',
};

/** A disk that takes its time. */
class SlowDecisionStore extends MemoryDecisionStore {
  override async put(decisions: readonly DecisionRow[]): Promise<void> {
    await sleep(100);
    await super.put(decisions);
  }
}

it('takes payments only when what the ledger held is decided and stored: a retry is then no second payment', async () => {
  const ledger = new MemoryLedger();
  const before = await TopologyDriver.start({ definition, ledger });
  await before.submit(payment);
  await before.stop();
  const endOffset = ledger.endOffset();

  // Killed between append and decision: the payment is in the ledger, its decision is not stored.
  const after = await TopologyDriver.start({ definition, ledger, decisions: new SlowDecisionStore() });
  expect(await after.submit(payment)).toMatchObject({ kind: 'verdict', verdict: { status: 'duplicate' } });
  expect(ledger.endOffset()).toBe(endOffset);
  await after.stop();
});
