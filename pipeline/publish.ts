import { setTimeout } from 'node:timers/promises';
import { codecs } from '../schemas/codec.ts';
import type { EngineOutput } from './engine/engine.ts';
import type { PendingVerdicts } from './ingest/pendingVerdicts.ts';
import { LedgerUnavailableError } from './ports.ts';
import type { Clock, DecisionRow, DecisionStore, LiveDecision, Telemetry } from './ports.ts';

export interface PublishServices {
  readonly decisions: DecisionStore;
  readonly pending: PendingVerdicts;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** The live feed; costs next to nothing. */
  readonly show: (decision: LiveDecision) => void;
}

/**
 * Makes decisions durable, and only then tells them: to the waiting request, the metrics and the live feed. Batches may
 * overlap, at most `maxInFlight` of them, so that the engine works while a commit is on its way to the disk.
 */
export class Publisher {
  readonly #services: PublishServices;
  readonly #maxInFlight: number;
  readonly #inFlight = new Set<Promise<void>>();

  constructor(services: PublishServices, maxInFlight = 4) {
    this.#services = services;
    this.#maxInFlight = maxInFlight;
  }

  /** Resolves when there is room for the next batch. Rejects when an earlier batch could not be stored. */
  async publish(outputs: readonly EngineOutput[]): Promise<void> {
    if (outputs.length === 0) return;
    const storing = this.#store(outputs);
    this.#inFlight.add(storing);
    // The rejection is seen by whoever awaits next: publish or drain.
    storing.then(
      () => this.#inFlight.delete(storing),
      () => undefined,
    );
    if (this.#inFlight.size >= this.#maxInFlight) await Promise.race(this.#inFlight);
  }

  /** Resolves when every batch is stored and told. */
  async drain(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  async #store(outputs: readonly EngineOutput[]): Promise<void> {
    const { decisions, pending, telemetry, clock, show } = this.#services;
    const startMs = performance.now();
    const rows = outputs.map(({ decision }) => ({
      ledgerOffset: decision.ledgerOffset,
      transactionId: decision.transactionId,
      isFirst: decision.status === 'new',
      value: codecs.decision.encode(decision),
    }));
    await putUntilStored(decisions, rows);
    telemetry.stage('store', performance.now() - startMs);
    const nowMs = clock();
    for (const { decision, transaction, ingestTimeMs } of outputs) {
      pending.settle(decision.transactionId, decision);
      telemetry.decision(decision, Math.max(0, nowMs - ingestTimeMs));
      if (decision.late) telemetry.late();
      show({
        ledgerOffset: decision.ledgerOffset,
        transactionId: decision.transactionId,
        eventTimeMs: transaction.eventTimeMs,
        verdict: decision.verdict,
        score: decision.score,
        mode: decision.mode,
        amountMinor: transaction.amountMinor,
        currency: transaction.currency,
        merchant: transaction.merchant,
        channel: transaction.channel,
        reasons: decision.reasons,
      });
    }
  }
}

const RETRY_MS = 200;

/**
 * A full disk must not lose a decision: it is tried again until there is room. Meanwhile new payments are refused by the
 * ledger, which is on the same disk, and those already in it wait.
 */
async function putUntilStored(decisions: DecisionStore, rows: readonly DecisionRow[]): Promise<void> {
  for (;;) {
    try {
      await decisions.put(rows);
      return;
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError) || error.code === 'SLUICE_LEDGER_CLOSED') throw error;
      await setTimeout(RETRY_MS);
    }
  }
}
