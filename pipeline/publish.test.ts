import { describe, expect, it } from 'vitest';
import { bareTransaction } from '../operators/cel/bareContext.ts';
import { codecs } from '../schemas/codec.ts';
import type { Decision } from '../schemas/types.ts';
import type { EngineOutput } from './engine/engine.ts';
import { PendingVerdicts } from './ingest/pendingVerdicts.ts';
import { wallTimer } from './ingest/withDeadline.ts';
import { SealChain } from './chain/sealChain.ts';
import { LedgerUnavailableError, type DecisionRow, type LedgerRow, type SealRow } from './ports.ts';
import { Publisher } from './publish.ts';
import { CountingTelemetry } from './testing/topologyDriver.ts';
import { MemoryDecisionStore } from './testing/memoryDecisionStore.ts';

function output(ledgerOffset: number): EngineOutput {
  const decision: Decision = {
    ledgerOffset,
    transactionId: `t-${String(ledgerOffset)}`,
    status: 'new',
    originalOffset: null,
    contentHash: '',
    engineTimeMs: 0,
    late: false,
    verdict: 'approve',
    score: 0,
    modelScore: null,
    mode: 'noModel',
    riskLevel: 'normal',
    degraded: [],
    reasons: [],
    letThrough: null,
    rulesFired: [],
    rulePoints: 0,
    groupScores: [],
    ruleErrors: [],
    ruleSet: '',
    ruleSetSha256: '',
    modelId: null,
    modelVersion: null,
    modelSha256: null,
    catalogueSha256: '',
    explanation: null,
    features: [],
  };
  return { transaction: bareTransaction, ingestTimeMs: 0, decision };
}

function row(offset: number): LedgerRow {
  return { offset, value: Buffer.from(`record ${offset}`) };
}

/** Refuses the first put, as a full disk does, and remembers the order of the rest. */
class FullOnce extends MemoryDecisionStore {
  readonly stored: number[] = [];
  #isFull = true;
  override async put(rows: readonly DecisionRow[], seals: readonly SealRow[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#isFull) {
      this.#isFull = false;
      throw new LedgerUnavailableError('SLUICE_LEDGER_FULL', 'full');
    }
    this.stored.push(...rows.map((row) => row.ledgerOffset));
    return super.put(rows, seals);
  }
}

describe('the publisher', () => {
  it('stores in order even when a disk is full for a while, so that a crash leaves no hole', async () => {
    const decisions = new FullOnce();
    const pending = new PendingVerdicts(10);
    const first = pending.open('t-1', '');
    const publisher = new Publisher({
      decisions,
      pending,
      telemetry: new CountingTelemetry(),
      clock: () => 0,
      timer: wallTimer,
      show: () => undefined,
      observe: () => undefined,
    });
    publisher.resume(new SealChain(1));
    for (const offset of [1, 2, 3, 4]) await publisher.publish([row(offset)], [output(offset)]);
    expect(decisions.stored).toEqual([]);
    expect((await first.decided)?.ledgerOffset).toBe(1);
    await publisher.drain();
    expect(decisions.stored).toEqual([1, 2, 3, 4]);
    const chain = new SealChain(1);
    const seals = [1, 2, 3, 4].map((offset) =>
      chain.add(offset, row(offset).value, codecs.decision.encode(output(offset).decision)),
    );
    expect(await decisions.seals(0, 10)).toEqual(seals);
  });

  it('rejects when decisions cannot be stored at all', async () => {
    class Broken extends MemoryDecisionStore {
      override put(): Promise<void> {
        return Promise.reject(new Error('broken'));
      }
    }
    const publisher = new Publisher({
      decisions: new Broken(),
      pending: new PendingVerdicts(10),
      telemetry: new CountingTelemetry(),
      clock: () => 0,
      timer: wallTimer,
      show: () => undefined,
      observe: () => undefined,
    });
    publisher.resume(new SealChain(1));
    await publisher.publish([row(1)], [output(1)]);
    await expect(publisher.drain()).rejects.toThrow('broken');
  });
});
