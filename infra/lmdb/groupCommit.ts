import { statfs } from 'node:fs/promises';
import type { RootDatabase } from 'lmdb';
import { LedgerUnavailableError } from '../../pipeline/ports.ts';
import { commitFault } from './storageFault.ts';

export interface CommitLimits {
  /** Records that may wait for a commit; more are refused with SLUICE_LEDGER_BUSY. */
  readonly maxQueuedRecords: number;
  /** Bytes that may wait for a commit; more are refused with SLUICE_LEDGER_BUSY. */
  readonly maxQueuedBytes: number;
  /** Records in one commit, unless a single call has more. */
  readonly maxCommitRecords: number;
  /** Bytes in one commit, unless a single call has more. */
  readonly maxCommitBytes: number;
}

export const DEFAULT_COMMIT_LIMITS: CommitLimits = {
  maxQueuedRecords: 200_000,
  maxQueuedBytes: 128 * 1024 * 1024,
  maxCommitRecords: 8_192,
  maxCommitBytes: 8 * 1024 * 1024,
};

/** What a store does with a commit. Both run on the calling thread. */
export interface CommitSteps<Work, Result> {
  /** Writes the works inside the open transaction and gives one result each. */
  write(works: readonly Work[]): readonly Result[];
  /** The transaction is on disk. */
  committed(): void;
  /** The transaction failed. False: part of it is visible, so the store can no longer be trusted. */
  rolledBack(): boolean;
}

interface Waiting<Work, Result> {
  readonly work: Work;
  readonly records: number;
  readonly bytes: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: LedgerUnavailableError) => void;
}

// Room LMDB needs beyond the values: branch pages, its free list, the meta pages.
const PAGE_OVERHEAD_BYTES = 256 * 1024;

/**
 * Group commit on one LMDB environment: works queue while a commit is being flushed and share the next one. A promise
 * resolves when its commit is on disk. A commit that fails rejects exactly the works in it; later works are tried anew.
 */
export class GroupCommit<Work, Result> {
  readonly #environment: RootDatabase;
  readonly #folder: string;
  readonly #limits: CommitLimits;
  readonly #steps: CommitSteps<Work, Result>;
  #queue: Waiting<Work, Result>[] = [];
  #queuedRecords = 0;
  #queuedBytes = 0;
  #running: Promise<void> | null = null;
  #closed = false;
  #broken: string | null = null;
  #full = false;

  constructor(environment: RootDatabase, folder: string, limits: CommitLimits, steps: CommitSteps<Work, Result>) {
    this.#environment = environment;
    this.#folder = folder;
    this.#limits = limits;
    this.#steps = steps;
  }

  submit(work: Work, records: number, bytes: number): Promise<Result> {
    if (this.#closed)
      return Promise.reject(new LedgerUnavailableError('SLUICE_LEDGER_CLOSED', 'The data folder is closed.'));
    if (this.#broken !== null) return Promise.reject(new LedgerUnavailableError('SLUICE_LEDGER_FAILED', this.#broken));
    const { maxQueuedRecords, maxQueuedBytes } = this.#limits;
    if (this.#queuedRecords + records > maxQueuedRecords || this.#queuedBytes + bytes > maxQueuedBytes) {
      const message =
        `${this.#queuedRecords} records (${this.#queuedBytes} bytes) already wait to be written, the limit is ` +
        `${maxQueuedRecords} records (${maxQueuedBytes} bytes). Try again later.`;
      return Promise.reject(new LedgerUnavailableError('SLUICE_LEDGER_BUSY', message));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, records, bytes, resolve, reject });
      this.#queuedRecords += records;
      this.#queuedBytes += bytes;
      this.#running ??= this.#run();
    });
  }

  /** Writes what waits, then refuses. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // The caller may have more to submit in this turn.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      if (this.#broken === null) await this.#commitOnce();
      else this.#refuse(this.#take(), new LedgerUnavailableError('SLUICE_LEDGER_FAILED', this.#broken));
    }
    this.#running = null;
  }

  async #commitOnce(): Promise<void> {
    if (this.#full && !(await this.#hasRoomFor(Math.min(this.#queuedBytes, this.#limits.maxCommitBytes)))) {
      this.#refuse(this.#take(), fullError(this.#folder, 'the disk is still full'));
      return;
    }
    // Taken inside the transaction: whoever comes while the writer thread gets ready is still on board.
    let taken: Waiting<Work, Result>[] = [];
    try {
      const results = await this.#environment.transaction(() => {
        taken = this.#take();
        return this.#steps.write(taken.map((waiting) => waiting.work));
      });
      this.#full = false;
      this.#steps.committed();
      for (const [index, waiting] of taken.entries()) {
        const result = results[index];
        if (result === undefined) throw new Error('a commit gave fewer results than it had works');
        waiting.resolve(result);
      }
    } catch (error) {
      const fault = await commitFault(error);
      if (taken.length === 0) taken = this.#take();
      const bytes = taken.reduce((sum, waiting) => sum + waiting.bytes, 0);
      this.#full = fault.outOfSpace || (fault.inputOutput && !(await this.#hasRoomFor(bytes)));
      if (!this.#steps.rolledBack()) {
        this.#broken = `Writing to ${this.#folder} failed half way: ${fault.message}. Restart Sluice.`;
        this.#refuse(taken, new LedgerUnavailableError('SLUICE_LEDGER_FAILED', this.#broken));
        return;
      }
      this.#refuse(
        taken,
        this.#full
          ? fullError(this.#folder, fault.outOfSpace ? fault.message : 'the disk is full')
          : new LedgerUnavailableError('SLUICE_LEDGER_FAILED', `${this.#folder}: ${fault.message}`),
      );
    }
  }

  #take(): Waiting<Work, Result>[] {
    let records = 0;
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      records += waiting.records;
      bytes += waiting.bytes;
      if (count > 0 && (records > this.#limits.maxCommitRecords || bytes > this.#limits.maxCommitBytes)) break;
      this.#queuedRecords -= waiting.records;
      this.#queuedBytes -= waiting.bytes;
      count++;
    }
    const taken = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return taken;
  }

  #refuse(taken: readonly Waiting<Work, Result>[], error: LedgerUnavailableError): void {
    for (const waiting of taken) waiting.reject(error);
  }

  // lmdb prints every failed write; a full disk is asked about instead of tried again.
  async #hasRoomFor(bytes: number): Promise<boolean> {
    try {
      const disk = await statfs(this.#folder);
      return disk.bavail * disk.bsize >= bytes * 2 + PAGE_OVERHEAD_BYTES;
    } catch {
      return true;
    }
  }
}

function fullError(folder: string, cause: string): LedgerUnavailableError {
  return new LedgerUnavailableError(
    'SLUICE_LEDGER_FULL',
    `No room left to write to ${folder} (${cause}). Nothing was written; free some space and it goes on by itself.`,
  );
}
