import type { StoredRow, StoredRows, StoreName } from '../ports.ts';

/** A data folder in memory that a test changes as it likes. */
export class MemoryStoredRows implements StoredRows {
  readonly stores: Readonly<Record<StoreName, Map<number, Buffer>>> = {
    ledger: new Map(),
    decisions: new Map(),
    seals: new Map(),
  };
  readonly ids = new Map<string, number>();
  chainBegin: number | null = 0;

  extents(): ReturnType<StoredRows['extents']> {
    const extent = (store: StoreName): { readonly rows: number; readonly endOffset: number } => {
      const keys = [...this.stores[store].keys()];
      return { rows: keys.length, endOffset: Math.max(-1, ...keys.map(Math.floor)) + 1 };
    };
    return {
      ledger: extent('ledger'),
      decisions: extent('decisions'),
      seals: extent('seals'),
      chainBegin: this.chainBegin,
      ids: this.ids.size,
    };
  }

  read(store: StoreName, fromKey: number, toKey: number): readonly StoredRow[] {
    return [...this.stores[store]]
      .filter(([key]) => key >= fromKey && key < toKey)
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => ({ key, value }));
  }

  firstOffset(transactionId: string): number | undefined {
    return this.ids.get(transactionId);
  }
}
