import type { Candidates } from './candidates.ts';
import type { PairCounts } from './pairCounts.ts';
import type { FeaturePlan } from './plan.ts';

/** Doubles of a cache line. */
const LINE_DOUBLES = 8;

/**
 * Reads what the current payment is about to change and to be told, so that it is in the cache by then. A processor has a dozen
 * memory accesses under way at once as long as none needs another's result: the steps that use the rows do too much
 * between two of them for that, a loop that only reads does not. Changes nothing.
 */
export class PaymentTouch {
  readonly #plan: FeaturePlan;
  readonly #pairs: readonly PairCounts[];
  readonly #candidates: Candidates;
  /** What was read goes here, lest the compiler leave the reading out. */
  readonly #sum = new Float64Array(1);

  constructor(plan: FeaturePlan, pairs: readonly PairCounts[], candidates: Candidates) {
    this.#plan = plan;
    this.#pairs = pairs;
    this.#candidates = candidates;
  }

  /** For the payment whose keys have these slots (negative: none) and rows. */
  run(slots: Int32Array, rows: readonly Float64Array[], bases: Int32Array): void {
    const { columns, pairs, candidates: lists } = this.#plan;
    let sum = 0;
    for (let column = 0; column < columns.length; column++) {
      if (slots[column]! < 0) continue;
      const row = rows[column]!;
      const base = bases[column]!;
      const end = base + columns[column]!.rowLength;
      for (let at = base; at < end; at += LINE_DOUBLES) sum += row[at]!;
      sum += row[end - 1]!;
    }
    for (let index = 0; index < pairs.length; index++) {
      const { column, valueColumn } = pairs[index]!;
      const slot = slots[column]!;
      const value = slots[valueColumn]!;
      if (slot >= 0 && value >= 0) sum += this.#pairs[index]!.touch(slot, value);
    }
    for (let index = 0; index < lists.length; index++) {
      const { column, at } = lists[index]!;
      if (slots[column]! < 0) continue;
      const row = rows[column]!;
      const list = bases[column]! + at;
      const oldest = this.#candidates.oldest(row, list);
      const newest = this.#candidates.newest(row, list);
      if (oldest === 0) continue;
      sum += this.#candidates.page(oldest)[this.#candidates.timeOffset(oldest)]!;
      sum += this.#candidates.page(newest)[this.#candidates.timeOffset(newest)]!;
    }
    this.#sum[0] = sum;
  }
}
