import { codecs } from '../schemas/codec.ts';
import type { Decision } from '../schemas/types.ts';
import { sealRows, type SealChain } from './chain/sealChain.ts';
import type { EngineOutput } from './engine/engine.ts';
import type { PendingVerdicts } from './ingest/pendingVerdicts.ts';
import { LedgerUnavailableError } from './ports.ts';
import type { Clock, DecisionRow, DecisionStore, LedgerRow, LiveDecision, SealRow, Telemetry, Timer } from './ports.ts';

export interface PublishServices {
  readonly decisions: DecisionStore;
  readonly pending: PendingVerdicts;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Of attempts to store what the disk did not take. */
  readonly timer: Timer;
  /** The live feed; costs next to nothing. */
  readonly show: (decision: LiveDecision) => void;
  /** Told of every stored decision. */
  readonly observe: (decision: Decision) => void;
}

/** Records that may wait for the disk before the engine does. */
const MAX_WAITING = 2_048;

/**
 * Makes decisions durable, sealed in the chain of hashes with all records between them, and only then tells them: to the
 * waiting request, the metrics and the live feed. Strictly in order, so that a crash leaves no decision behind a hole; what comes
 * while one commit is on its way shares the next.
 */
export class Publisher {
  readonly #services: PublishServices;
  #chain: SealChain | null = null;
  #rows: LedgerRow[] = [];
  #waiting: EngineOutput[] = [];
  #storing: Promise<void> | null = null;

  constructor(services: PublishServices) {
    this.#services = services;
  }

  /** Goes on with this chain; before anything is published. */
  resume(chain: SealChain): void {
    this.#chain = chain;
  }

  /** The records that the engine has taken, and its decisions on them. Resolves when there is room for the next. */
  async publish(rows: readonly LedgerRow[], outputs: readonly EngineOutput[]): Promise<void> {
    this.#rows.push(...rows);
    this.#waiting.push(...outputs);
    if (this.#storing === null && this.#rows.length > 0) {
      this.#storing = this.#storeAll();
      // Whoever awaits next sees the rejection: publish or drain.
      this.#storing.catch(() => undefined);
    }
    if (this.#rows.length >= MAX_WAITING) await this.#storing;
  }

  /** Resolves when every decision is stored and told. */
  async drain(): Promise<void> {
    await this.#storing;
  }

  async #storeAll(): Promise<void> {
    while (this.#rows.length > 0) {
      const rows = this.#rows;
      const outputs = this.#waiting;
      this.#rows = [];
      this.#waiting = [];
      await this.#store(rows, outputs);
    }
    this.#storing = null;
  }

  async #store(rows: readonly LedgerRow[], outputs: readonly EngineOutput[]): Promise<void> {
    const { decisions, pending, telemetry, clock, timer, show, observe } = this.#services;
    const startMs = performance.now();
    const decided = outputs.map(({ decision }) => ({
      ledgerOffset: decision.ledgerOffset,
      transactionId: decision.transactionId,
      isFirst: decision.status === 'new',
      value: codecs.decision.encode(decision),
    }));
    await putUntilStored(decisions, decided, this.#seal(rows, decided), timer);
    telemetry.stage('store', performance.now() - startMs);
    const nowMs = clock();
    for (const { decision, transaction, ingestTimeMs } of outputs) {
      pending.settle(decision.transactionId, decision);
      telemetry.decision(decision, Math.max(0, nowMs - ingestTimeMs));
      observe(decision);
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

  #seal(rows: readonly LedgerRow[], decided: readonly DecisionRow[]): readonly SealRow[] {
    if (this.#chain === null) throw new Error('decisions were published before their chain was resumed');
    return sealRows(this.#chain, rows, new Map(decided.map(({ ledgerOffset, value }) => [ledgerOffset, value])));
  }
}

const RETRY_MS = 200;

/**
 * A full disk must not lose a decision: it is tried again until there is room. Meanwhile new payments are refused by the
 * ledger, which is on the same disk, and those already in it wait.
 */
async function putUntilStored(
  decisions: DecisionStore,
  rows: readonly DecisionRow[],
  seals: readonly SealRow[],
  timer: Timer,
): Promise<void> {
  for (;;) {
    try {
      await decisions.put(rows, seals);
      return;
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError) || error.code === 'SLUICE_LEDGER_CLOSED') throw error;
      await new Promise<void>((resolve) => {
        timer(RETRY_MS, resolve);
      });
    }
  }
}
