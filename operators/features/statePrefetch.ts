import type { Transaction } from '../../schemas/types.ts';
import { PrefetchList } from '../tables/prefetchList.ts';
import type { ColumnKeys } from './columnKeys.ts';
import type { EdgeProgram, ProgramTargets } from './edgeProgram.ts';
import { VALUES_WORD, type ColumnKernel } from './kernel/columnKernel.ts';
import { byteOffset } from './kernel/programWords.ts';
import type { Cursor } from './reservoir.ts';
import { LINE_DOUBLES } from './rowLayout.ts';

/** What is read ahead of a payment's key. */
interface ColumnAhead {
  readonly kernel: ColumnKernel;
  /** Addresses of programs (assembly/ahead.ts): of the whole row and the pairs, and of the lists of candidates. */
  readonly row: number;
  readonly lists: number;
  /** Of its pairs. */
  readonly valueColumns: Int32Array;
}

/**
 * Reads ahead what a payment's step is about to use, in three waves, each of which needs the one before: where the payment's keys are
 * looked up; the rows of its keys and those of the events that leave windows; the lists in these.
 */
export class StatePrefetch {
  readonly #columns: readonly ColumnAhead[];
  readonly #keys: readonly ColumnKeys[];
  readonly #edges: readonly EdgeProgram[];
  readonly #list = new PrefetchList();
  /** By column, the slot that the payment's key probably has; negative for none. */
  readonly #foreseen: Int32Array;

  constructor(targets: ProgramTargets, keys: readonly ColumnKeys[], edges: readonly EdgeProgram[]) {
    this.#columns = targets.plan.columns.map((_, column) => compileAhead(targets, column));
    this.#keys = keys;
    this.#edges = edges;
    this.#foreseen = new Int32Array(keys.length);
  }

  /** The first two waves, before time moves on to the payment's. Prepares its keys for being found. */
  keysAndRows(tx: Transaction, cursors: readonly Cursor[]): void {
    const list = this.#list;
    const keys = this.#keys;
    const columns = this.#columns;
    const foreseen = this.#foreseen;
    for (let column = 0; column < keys.length; column++) keys[column]!.prepare(tx, list);
    list.run();
    for (let index = 0; index < cursors.length; index++)
      this.#noteNext(this.#edges[index]!, cursors[index]!, tx.eventTimeMs);
    for (let column = 0; column < keys.length; column++) foreseen[column] = keys[column]!.foresee(foreseen, list);
    list.run();
    for (let column = 0; column < columns.length; column++) this.#noteRow(column, foreseen);
    for (let column = 0; column < columns.length; column++) columns[column]!.kernel.calls.touch();
  }

  /** The third wave, for the keys that were found, which have these slots. */
  lists(slots: Int32Array): void {
    const columns = this.#columns;
    for (let column = 0; column < columns.length; column++) {
      if (slots[column] === this.#foreseen[column]) continue;
      this.#noteRow(column, slots);
      columns[column]!.kernel.calls.touch();
    }
    for (let column = 0; column < columns.length; column++) {
      const { kernel, lists } = columns[column]!;
      const slot = slots[column]!;
      if (lists !== 0 && slot >= 0) kernel.calls.touchLists(lists, slot);
    }
  }

  /** Lists what the event at which a cursor stands will change, if it crosses the edge by this time. */
  #noteNext({ ageMs, groups }: EdgeProgram, { block, index }: Cursor, timeMs: number): void {
    if (index >= block.count || block.timeMs(index) > timeMs - ageMs) return;
    const { words } = block;
    const at = index * block.wordCount;
    for (let place = 0; place < groups.length; place++) {
      const { column, table, ahead, valueColumns } = groups[place]!;
      const slot = words[at + column]!;
      if (slot < 0) continue;
      const { kernel } = table;
      for (let pair = 0; pair < valueColumns.length; pair++)
        kernel.words[VALUES_WORD + pair] = words[at + valueColumns[pair]!]!;
      kernel.calls.note(ahead, slot);
    }
  }

  #noteRow(column: number, slots: Int32Array): void {
    const { kernel, row, valueColumns } = this.#columns[column]!;
    const slot = slots[column]!;
    if (slot < 0) return;
    for (let pair = 0; pair < valueColumns.length; pair++)
      kernel.words[VALUES_WORD + pair] = slots[valueColumns[pair]!]!;
    kernel.calls.note(row, slot);
  }
}

function compileAhead({ plan, tables, pairs }: ProgramTargets, column: number): ColumnAhead {
  const { kernel } = tables[column]!;
  const { rowLength } = plan.columns[column]!;
  const lines = Array.from({ length: Math.ceil(rowLength / LINE_DOUBLES) }, (_, line) =>
    byteOffset(line * LINE_DOUBLES),
  );
  const counted = plan.pairs.filter((pair) => pair.column === column);
  const lists = plan.candidates.filter((part) => part.column === column).map(({ at }) => byteOffset(at));
  return {
    kernel,
    row: kernel.place([lines.length, counted.length, ...lines, ...counted.map(({ index }) => pairs[index]!.table)]),
    lists: lists.length === 0 ? 0 : kernel.place([lists.length, 0, ...lists]),
    valueColumns: Int32Array.from(counted, ({ valueColumn }) => valueColumn),
  };
}
