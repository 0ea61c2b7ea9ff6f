import type { Transaction } from '../../schemas/types.ts';
import { PrefetchList } from '../tables/prefetchList.ts';
import type { Candidates } from './candidates.ts';
import type { ColumnKeys } from './columnKeys.ts';
import type { CrossedState } from './edgeCrossing.ts';
import type { EdgeProgram } from './edgeProgram.ts';
import type { KeyTable } from './keyTable.ts';
import type { PairCounts } from './pairCounts.ts';
import type { FeaturePlan } from './plan.ts';
import type { Cursor } from './reservoir.ts';
import { LINE_DOUBLES } from './rowLayout.ts';

/**
 * Reads ahead what a payment's step is about to use (prefetchList.ts), in three waves, each of which needs the one before: where the
 * payment's keys are looked up, and the rows of the events that leave windows; the rows of its keys; the lists in these.
 */
export class StatePrefetch {
  readonly #plan: FeaturePlan;
  readonly #keys: readonly ColumnKeys[];
  readonly #edges: readonly EdgeProgram[];
  readonly #pairs: readonly PairCounts[];
  readonly #candidates: Candidates;
  readonly #list = new PrefetchList();
  /** By column, the slot that the payment's key probably has; negative for none. */
  readonly #foreseen: Int32Array;

  constructor({ plan, pairs, candidates }: CrossedState, keys: readonly ColumnKeys[], edges: readonly EdgeProgram[]) {
    this.#plan = plan;
    this.#keys = keys;
    this.#edges = edges;
    this.#pairs = pairs;
    this.#candidates = candidates;
    this.#foreseen = new Int32Array(keys.length);
  }

  /** The first two waves, before time moves on to the payment's. Prepares its keys for being found. */
  keysAndRows(tx: Transaction, cursors: readonly Cursor[]): void {
    const list = this.#list;
    const keys = this.#keys;
    for (let column = 0; column < keys.length; column++) keys[column]!.prepare(tx, list);
    for (let index = 0; index < cursors.length; index++)
      this.#listNext(this.#edges[index]!, cursors[index]!, tx.eventTimeMs);
    list.run();
    const foreseen = this.#foreseen;
    for (let column = 0; column < keys.length; column++) {
      const slot = keys[column]!.foresee(foreseen, list);
      foreseen[column] = slot;
      if (slot >= 0) this.#listRow(keys[column]!.table, slot, this.#plan.columns[column]!.rowLength);
    }
    const { pairs } = this.#plan;
    for (let index = 0; index < pairs.length; index++) {
      const { column, valueColumn } = pairs[index]!;
      const slot = foreseen[column]!;
      const value = foreseen[valueColumn]!;
      if (slot >= 0 && value >= 0) this.#pairs[index]!.prefetch(slot, value, list);
    }
    list.run();
  }

  /** The third wave, for the rows that were found for the payment's keys, which have these slots. */
  lists(slots: Int32Array, rows: readonly Float64Array[], bases: Int32Array): void {
    const { columns, candidates: parts } = this.#plan;
    const list = this.#list;
    for (let column = 0; column < columns.length; column++) {
      const slot = slots[column]!;
      if (slot >= 0 && slot !== this.#foreseen[column])
        this.#listRow(this.#keys[column]!.table, slot, columns[column]!.rowLength);
    }
    for (let index = 0; index < parts.length; index++) {
      const { column, at } = parts[index]!;
      if (slots[column]! < 0) continue;
      const oldest = this.#candidates.oldest(rows[column]!, bases[column]! + at);
      if (oldest !== 0) list.addDouble(this.#candidates.page(oldest), this.#candidates.valueOffset(oldest));
    }
    list.run();
  }

  /** Lists what the event at which a cursor stands will change, if it crosses the edge by this time. */
  #listNext({ ageMs, groups }: EdgeProgram, { block, index }: Cursor, timeMs: number): void {
    if (index >= block.count || block.timeMs(index) > timeMs - ageMs) return;
    const { words } = block;
    const at = index * block.wordCount;
    for (let place = 0; place < groups.length; place++) {
      const { column, table, lines, distincts } = groups[place]!;
      const slot = words[at + column]!;
      if (slot < 0) continue;
      const row = table.segment(slot);
      const base = table.rowBase(slot);
      for (let line = 0; line < lines.length; line++) this.#list.addDouble(row, base + lines[line]!);
      for (let pair = 0; pair < distincts.length; pair++) {
        const { valueColumn, pairs } = distincts[pair]!;
        const value = words[at + valueColumn]!;
        if (value >= 0) this.#pairs[pairs]!.prefetch(slot, value, this.#list);
      }
    }
  }

  #listRow(table: KeyTable, slot: number, rowLength: number): void {
    const row = table.segment(slot);
    const base = table.rowBase(slot);
    for (let at = 0; at < rowLength; at += LINE_DOUBLES) this.#list.addDouble(row, base + at);
  }
}
