import type { Ledger, LedgerRow, TailOptions } from '../ports.ts';
import { LedgerUnavailableError } from '../ports.ts';

/** A ledger in memory, for tests. Commits in the next microtask, so that a test needs no waiting. */
export class MemoryLedger implements Ledger {
  readonly #records: Buffer[];
  readonly #maxQueuedRecords: number;
  readonly #sleepers = new Set<() => void>();
  #queuedRecords = 0;
  #closed = false;
  #lastCommit: Promise<unknown> = Promise.resolve();

  /** Ledgers over the same `records`, one after the other, stand for one ledger that is closed and opened again. */
  constructor(records: Buffer[] = [], maxQueuedRecords = Infinity) {
    this.#records = records;
    this.#maxQueuedRecords = maxQueuedRecords;
  }

  append(values: readonly Buffer[]): Promise<number> {
    if (this.#closed) return Promise.reject(closedError());
    if (values.length === 0) return Promise.reject(new RangeError('append needs at least one value'));
    if (values.some((value) => value.length === 0))
      return Promise.reject(new RangeError('a ledger value cannot be empty'));
    if (this.#queuedRecords + values.length > this.#maxQueuedRecords)
      return Promise.reject(new LedgerUnavailableError('SLUICE_LEDGER_BUSY', 'Too many records wait to be written.'));
    this.#queuedRecords += values.length;
    const commit = this.#lastCommit.then(() => {
      const offset = this.#records.length;
      for (const value of values) this.#records.push(Buffer.from(value));
      this.#queuedRecords -= values.length;
      this.#wakeAll();
      return offset;
    });
    this.#lastCommit = commit;
    return commit;
  }

  endOffset(): number {
    return this.#records.length;
  }

  read(fromOffset: number, maxRecords: number): Promise<readonly LedgerRow[]> {
    if (this.#closed) return Promise.reject(closedError());
    const values = this.#records.slice(fromOffset, fromOffset + maxRecords);
    return Promise.resolve(values.map((value, index) => ({ offset: fromOffset + index, value: Buffer.from(value) })));
  }

  async *tail(fromOffset: number, options: TailOptions): AsyncGenerator<readonly LedgerRow[], void, undefined> {
    let nextOffset = fromOffset;
    while (!options.signal.aborted && !this.#closed) {
      const rows = await this.read(nextOffset, options.maxRecords);
      nextOffset += rows.length;
      if (rows.length > 0) yield rows;
      else await this.#sleep(nextOffset, options.signal);
    }
  }

  async close(): Promise<void> {
    await this.#lastCommit;
    this.#closed = true;
    this.#wakeAll();
  }

  async #sleep(nextOffset: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (signal.aborted || this.#closed || this.#records.length > nextOffset) {
        resolve();
        return;
      }
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#sleepers.delete(wake);
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.#sleepers.add(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#sleepers]) wake();
  }
}

function closedError(): LedgerUnavailableError {
  return new LedgerUnavailableError('SLUICE_LEDGER_CLOSED', 'The ledger is closed.');
}
