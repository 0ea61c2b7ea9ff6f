import type { Transaction } from '../../schemas/types.ts';
import { PrefetchList } from '../tables/prefetchList.ts';
import type { ColumnKeys } from './columnKeys.ts';
import type { EdgeProgram, ProgramTargets } from './edgeProgram.ts';
import type { KernelDriver } from './kernel/kernelDriver.ts';
import { byteOffset } from './kernel/programWords.ts';
import type { Cursor } from './reservoir.ts';
import { LINE_DOUBLES } from './rowLayout.ts';

/**
 * Reads ahead what a payment's step is about to use, in three waves, each of which needs the one before: where the payment's keys are
 * looked up; the rows of its keys and those of the events that leave windows; the lists in these.
 */
export class StatePrefetch {
  readonly #driver: KernelDriver;
  /** The address of the driver's program, for the payment's keys. */
  readonly #program: number;
  readonly #keys: readonly ColumnKeys[];
  readonly #edges: readonly EdgeProgram[];
  readonly #list = new PrefetchList();
  /** By column, the slot that the payment's key probably has; negative for none. */
  readonly #foreseen: Int32Array;

  constructor(targets: ProgramTargets, keys: readonly ColumnKeys[], edges: readonly EdgeProgram[]) {
    this.#driver = targets.driver;
    this.#program = compileAhead(targets);
    this.#keys = keys;
    this.#edges = edges;
    this.#foreseen = new Int32Array(keys.length);
  }

  /** The first two waves, before time moves on to the payment's. Prepares its keys for being found. */
  keysAndRows(tx: Transaction, cursors: readonly Cursor[]): void {
    const list = this.#list;
    const keys = this.#keys;
    const foreseen = this.#foreseen;
    for (let column = 0; column < keys.length; column++) keys[column]!.prepare(tx, list);
    list.run();
    for (let index = 0; index < cursors.length; index++)
      this.#noteNext(this.#edges[index]!, cursors[index]!, tx.eventTimeMs);
    for (let column = 0; column < keys.length; column++) foreseen[column] = keys[column]!.foresee(foreseen, list);
    list.run();
    this.#driver.takeSlots(foreseen);
    this.#driver.calls.touchRows(this.#program);
  }

  /** The third wave, for the keys that were found, which have these slots. Hands them to the driver. */
  lists(slots: Int32Array): void {
    this.#driver.takeSlots(slots);
    let isForeseen = true;
    for (let column = 0; column < slots.length; column++) isForeseen &&= slots[column] === this.#foreseen[column];
    if (!isForeseen) this.#driver.calls.touchRows(this.#program);
    this.#driver.calls.touchCandidates(this.#program);
  }

  /** Lists what the event at which a cursor stands will change, if it crosses the edge by this time. */
  #noteNext({ ageMs, program }: EdgeProgram, { block, index }: Cursor, timeMs: number): void {
    if (index >= block.count || block.timeMs(index) > timeMs - ageMs) return;
    this.#driver.takeEvent(block.words, index * block.wordCount);
    this.#driver.calls.noteEdge(program);
  }
}

/** Of each column its number, its lists, its row and pairs, and the values of these. */
function compileAhead({ plan, driver, tables, pairs }: ProgramTargets): number {
  const columns = plan.columns.flatMap(({ rowLength }, column) => {
    const { kernel } = tables[column]!;
    const lines = Array.from({ length: Math.ceil(rowLength / LINE_DOUBLES) }, (_, line) =>
      byteOffset(line * LINE_DOUBLES),
    );
    const counted = plan.pairs.filter((pair) => pair.column === column);
    const pairTables = counted.map(({ index }) => pairs[index]!.table);
    const lists = plan.candidates.filter((part) => part.column === column).map(({ at }) => byteOffset(at));
    const row = kernel.place([lines.length, counted.length, ...lines, ...pairTables]);
    const listed = lists.length === 0 ? 0 : kernel.place([lists.length, 0, ...lists]);
    return [column, listed, row, counted.length, ...counted.map(({ valueColumn }) => valueColumn)];
  });
  return driver.place([plan.columns.length, ...columns]);
}
