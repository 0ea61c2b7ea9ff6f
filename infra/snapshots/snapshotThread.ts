import type { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Clock, Logger, Telemetry } from '../../pipeline/ports.ts';
import { endThread, startThread } from '../startThread.ts';

/** What the thread is started with. */
export interface SnapshotThreadData {
  /** The data folder, opened read-only but for its snapshots. */
  readonly dataDir: string;
  /** Snapshots kept. */
  readonly keep: number;
}

export interface SnapshotThreadOptions extends SnapshotThreadData {
  /** From one snapshot to the next, and the records after which it is taken before its time. */
  readonly everyMs: number;
  readonly records: number;
  readonly ledgerEndOffset: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'gauge'>;
}

const messageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('taken'),
    snapshot: z.object({ offset: z.number(), bytes: z.number(), writeSeconds: z.number(), catchUpSeconds: z.number() }),
  }),
  z.object({ kind: z.literal('failed'), code: z.string(), reason: z.string() }),
  z.object({ kind: z.literal('warn'), fields: z.record(z.string(), z.unknown()), message: z.string() }),
]);
export type SnapshotThreadMessage = z.infer<typeof messageSchema>;

const LOOK_MS = 1_000;
/** What is read again in no time at a start is not worth a snapshot, however long ago the last one was. */
const MIN_RECORDS = 1_000;
const STOP_TIMEOUT_MS = 2_000;

/**
 * Takes snapshots while Sluice runs, each in a thread that lives as long as it takes: it holds a second engine's state, and
 * between two snapshots nobody needs that.
 */
export class SnapshotThread {
  readonly #options: SnapshotThreadOptions;
  readonly #timer: NodeJS.Timeout;
  #worker: Worker | null = null;
  #lastOffset: number;
  #lastTryMs: number;

  /** `lastOffset` is that of the newest snapshot, 0 when there is none. */
  constructor(options: SnapshotThreadOptions, lastOffset: number) {
    this.#options = options;
    this.#lastOffset = lastOffset;
    this.#lastTryMs = options.clock();
    this.#timer = setInterval(() => {
      if (this.#worker === null && this.#isDue()) this.#start();
    }, LOOK_MS);
  }

  /** A snapshot under way is given up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const worker = this.#worker;
    if (worker !== null) await endThread(worker, 'stop', STOP_TIMEOUT_MS);
  }

  #isDue(): boolean {
    const { everyMs, records, clock, ledgerEndOffset } = this.#options;
    const newRecords = ledgerEndOffset() - this.#lastOffset;
    return newRecords >= records || (clock() - this.#lastTryMs >= everyMs && newRecords >= MIN_RECORDS);
  }

  #start(): void {
    const { dataDir, keep, clock } = this.#options;
    const workerData: SnapshotThreadData = { dataDir, keep };
    const worker = startThread(new URL('./snapshotThreadMain.js', import.meta.url), workerData);
    this.#worker = worker;
    worker.on('message', (message: unknown) => {
      this.#take(messageSchema.parse(message));
    });
    worker.on('error', (error) => {
      this.#failed('SLUICE_SNAPSHOT_THREAD', error instanceof Error ? error.message : String(error));
    });
    worker.on('exit', () => {
      this.#lastTryMs = clock();
      this.#worker = null;
    });
  }

  #take(message: SnapshotThreadMessage): void {
    const { telemetry, logger, clock } = this.#options;
    switch (message.kind) {
      case 'taken': {
        const { offset, bytes, writeSeconds, catchUpSeconds } = message.snapshot;
        this.#lastOffset = offset;
        telemetry.gauge('snapshotOffset', offset);
        telemetry.gauge('snapshotTimeSeconds', clock() / 1_000);
        telemetry.gauge('snapshotBytes', bytes);
        telemetry.gauge('snapshotSeconds', writeSeconds);
        logger.info({ offset, bytes, writeSeconds, catchUpSeconds }, 'snapshot taken');
        return;
      }
      case 'failed':
        this.#failed(message.code, message.reason);
        return;
      case 'warn':
        logger.warn(message.fields, message.message);
    }
  }

  /** Not tried again before as much has happened as for any other. */
  #failed(code: string, reason: string): void {
    const { logger, ledgerEndOffset } = this.#options;
    this.#lastOffset = ledgerEndOffset();
    logger.warn({ code, reason }, 'no snapshot could be taken');
  }
}
