import type { DecisionRow, DecisionStore } from '../ports.ts';

/** Decisions in memory, for tests. */
export class MemoryDecisionStore implements DecisionStore {
  readonly #values: Map<number, Buffer>;
  readonly #firstOffsets: Map<string, number>;
  #lastOffset = -1;

  /** Stores over the same maps stand for one store that is closed and opened again. */
  constructor(values = new Map<number, Buffer>(), firstOffsets = new Map<string, number>()) {
    this.#values = values;
    this.#firstOffsets = firstOffsets;
    for (const offset of values.keys()) this.#lastOffset = Math.max(this.#lastOffset, offset);
  }

  put(decisions: readonly DecisionRow[]): Promise<void> {
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
    const rows = [...this.#values]
      .filter(([offset]) => offset >= fromOffset && offset < toOffset)
      .sort(([a], [b]) => a - b)
      .map(([ledgerOffset, value]) => ({ ledgerOffset, value }));
    return Promise.resolve(rows);
  }

  lastOffset(): number {
    return this.#lastOffset;
  }
}
