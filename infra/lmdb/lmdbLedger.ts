import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database, RootDatabase } from 'lmdb';
import type { Ledger, LedgerRow, TailOptions } from '../../pipeline/ports.ts';
import { LedgerUnavailableError } from '../../pipeline/ports.ts';
import { GroupCommit } from './groupCommit.ts';
import type { CommitLimits } from './groupCommit.ts';

export interface LmdbLedgerOptions {
  readonly folder: string;
  readonly readOnly: boolean;
  readonly limits: CommitLimits;
  /** How often a read-only ledger looks for new records when its tail has reached the end. */
  readonly pollMs: number;
}

/**
 * The ledger in one LMDB database: key = offset, value = the record. Records become visible when they are on disk,
 * never before. A read-only ledger follows a writer in another thread or process by polling.
 */
export class LmdbLedger implements Ledger {
  readonly #environment: RootDatabase;
  readonly #database: Database<Buffer, number>;
  readonly #options: LmdbLedgerOptions;
  readonly #commits: GroupCommit<readonly Buffer[], number> | null;
  readonly #sleepers = new Set<() => void>();
  #endOffset: number;
  #nextEndOffset: number;
  #closed = false;

  constructor(environment: RootDatabase, options: LmdbLedgerOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#database = environment.openDB<Buffer, number>({ name: 'ledger', encoding: 'binary' });
    this.#endOffset = this.#readEndOffset();
    this.#nextEndOffset = this.#endOffset;
    this.#commits = options.readOnly
      ? null
      : new GroupCommit(environment, options.folder, options.limits, {
          write: (works) => this.#write(works),
          committed: () => {
            this.#endOffset = this.#nextEndOffset;
            this.#wakeAll();
          },
          rolledBack: () => this.#readEndOffset() === this.#endOffset,
        });
  }

  async append(values: readonly Buffer[]): Promise<number> {
    if (this.#commits === null)
      throw new LedgerUnavailableError('SLUICE_LEDGER_CLOSED', `${this.#options.folder} is open for reading only.`);
    if (values.length === 0) throw new RangeError('append needs at least one value');
    let bytes = 0;
    for (const value of values) {
      if (value.length === 0) throw new RangeError('a ledger value cannot be empty');
      bytes += value.length;
    }
    return await this.#commits.submit(values, values.length, bytes);
  }

  endOffset(): number {
    if (this.#options.readOnly && !this.#closed) this.#endOffset = this.#readEndOffset();
    return this.#endOffset;
  }

  async read(fromOffset: number, maxRecords: number): Promise<readonly LedgerRow[]> {
    if (this.#closed) throw new LedgerUnavailableError('SLUICE_LEDGER_CLOSED', 'The ledger is closed.');
    const limit = Math.min(maxRecords, this.endOffset() - fromOffset);
    if (limit <= 0) return [];
    const rows: LedgerRow[] = [];
    let expectedOffset = fromOffset;
    for (const { key, value } of this.#database.getRange({ start: fromOffset, limit })) {
      if (key !== expectedOffset) break;
      rows.push({ offset: key, value });
      expectedOffset++;
    }
    if (rows.length !== limit)
      throw new Error(`SLUICE_LEDGER_CORRUPT: record ${expectedOffset} is missing in ${this.#options.folder}`);
    return rows;
  }

  async *tail(fromOffset: number, options: TailOptions): AsyncGenerator<readonly LedgerRow[], void, undefined> {
    let nextOffset = fromOffset;
    while (!options.signal.aborted && !this.#closed) {
      const rows = await this.read(nextOffset, options.maxRecords);
      if (rows.length === 0) {
        await this.#sleep(nextOffset, options.signal);
        continue;
      }
      nextOffset += rows.length;
      yield rows;
      // A reader far behind must not keep the event loop to itself.
      if (rows.length === options.maxRecords) await nextTurn();
    }
  }

  /** Writes what waits, ends every tail. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#commits?.close();
    this.#closed = true;
    this.#wakeAll();
    await this.#environment.close();
  }

  #write(works: readonly (readonly Buffer[])[]): readonly number[] {
    let offset = this.#endOffset;
    const firstOffsets: number[] = [];
    for (const values of works) {
      firstOffsets.push(offset);
      for (const value of values) {
        // append: pages are filled to the brim, since keys only rise.
        this.#database.putSync(offset, value, { append: true });
        offset++;
      }
    }
    this.#nextEndOffset = offset;
    return firstOffsets;
  }

  #readEndOffset(): number {
    this.#database.resetReadTxn();
    for (const offset of this.#database.getKeys({ reverse: true, limit: 1 })) return offset + 1;
    return 0;
  }

  async #sleep(nextOffset: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      // Records may have come between the read and now.
      if (signal.aborted || this.#closed || this.#endOffset > nextOffset) {
        resolve();
        return;
      }
      const wake = (): void => {
        clearTimeout(poll);
        signal.removeEventListener('abort', wake);
        this.#sleepers.delete(wake);
        resolve();
      };
      const poll = this.#options.readOnly ? setTimeout(wake, this.#options.pollMs) : undefined;
      signal.addEventListener('abort', wake);
      this.#sleepers.add(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#sleepers]) wake();
  }
}
