import type { DecisionRow, DecisionStore, SealRow } from '../ports.ts';

/** Decisions in memory, for tests. */
export class MemoryDecisionStore implements DecisionStore {
  readonly #values: Map<number, Buffer>;
  readonly #firstOffsets: Map<string, number>;
  readonly #chain: MemoryChain;
  #lastOffset = -1;

  /** Stores over the same maps and chain stand for one store that is closed and opened again. */
  constructor(
    values = new Map<number, Buffer>(),
    firstOffsets = new Map<string, number>(),
    chain: MemoryChain = { begin: null, seals: new Map() },
  ) {
    this.#values = values;
    this.#firstOffsets = firstOffsets;
    this.#chain = chain;
    for (const offset of values.keys()) this.#lastOffset = Math.max(this.#lastOffset, offset);
  }

  put(decisions: readonly DecisionRow[], seals: readonly SealRow[] = []): Promise<void> {
    for (const { ledgerOffset, value } of seals)
      if (!this.#chain.seals.has(ledgerOffset)) this.#chain.seals.set(ledgerOffset, Buffer.from(value));
    for (const { ledgerOffset, transactionId, isFirst, value } of decisions) {
      if (!this.#values.has(ledgerOffset)) this.#values.set(ledgerOffset, Buffer.from(value));
      if (isFirst && !this.#firstOffsets.has(transactionId)) this.#firstOffsets.set(transactionId, ledgerOffset);
      this.#lastOffset = Math.max(this.#lastOffset, ledgerOffset);
    }
    return Promise.resolve();
  }

  get(ledgerOffset: number): Promise<Buffer | undefined> {
    return Promise.resolve(this.#values.get(ledgerOffset));
  }

  find(transactionId: string): Promise<Buffer | undefined> {
    const offset = this.#firstOffsets.get(transactionId);
    return Promise.resolve(offset === undefined ? undefined : this.#values.get(offset));
  }

  read(
    fromOffset: number,
    toOffset: number,
  ): Promise<readonly { readonly ledgerOffset: number; readonly value: Buffer }[]> {
    return Promise.resolve(inRange(this.#values, fromOffset, toOffset));
  }

  lastOffset(): number {
    return this.#lastOffset;
  }

  beginChain(ledgerOffset: number): Promise<number> {
    this.#chain.begin ??= ledgerOffset;
    return Promise.resolve(this.#chain.begin);
  }

  chainBegin(): number | null {
    return this.#chain.begin;
  }

  seals(fromOffset: number, toOffset: number): Promise<readonly SealRow[]> {
    return Promise.resolve(inRange(this.#chain.seals, fromOffset, toOffset));
  }

  lastSeal(): SealRow | null {
    return inRange(this.#chain.seals, 0, Infinity).at(-1) ?? null;
  }
}

export interface MemoryChain {
  begin: number | null;
  readonly seals: Map<number, Buffer>;
}

function inRange(values: ReadonlyMap<number, Buffer>, fromOffset: number, toOffset: number): SealRow[] {
  return [...values]
    .filter(([offset]) => offset >= fromOffset && offset < toOffset)
    .sort(([a], [b]) => a - b)
    .map(([ledgerOffset, value]) => ({ ledgerOffset, value }));
}
