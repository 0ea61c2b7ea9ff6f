import { setTimeout as sleep } from 'node:timers/promises';
import { codecs } from '../schemas/codec.ts';
import { decodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import { decodeSeal } from './chain/seal.ts';
import type { Challengers } from './challengers.ts';
import { featureColumns } from './featureColumns.ts';
import type {
  DecisionStore,
  FeatureColumns,
  History,
  HistoryBatch,
  HistoryRecord,
  Ledger,
  LedgerRow,
  Logger,
  Telemetry,
} from './ports.ts';

export interface HistoryWriterOptions {
  readonly ledger: Pick<Ledger, 'read' | 'endOffset'>;
  readonly decisions: Pick<DecisionStore, 'read' | 'seals' | 'chainBegin'>;
  readonly history: Pick<History, 'prepare' | 'position' | 'write' | 'modelPromotions'>;
  /** Null: challengers are not scored. */
  readonly challengers?: Challengers | null;
  readonly logger: Logger;
  readonly telemetry?: Pick<Telemetry, 'stage' | 'gauge'>;
  /** Records in a batch at most; default 10,000. */
  readonly maxRecords?: number;
  /** Bytes of ledger records and decisions in a batch at most, but always one record; default 32 MiB. */
  readonly maxBytes?: number;
  /** How long a record waits for others to share its batch; default 2 s: a batch costs about the same whatever its size. */
  readonly maxWaitMs?: number;
  /** Wait after the first failure, doubled after each further one up to the maximum; default 100 ms and 10 s. */
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** How long a write that is under way when the writer is stopped may take to end; default 3 s. */
  readonly stopWithinMs?: number;
}

export interface HistoryWriterState {
  /** away: history refuses or cannot be reached; the writer tries on, and the ledger keeps what it has missed. */
  readonly status: 'starting' | 'writing' | 'away' | 'stopped';
  /** Every record below this offset is in history. */
  readonly offset: number;
  /** Records in the ledger that are not in history yet. */
  readonly lagRecords: number;
  /** Why history is away. */
  readonly lastError: string | null;
}

const DEFAULTS = {
  maxRecords: 10_000,
  maxBytes: 32 * 1024 * 1024,
  maxWaitMs: 2_000,
  firstBackoffMs: 100,
  maxBackoffMs: 10_000,
  stopWithinMs: 3_000,
};

/** A batch, and the catalogues that were published in it: history must know them before it takes the batch. */
interface FormedBatch {
  readonly batch: HistoryBatch;
  readonly columns: readonly FeatureColumns[];
  /** Whether more records wait behind it. */
  readonly isFull: boolean;
}

/** What is stored of a run of records, by ledger offset. */
interface StoredDecisions {
  readonly decided: ReadonlyMap<number, Buffer>;
  readonly seals: ReadonlyMap<number, Buffer>;
  readonly chainBegin: number;
}

/**
 * Carries ledger records and decisions into history, at its own pace: history being slow or away delays nothing but
 * itself. It keeps no state that a crash could lose: where to go on is asked from history.
 */
export class HistoryWriter {
  readonly #options: HistoryWriterOptions & typeof DEFAULTS;
  #status: HistoryWriterState['status'] = 'starting';
  #offset = 0;
  #lastError: string | null = null;
  readonly #waiting = new Set<{
    readonly offset: number;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }>();

  constructor(options: HistoryWriterOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  state(): HistoryWriterState {
    return {
      status: this.#status,
      offset: this.#offset,
      lagRecords: Math.max(0, this.#options.ledger.endOffset() - this.#offset),
      lastError: this.#lastError,
    };
  }

  /** Resolves once every record below `offset` is in history; rejects when the writer is stopped before. */
  reached(offset: number): Promise<void> {
    if (this.#status === 'stopped') return Promise.reject(stoppedError());
    if (this.#offset >= offset && this.#status !== 'starting') return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.add({ offset, resolve, reject });
    });
  }

  /** Runs until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      const position = await this.#untilDone(signal, async () => {
        await this.#options.history.prepare([]);
        const position = await this.#options.history.position();
        const { challengers } = this.#options;
        challengers?.begin(await this.#options.history.modelPromotions(position.fromOffset));
        return position;
      });
      if (position !== undefined) await this.#follow(position, signal);
    } finally {
      this.#status = 'stopped';
      for (const { reject } of this.#waiting) reject(stoppedError());
      this.#waiting.clear();
    }
  }

  async #follow(
    position: { readonly fromOffset: number; readonly toOffset: number | null },
    signal: AbortSignal,
  ): Promise<void> {
    this.#advance(position.fromOffset);
    // A batch that was begun before is written again whole; its decisions are there, or it would not have been begun.
    let formed = await this.#untilDone(signal, () => this.#form(position.fromOffset, position.toOffset));
    while (!signal.aborted) {
      if (formed === undefined) {
        await this.#sleep(this.#options.maxWaitMs, signal);
        const begun = this.#offset === position.fromOffset ? position.toOffset : null;
        formed = await this.#untilDone(signal, () => this.#form(this.#offset, begun));
        continue;
      }
      const { batch, columns, isFull } = formed;
      const writing = this.#write(batch, columns, signal);
      // History works in another process: the next batch is decoded meanwhile. If that fails, it is tried again below.
      const ahead = isFull ? this.#form(batch.toOffset, null).catch(() => undefined) : Promise.resolve(undefined);
      [, formed] = await Promise.all([writing, ahead]);
    }
  }

  async #write(batch: HistoryBatch, columns: readonly FeatureColumns[], signal: AbortSignal): Promise<void> {
    const modelScores = (await this.#options.challengers?.score(batch)) ?? [];
    const startedMs = performance.now();
    const isWritten = await this.#untilDone(signal, async () => {
      if (columns.length > 0) await this.#options.history.prepare(columns);
      await this.#options.history.write({ ...batch, modelScores });
      return true;
    });
    if (isWritten === undefined) return;
    this.#options.telemetry?.stage('historyWrite', performance.now() - startedMs);
    this.#advance(batch.toOffset);
  }

  #advance(offset: number): void {
    this.#offset = offset;
    const { telemetry, ledger } = this.#options;
    telemetry?.gauge('historyOffset', offset);
    telemetry?.gauge('historyLagRecords', Math.max(0, ledger.endOffset() - offset));
    for (const waiter of this.#waiting) {
      if (waiter.offset > offset) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /**
   * The next batch: up to the limits, but never past the first record that is not sealed, nor past a payment without a stored
   * decision. With `toOffset` exactly up to it. Undefined when there is nothing to write yet.
   */
  async #form(fromOffset: number, toOffset: number | null): Promise<FormedBatch | undefined> {
    const { ledger, decisions, maxRecords } = this.#options;
    const endOffset = ledger.endOffset();
    if (Math.max(fromOffset, toOffset ?? 0) > endOffset) {
      throw new Error(
        `SLUICE_HISTORY_AHEAD: history goes on at ledger offset ${toOffset ?? fromOffset}, but the ledger ends at ` +
          `${endOffset}: it is another ledger's history. Use the ledger it belongs to, or an empty ClickHouse database`,
      );
    }
    const wanted = toOffset === null ? maxRecords : toOffset - fromOffset;
    const rows = await this.#readRows(fromOffset, wanted);
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    const chainBegin = decisions.chainBegin();
    // Until the engine's start has said so, nobody knows which records will be sealed.
    if (chainBegin === null) return undefined;
    // Before the decisions, which are stored together with their seals: what has a seal then has its decision.
    const seals = new Map<number, Buffer>();
    for (const { ledgerOffset, value } of await decisions.seals(fromOffset, last.offset + 1)) {
      seals.set(ledgerOffset, value);
    }
    const decided = new Map<number, Buffer>();
    for (const { ledgerOffset, value } of await decisions.read(fromOffset, last.offset + 1)) {
      decided.set(ledgerOffset, value);
    }
    const formed = this.#decode(rows, { decided, seals, chainBegin }, toOffset === null);
    if (toOffset !== null && formed?.batch.toOffset !== toOffset) return undefined;
    return formed;
  }

  async #readRows(fromOffset: number, count: number): Promise<readonly LedgerRow[]> {
    const rows: LedgerRow[] = [];
    while (rows.length < count) {
      const more = await this.#options.ledger.read(fromOffset + rows.length, count - rows.length);
      if (more.length === 0) break;
      rows.push(...more);
    }
    return rows;
  }

  #decode(
    rows: readonly LedgerRow[],
    { decided, seals, chainBegin }: StoredDecisions,
    isBounded: boolean,
  ): FormedBatch | undefined {
    const records: HistoryRecord[] = [];
    const columns: FeatureColumns[] = [];
    let bytes = 0;
    let isFull = rows.length >= this.#options.maxRecords;
    for (const { offset, value } of rows) {
      const { ingestTimeMs, source, ...event } = decodeLedgerRecord(value);
      const decision = decided.get(offset);
      const seal = seals.get(offset);
      const isSealed = seal !== undefined || offset < chainBegin;
      if (!isSealed || (event.kind === 'transaction' && decision === undefined)) {
        isFull = false;
        break;
      }
      bytes += value.length + (decision?.length ?? 0);
      if (isBounded && bytes > this.#options.maxBytes && records.length > 0) {
        isFull = true;
        break;
      }
      if (event.kind === 'ruleSetPublication') {
        const published = featureColumns(event.event.content);
        if (published !== null) columns.push(published);
      }
      records.push({
        offset,
        ingestTimeMs,
        source,
        event,
        value,
        decision: decision === undefined ? null : codecs.decision.decode(decision),
        seal: seal === undefined ? null : (decodeSeal(offset, seal) ?? null),
      });
    }
    const [first] = records;
    if (first === undefined) return undefined;
    return {
      batch: { fromOffset: first.offset, toOffset: first.offset + records.length, records },
      columns,
      isFull,
    };
  }

  /** Tries for ever, and says so once per change. Undefined when the writer was stopped first. */
  async #untilDone<T>(signal: AbortSignal, operation: () => Promise<T>): Promise<T | undefined> {
    for (let backoffMs = this.#options.firstBackoffMs; !signal.aborted;) {
      try {
        const result = await this.#orStopped(operation(), signal);
        if (this.#status === 'away') this.#options.logger.info({ offset: this.#offset }, 'history is back');
        this.#status = 'writing';
        this.#lastError = null;
        return result;
      } catch (error) {
        if (isStopped(signal)) return undefined;
        this.#lastError = error instanceof Error ? error.message : String(error);
        if (this.#status !== 'away') {
          this.#options.logger.warn(
            { offset: this.#offset, reason: this.#lastError },
            'history is away; the ledger keeps what it misses until it is back',
          );
        }
        this.#status = 'away';
        await this.#sleep(backoffMs, signal);
        backoffMs = Math.min(2 * backoffMs, this.#options.maxBackoffMs);
      }
    }
    return undefined;
  }

  /** Waits for `result`, but once stopped no longer than the limit: history can be left at any point of a write. */
  async #orStopped<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
    const limit = new AbortController();
    const stopped = new Promise<never>((_resolve, reject) => {
      const onAbort = (): void => {
        sleep(this.#options.stopWithinMs, undefined, { signal: limit.signal }).then(
          () => {
            reject(stoppedError());
          },
          // The result came in time.
          () => undefined,
        );
      };
      signal.addEventListener('abort', onAbort, { signal: limit.signal });
    });
    try {
      return await Promise.race([result, stopped]);
    } finally {
      limit.abort();
    }
  }

  async #sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(durationMs, undefined, { signal });
    } catch {
      // Stopped: whoever sleeps looks at the signal next.
    }
  }
}

/** A function, because the compiler takes `aborted` for what it was before the await. */
function isStopped(signal: AbortSignal): boolean {
  return signal.aborted;
}

function stoppedError(): Error {
  return new Error('SLUICE_HISTORY_STOPPED: the history writer was stopped; history goes on at the next start');
}
