import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type Key, type RootDatabase } from 'lmdb';
import type { StoredRow, StoredRows, StoreName } from '../../pipeline/ports.ts';
import { DataFolderError } from './dataFolderError.ts';
import { LmdbSeals } from './lmdbSeals.ts';

/** A data folder as it lies, for a check; it may run beside the writer. */
export class LmdbStoredRows implements StoredRows {
  readonly #environments: readonly RootDatabase[];
  readonly #stores: Readonly<Record<StoreName, Database<Buffer> | undefined>>;
  readonly #ids: Database<number, string>;
  readonly #seals: LmdbSeals;

  /** Throws DataFolderError when there is no data in the folder. */
  constructor(folder: string) {
    const [ledger, decisions] = ['ledger', 'decisions'].map((name) => {
      const path = join(folder, name);
      if (!existsSync(join(path, 'data.mdb')))
        throw new DataFolderError('SLUICE_DATA_MISSING', `There is no Sluice data in ${folder}.`);
      return open({ path, readOnly: true, encoding: 'binary', compression: false });
    });
    if (ledger === undefined || decisions === undefined) throw new Error('two environments were opened');
    this.#environments = [ledger, decisions];
    const named = (environment: RootDatabase, name: string): Database<Buffer> | undefined =>
      environment.openDB<Buffer, Key>({ name, encoding: 'binary' });
    this.#stores = {
      ledger: named(ledger, 'ledger'),
      decisions: named(decisions, 'decisions'),
      seals: named(decisions, 'seals'),
    };
    this.#ids = decisions.openDB<number, string>({ name: 'firstOffsets', encoding: 'ordered-binary' });
    this.#seals = new LmdbSeals(decisions);
  }

  extents(): ReturnType<StoredRows['extents']> {
    const [ledger, decisions] = this.#environments;
    // One read transaction of the decisions first, then the ledger's: what is decided is in the ledger by then.
    decisions?.resetReadTxn();
    const decided = { decisions: this.#extent('decisions'), seals: this.#extent('seals') };
    const ids = entriesOf(this.#ids);
    const chainBegin = this.#seals.begin();
    ledger?.resetReadTxn();
    return { ...decided, ids, chainBegin, ledger: this.#extent('ledger') };
  }

  read(store: StoreName, fromKey: number, toKey: number): readonly StoredRow[] {
    const rows: StoredRow[] = [];
    for (const { key, value } of this.#stores[store]?.getRange({ start: fromKey, end: toKey }) ?? [])
      if (typeof key === 'number') rows.push({ key, value });
    return rows;
  }

  firstOffset(transactionId: string): number | undefined {
    return this.#ids.get(transactionId);
  }

  async close(): Promise<void> {
    for (const environment of this.#environments) await environment.close();
  }

  #extent(store: StoreName): { readonly rows: number; readonly endOffset: number } {
    const database = this.#stores[store];
    if (database === undefined) return { rows: 0, endOffset: 0 };
    let endOffset = 0;
    // Keys of other types, which somebody put in, sort behind the numbers.
    for (const key of database.getKeys({ reverse: true, start: Number.MAX_VALUE, limit: 1 }))
      if (typeof key === 'number') endOffset = Math.max(0, Math.floor(key) + 1);
    return { rows: entriesOf(database), endOffset };
  }
}

/** lmdb's typing knows nothing of the statistics' shape. */
function entriesOf(database: { getStats(): unknown }): number {
  const statistics = database.getStats();
  const isCounted = typeof statistics === 'object' && statistics !== null && 'entryCount' in statistics;
  return isCounted ? Number(statistics.entryCount) : 0;
}
