import type { Database, RootDatabase } from 'lmdb';
import type { DecisionRow, DecisionStore, SealRow } from '../../pipeline/ports.ts';
import { LedgerUnavailableError } from '../../pipeline/ports.ts';
import { GroupCommit } from './groupCommit.ts';
import type { CommitLimits } from './groupCommit.ts';
import { LmdbSeals } from './lmdbSeals.ts';

export interface LmdbDecisionStoreOptions {
  readonly folder: string;
  readonly readOnly: boolean;
  readonly limits: CommitLimits;
}

interface Work {
  readonly decisions: readonly DecisionRow[];
  readonly seals: readonly SealRow[];
  /** Where the chain of seals begins, if that is to be noted. */
  readonly begin: number | null;
}

/**
 * Decisions by ledger offset, and an index from transaction id to the offset of its first decision. What was decided
 * first stays: a gateway may have acted on it. Seals lie beside them, written in the same transaction.
 */
export class LmdbDecisionStore implements DecisionStore {
  readonly #environment: RootDatabase;
  readonly #decisions: Database<Buffer, number>;
  readonly #firstOffsets: Database<number, string>;
  readonly #seals: LmdbSeals;
  readonly #options: LmdbDecisionStoreOptions;
  readonly #commits: GroupCommit<Work, true> | null;
  #lastOffset: number;
  #nextLastOffset: number;

  constructor(environment: RootDatabase, options: LmdbDecisionStoreOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#decisions = environment.openDB<Buffer, number>({ name: 'decisions', encoding: 'binary' });
    this.#firstOffsets = environment.openDB<number, string>({ name: 'firstOffsets', encoding: 'ordered-binary' });
    this.#seals = new LmdbSeals(environment);
    this.#lastOffset = this.#readLastOffset();
    this.#nextLastOffset = this.#lastOffset;
    this.#commits = options.readOnly
      ? null
      : new GroupCommit(environment, options.folder, options.limits, {
          write: (works) => this.#write(works),
          committed: () => {
            this.#lastOffset = this.#nextLastOffset;
            this.#seals.committed();
          },
          rolledBack: () => this.#readLastOffset() === this.#lastOffset && this.#seals.isAsCommitted(),
        });
  }

  async put(decisions: readonly DecisionRow[], seals: readonly SealRow[] = []): Promise<void> {
    if (decisions.length + seals.length === 0) return;
    let bytes = 0;
    for (const decision of decisions) bytes += decision.value.length + decision.transactionId.length;
    for (const seal of seals) bytes += seal.value.length;
    await this.#submit({ decisions, seals, begin: null }, bytes);
  }

  async beginChain(ledgerOffset: number): Promise<number> {
    const noted = this.chainBegin();
    if (noted !== null) return noted;
    await this.#submit({ decisions: [], seals: [], begin: ledgerOffset }, 0);
    return this.chainBegin() ?? ledgerOffset;
  }

  chainBegin(): number | null {
    this.#refresh();
    return this.#seals.begin();
  }

  async seals(fromOffset: number, toOffset: number): Promise<readonly SealRow[]> {
    this.#refresh();
    return this.#seals.read(fromOffset, toOffset);
  }

  lastSeal(): SealRow | null {
    this.#refresh();
    return this.#seals.last();
  }

  async get(ledgerOffset: number): Promise<Buffer | undefined> {
    this.#refresh();
    return this.#decisions.get(ledgerOffset);
  }

  async find(transactionId: string): Promise<Buffer | undefined> {
    if (transactionId.length === 0) return undefined;
    this.#refresh();
    const offset = this.#firstOffsets.get(transactionId);
    return offset === undefined ? undefined : this.#decisions.get(offset);
  }

  async read(
    fromOffset: number,
    toOffset: number,
  ): Promise<readonly { readonly ledgerOffset: number; readonly value: Buffer }[]> {
    this.#refresh();
    const rows: { readonly ledgerOffset: number; readonly value: Buffer }[] = [];
    if (fromOffset >= toOffset) return rows;
    for (const { key, value } of this.#decisions.getRange({ start: fromOffset, end: toOffset }))
      rows.push({ ledgerOffset: key, value });
    return rows;
  }

  lastOffset(): number {
    if (this.#options.readOnly) this.#lastOffset = this.#readLastOffset();
    return this.#lastOffset;
  }

  async close(): Promise<void> {
    await this.#commits?.close();
    await this.#environment.close();
  }

  async #submit(work: Work, bytes: number): Promise<void> {
    if (this.#commits === null)
      throw new LedgerUnavailableError('SLUICE_LEDGER_CLOSED', `${this.#options.folder} is open for reading only.`);
    await this.#commits.submit(work, Math.max(1, work.decisions.length), bytes);
  }

  #write(works: readonly Work[]): readonly true[] {
    let lastOffset = this.#lastOffset;
    const done: true[] = [];
    this.#seals.write(works.flatMap(({ seals }) => seals));
    for (const { decisions, begin } of works) {
      if (begin !== null) this.#seals.noteBegin(begin);
      for (const { ledgerOffset, transactionId, isFirst, value } of decisions) {
        if (ledgerOffset > lastOffset) {
          this.#decisions.putSync(ledgerOffset, value, { append: true });
          lastOffset = ledgerOffset;
        } else this.#decisions.putSync(ledgerOffset, value, { noOverwrite: true });
        if (isFirst) this.#firstOffsets.putSync(transactionId, ledgerOffset, { noOverwrite: true });
      }
      done.push(true);
    }
    this.#nextLastOffset = lastOffset;
    return done;
  }

  #readLastOffset(): number {
    this.#decisions.resetReadTxn();
    for (const offset of this.#decisions.getKeys({ reverse: true, limit: 1 })) return offset;
    return -1;
  }

  #refresh(): void {
    if (this.#options.readOnly) this.#decisions.resetReadTxn();
  }
}
