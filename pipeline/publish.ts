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

/** Decisions that may wait for the disk before the engine does. */
const MAX_WAITING = 2_048;

/**
 * Makes decisions durable, and only then tells them: to the waiting request, the metrics and the live feed. Strictly in order, so
 * that a crash leaves no decision behind a hole; what comes while one commit is on its way shares the next.
 */
export class Publisher {
  readonly #services: PublishServices;
  #waiting: EngineOutput[] = [];
  #storing: Promise<void> | null = null;

  constructor(services: PublishServices) {
    this.#services = services;
  }

  /** Resolves when there is room for the next batch. Rejects when decisions could not be stored. */
  async publish(outputs: readonly EngineOutput[]): Promise<void> {
    this.#waiting.push(...outputs);
    if (this.#storing === null && this.#waiting.length > 0) {
      this.#storing = this.#storeAll();
      // Whoever awaits next sees the rejection: publish or drain.
      this.#storing.catch(() => undefined);
    }
    if (this.#waiting.length >= MAX_WAITING) await this.#storing;
  }

  /** Resolves when every decision is stored and told. */
  async drain(): Promise<void> {
    await this.#storing;
  }

  async #storeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const outputs = this.#waiting;
      this.#waiting = [];
      await this.#store(outputs);
    }
    this.#storing = null;
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
