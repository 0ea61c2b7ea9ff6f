import { rm } from 'node:fs/promises';
import type { Worker } from 'node:worker_threads';
import { StatePartsInput, type StatePart } from '../../operators/stateParts.ts';
import type { StateInput } from '../../operators/savedState.ts';
import type { BackfillRun, BackfillRunner } from '../../pipeline/ports.ts';
import { endThread, exitOf, startThread } from '../startThread.ts';
import type { ReservoirFolder } from '../reservoir/reservoirFolder.ts';

/** What the thread is started with. */
export interface BackfillThreadData {
  /** The data folder, opened read-only. */
  readonly dataDir: string;
  /** Where the events go that the features keep outside the memory. */
  readonly storageFolder: string;
  /** Canonical JSON of the configuration whose catalogue's state is built. */
  readonly configuration: string;
}

export type BackfillThreadMessage =
  | { readonly kind: 'progress'; readonly nextOffset: number }
  | { readonly kind: 'state'; readonly parts: readonly StatePart[] };

/** After that, a thread that does not end when it is asked to is cut off. */
const END_TIMEOUT_MS = 2_000;

/** Builds feature states in a thread of its own, at low priority, from the ledger of a data folder. */
export class BackfillThreads implements BackfillRunner {
  readonly #dataDir: string;
  readonly #reservoirs: ReservoirFolder;

  constructor(dataDir: string, reservoirs: ReservoirFolder) {
    this.#dataDir = dataDir;
    this.#reservoirs = reservoirs;
  }

  start(configuration: string): BackfillRun {
    return new BackfillThread({
      dataDir: this.#dataDir,
      storageFolder: this.#reservoirs.reserve(),
      configuration,
    });
  }
}

class BackfillThread implements BackfillRun {
  readonly failed: Promise<never>;
  readonly #worker: Worker;
  readonly #storageFolder: string;
  readonly #parts: Promise<readonly StatePart[]>;
  readonly #exited: Promise<void>;
  #nextOffset = 0;

  constructor(workerData: BackfillThreadData) {
    const worker = startThread(new URL('./backfillThreadMain.js', import.meta.url), workerData);
    this.#worker = worker;
    this.#storageFolder = workerData.storageFolder;
    this.#exited = exitOf(worker);
    this.#parts = new Promise((resolve) => {
      worker.on('message', (message: BackfillThreadMessage) => {
        if (message.kind === 'progress') this.#nextOffset = message.nextOffset;
        else resolve(message.parts);
      });
    });
    this.failed = new Promise((_resolve, reject) => {
      worker.on('error', (error) => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
      worker.on('exit', (code) => {
        reject(new Error(`SLUICE_BACKFILL_ENDED: the thread that builds the features ended early (${code})`));
      });
    });
    // Whoever waits for the run races it; after the hand-over nobody does.
    this.failed.catch(() => undefined);
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  async handOver(): Promise<StateInput> {
    this.#worker.postMessage('handOver');
    return new StatePartsInput(await Promise.race([this.#parts, this.failed]));
  }

  async end(): Promise<void> {
    await endThread(this.#worker, 'end', END_TIMEOUT_MS, this.#exited);
    // What cannot be removed now is removed at the next start.
    await rm(this.#storageFolder, { recursive: true, force: true }).catch(() => undefined);
  }
}
