import type { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { HistoryWriterState } from '../../pipeline/history.ts';
import type { Logger, Telemetry } from '../../pipeline/ports.ts';
import { endThread, startThread } from '../startThread.ts';
import { MAX_DRIFT_LINES, type DriftMetrics } from './driftWatch.ts';

/** What the thread is started with. */
export interface HistoryThreadData {
  /** The data folder, opened read-only. */
  readonly dataDir: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly batchRecords: number;
}

export interface HistoryThreadOptions extends HistoryThreadData {
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'stage' | 'gauge' | 'challenged'> & DriftMetrics;
}

const stateSchema = z.object({
  status: z.enum(['starting', 'writing', 'away', 'stopped']),
  offset: z.number(),
  lagRecords: z.number(),
  lastError: z.string().nullable(),
});

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('state'), state: stateSchema }),
  z.object({ kind: z.literal('written'), durationMs: z.number() }),
  z.object({ kind: z.literal('challenged'), model: z.string(), scored: z.number(), skipped: z.number() }),
  z.object({
    kind: z.literal('drift'),
    lines: z
      .array(z.object({ model: z.string(), feature: z.string(), psi: z.number(), payments: z.number() }))
      .max(MAX_DRIFT_LINES),
  }),
  z.object({
    kind: z.literal('log'),
    level: z.enum(['info', 'warn']),
    fields: z.record(z.string(), z.unknown()),
    message: z.string(),
  }),
]);
export type HistoryThreadMessage = z.infer<typeof messageSchema>;

const STOP_TIMEOUT_MS = 4_000;
const RESTART_MS = 1_000;
const POLL_MS = 20;

/**
 * The history writer in a thread of its own: encoding rows for ClickHouse costs more than deciding on them, and must not hold
 * up a verdict. A thread that dies is started again; it finds its place in the history itself.
 */
export class HistoryThread {
  readonly #options: HistoryThreadOptions;
  #worker: Worker | null = null;
  #isStopping = false;
  #state: HistoryWriterState = { status: 'starting', offset: 0, lagRecords: 0, lastError: null };

  constructor(options: HistoryThreadOptions) {
    this.#options = options;
    this.#start();
  }

  state(): HistoryWriterState {
    return this.#state;
  }

  /** Resolves once every record below `offset` is in history. */
  async reached(offset: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (this.#state.offset < offset || this.#state.status === 'starting')) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Lets the write under way end, for a bounded time. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const worker = this.#worker;
    if (worker === null) return;
    await endThread(worker, 'stop', STOP_TIMEOUT_MS);
    this.#state = { ...this.#state, status: 'stopped' };
  }

  #start(): void {
    const { dataDir, url, username, password, batchRecords, logger } = this.#options;
    const workerData: HistoryThreadData = { dataDir, url, username, password, batchRecords };
    const worker = startThread(new URL('./historyThreadMain.js', import.meta.url), workerData);
    this.#worker = worker;
    worker.on('message', (message: unknown) => {
      this.#take(messageSchema.parse(message));
    });
    worker.on('error', (error) => {
      logger.warn({ reason: error.message }, 'the history thread failed and is started again');
    });
    worker.on('exit', () => {
      this.#worker = null;
      if (this.#isStopping) return;
      setTimeout(() => {
        if (!this.#isStopping) this.#start();
      }, RESTART_MS);
    });
  }

  #take(message: HistoryThreadMessage): void {
    const { telemetry, logger } = this.#options;
    switch (message.kind) {
      case 'state':
        this.#state = message.state;
        telemetry.gauge('historyOffset', message.state.offset);
        telemetry.gauge('historyLagRecords', message.state.lagRecords);
        return;
      case 'written':
        telemetry.stage('historyWrite', message.durationMs);
        return;
      case 'challenged':
        telemetry.challenged(message.model, message.scored, message.skipped);
        return;
      case 'drift':
        telemetry.drift(message.lines);
        return;
      case 'log':
        logger[message.level](message.fields, message.message);
    }
  }
}
