import type { FeatureColumns, History, HistoryBatch, HistoryRecord, LedgerRow, ModelScore } from '../ports.ts';

/**
 * History in memory, for tests. `failNextWrites` makes that many writes fail half way: a part of the batch is written,
 * and the next position() asks for exactly that batch again.
 */
export class MemoryHistory implements History {
  readonly records = new Map<number, HistoryRecord>();
  readonly columns: FeatureColumns[] = [];
  readonly modelScores: ModelScore[] = [];
  failNextWrites = 0;
  #fromOffset = 0;
  #begunToOffset: number | null = null;

  prepare(columns: readonly FeatureColumns[]): Promise<void> {
    for (const column of columns)
      if (!this.columns.some((known) => known.catalogueSha256 === column.catalogueSha256)) this.columns.push(column);
    return Promise.resolve();
  }

  position(): Promise<{ readonly fromOffset: number; readonly toOffset: number | null }> {
    return Promise.resolve({ fromOffset: this.#fromOffset, toOffset: this.#begunToOffset });
  }

  modelPromotions(beforeOffset: number): Promise<readonly LedgerRow[]> {
    const promotions = [...this.records.values()].filter(
      ({ offset, event }) => event.kind === 'modelPromotion' && offset < beforeOffset,
    );
    return Promise.resolve(promotions.sort((a, b) => a.offset - b.offset));
  }

  write(batch: HistoryBatch): Promise<void> {
    if (batch.fromOffset !== this.#fromOffset)
      return Promise.reject(
        new Error(`history wants ${this.#fromOffset} next, the batch starts at ${batch.fromOffset}`),
      );
    if (this.#begunToOffset !== null && batch.toOffset !== this.#begunToOffset)
      return Promise.reject(new Error(`history wants the batch up to ${this.#begunToOffset} again`));
    if (batch.records.length !== batch.toOffset - batch.fromOffset)
      return Promise.reject(new Error('a batch holds every record of its range'));
    this.#begunToOffset = batch.toOffset;
    const fails = this.failNextWrites > 0;
    const written = fails ? batch.records.slice(0, Math.floor(batch.records.length / 2)) : batch.records;
    for (const record of written) this.records.set(record.offset, record);
    this.modelScores.push(...(fails ? [] : (batch.modelScores ?? [])));
    if (fails) {
      this.failNextWrites--;
      return Promise.reject(new Error('history is away'));
    }
    this.#fromOffset = batch.toOffset;
    this.#begunToOffset = null;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
