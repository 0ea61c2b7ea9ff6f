import type { Database, RootDatabase } from 'lmdb';
import type { SealRow } from '../../pipeline/ports.ts';

const BEGIN = 'begin';

/** The seals of the chain by ledger offset, and where it begins, in the decisions' environment. */
export class LmdbSeals {
  readonly #environment: RootDatabase;
  #seals: Database<Buffer, number> | undefined;
  #notes: Database<number, string> | undefined;
  #lastOffset: number;
  #nextLastOffset: number;

  constructor(environment: RootDatabase) {
    this.#environment = environment;
    this.#open();
    this.#lastOffset = this.#readLastOffset();
    this.#nextLastOffset = this.#lastOffset;
  }

  begin(): number | null {
    this.#open();
    return this.#notes?.get(BEGIN) ?? null;
  }

  read(fromOffset: number, toOffset: number): readonly SealRow[] {
    this.#open();
    const rows: SealRow[] = [];
    if (this.#seals === undefined || fromOffset >= toOffset) return rows;
    for (const { key, value } of this.#seals.getRange({ start: fromOffset, end: toOffset }))
      rows.push({ ledgerOffset: key, value });
    return rows;
  }

  last(): SealRow | null {
    this.#open();
    for (const { key, value } of this.#seals?.getRange({ reverse: true, limit: 1 }) ?? [])
      return { ledgerOffset: key, value };
    return null;
  }

  /** Inside a transaction. What was noted first stays. */
  noteBegin(ledgerOffset: number): void {
    this.#notes?.putSync(BEGIN, ledgerOffset, { noOverwrite: true });
  }

  /** All of one transaction, inside it. What was sealed first stays. */
  write(seals: readonly SealRow[]): void {
    let lastOffset = this.#lastOffset;
    for (const { ledgerOffset, value } of seals) {
      if (ledgerOffset > lastOffset) {
        this.#seals?.putSync(ledgerOffset, value, { append: true });
        lastOffset = ledgerOffset;
      } else this.#seals?.putSync(ledgerOffset, value, { noOverwrite: true });
    }
    this.#nextLastOffset = lastOffset;
  }

  /** The transaction is on disk. */
  committed(): void {
    this.#lastOffset = this.#nextLastOffset;
  }

  /** After a transaction that failed. */
  isAsCommitted(): boolean {
    return this.#readLastOffset() === this.#lastOffset;
  }

  #readLastOffset(): number {
    return this.last()?.ledgerOffset ?? -1;
  }

  /** A reader finds no such databases in a folder that an older Sluice wrote, until a newer one starts on it. */
  #open(): void {
    this.#seals ??= present(this.#environment.openDB<Buffer, number>({ name: 'seals', encoding: 'binary' }));
    this.#notes ??= present(this.#environment.openDB<number, string>({ name: 'chain', encoding: 'ordered-binary' }));
  }
}

/** lmdb's typing leaves out that a reader gets undefined for a database that is not there. */
function present<T>(database: T | undefined): T | undefined {
  return database;
}
