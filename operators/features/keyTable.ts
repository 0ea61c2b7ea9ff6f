import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { PagedIntegers } from '../tables/pagedIntegers.ts';
import type { PrefetchList } from '../tables/prefetchList.ts';
import { SegmentedTable } from '../tables/segmentedTable.ts';
import { TextIndex } from '../tables/textIndex.ts';
import { ColumnKernel } from './kernel/columnKernel.ts';

/** Position of the number of held events in every row; aggregates follow it. */
export const ROW_EVENTS = 0;

/** In place of a slot: the table is full. */
export const KEY_REFUSED = -1;
/** In place of a slot: the payment has no such key. */
export const NO_KEY = -2;

/** Bytes of a table of keys by what they are for. */
export interface KeyTableBytes {
  readonly rows: number;
  /** What leads from a key to its row. */
  readonly index: number;
  /** The keys themselves. */
  readonly keys: number;
}

/**
 * The keys of one entity or tuple: each live key has a slot, and each slot a row of doubles (its aggregates), which its kernel keeps and
 * never moves. The slot given up last is given first to a new key.
 */
export abstract class KeyTable implements SavedState {
  readonly kernel: ColumnKernel;

  constructor(kernel: ColumnKernel) {
    this.kernel = kernel;
  }

  abstract get size(): number;

  abstract get bytes(): KeyTableBytes;

  /** The texts that the slot's key is made of, those of a tuple from its members' tables; null if the slot has no key. */
  abstract textsOf(slot: number, members: readonly KeyTable[]): readonly string[] | null;

  /** Takes the slot's key out of the index. */
  protected abstract forget(slot: number): void;

  /** Forgets the slot's key; the slot may then be given to another. */
  release(slot: number): void {
    this.forget(slot);
    this.kernel.calls.freeRow(slot);
  }

  save(output: StateOutput): void {
    this.kernel.save(output);
  }

  load(input: StateInput): void {
    this.kernel.load(input);
  }
}

/** Keys that are strings. */
export class StringKeyTable extends KeyTable {
  readonly #index = new TextIndex();

  override get size(): number {
    return this.#index.size;
  }

  override get bytes(): KeyTableBytes {
    return { rows: this.kernel.rowBytes, index: this.#index.tableBytes, keys: this.#index.textBytes };
  }

  /** `bytes` of so many live keys, on average, when they are Latin-1 texts of `textUnits`. */
  static expectedBytes(keys: number, rowLength: number, textUnits: number): KeyTableBytes {
    return {
      rows: ColumnKernel.rowBytesOf(keys, rowLength),
      index: TextIndex.expectedTableBytes(keys),
      keys: TextIndex.expectedTextBytes(keys, textUnits),
    };
  }

  override textsOf(slot: number): readonly string[] | null {
    const text = this.#index.textOf(slot);
    return text === null ? null : [text];
  }

  /** Takes a key that is about to be interned, and lists what is needed to foresee its slot. */
  prepare(key: string, list: PrefetchList): void {
    this.#index.prepare(key, list);
  }

  /** The slot that the prepared key probably has, -1 for none; lists what is needed to be sure. */
  foresee(list: PrefetchList): number {
    return this.#index.foresee(list);
  }

  /** The prepared key's slot, a new one with an all-zero row if it has none; or KEY_REFUSED. */
  internPrepared(): number {
    const known = this.#index.findPrepared();
    if (known >= 0) return known;
    const slot = this.kernel.calls.allocateRow();
    if (slot < 0) return KEY_REFUSED;
    if (this.#index.add(slot)) return slot;
    this.kernel.calls.freeRow(slot);
    return KEY_REFUSED;
  }

  protected override forget(slot: number): void {
    this.#index.remove(slot);
  }

  override save(output: StateOutput): void {
    super.save(output);
    this.#index.save(output);
  }

  override load(input: StateInput): void {
    super.load(input);
    this.#index.load(input);
  }
}

/** Keys that are tuples of other tables' slots. Those must not be released before the tuple. */
export class TupleKeyTable extends KeyTable {
  /** Slot + 1 by tuple. */
  readonly #index: SegmentedTable;
  readonly #tuple: Int32Array;
  readonly #tuples = new PagedIntegers();

  constructor(kernel: ColumnKernel, tupleLength: number) {
    super(kernel);
    this.#index = new SegmentedTable(tupleLength);
    this.#tuple = new Int32Array(tupleLength);
  }

  override get size(): number {
    return this.#index.size;
  }

  override get bytes(): KeyTableBytes {
    return { rows: this.kernel.rowBytes, index: this.#index.byteLength, keys: this.#tuples.byteLength };
  }

  /** `bytes` of so many live keys, on average. */
  static expectedBytes(keys: number, rowLength: number, tupleLength: number): KeyTableBytes {
    return {
      rows: ColumnKernel.rowBytesOf(keys, rowLength),
      index: SegmentedTable.expectedBytes(tupleLength, 0, keys),
      keys: PagedIntegers.bytesOf(keys * tupleLength),
    };
  }

  override textsOf(slot: number, members: readonly KeyTable[]): readonly string[] | null {
    const table = this.#index;
    this.#readTuple(slot);
    if (!table.find(this.#tuple) || table.block[table.at] !== slot + 1) return null;
    const memberSlots = [...this.#tuple];
    return memberSlots.map((memberSlot, index) => members[index]?.textsOf(memberSlot, [])?.[0] ?? '');
  }

  /** Lists where that tuple will be looked up. */
  prefetch(slots: Int32Array, members: readonly number[], list: PrefetchList): void {
    if (this.#takeTuple(slots, members)) this.#index.prefetch(this.#tuple, list);
  }

  /** The slot of the tuple that `slots` has at `members`, a new one if it has none; or NO_KEY, or KEY_REFUSED. */
  intern(slots: Int32Array, members: readonly number[]): number {
    if (!this.#takeTuple(slots, members)) return NO_KEY;
    const tuple = this.#tuple;
    const table = this.#index;
    if (table.find(tuple)) return table.block[table.at]! - 1;
    const slot = this.kernel.calls.allocateRow();
    if (slot < 0) return KEY_REFUSED;
    if (!table.add(tuple, slot + 1)) {
      this.kernel.calls.freeRow(slot);
      return KEY_REFUSED;
    }
    for (let index = 0; index < tuple.length; index++) this.#tuples.set(slot * tuple.length + index, tuple[index]!);
    return slot;
  }

  protected override forget(slot: number): void {
    const table = this.#index;
    this.#readTuple(slot);
    if (!table.find(this.#tuple) || table.block[table.at] !== slot + 1)
      throw new Error(`SLUICE_STATE_KEY: slot ${slot} released twice`);
    table.remove();
  }

  override save(output: StateOutput): void {
    super.save(output);
    this.#index.save(output);
    this.#tuples.save(output);
  }

  override load(input: StateInput): void {
    super.load(input);
    this.#index.load(input);
    this.#tuples.load(input);
  }

  /** Whether there is a key for each member. */
  #takeTuple(slots: Int32Array, members: readonly number[]): boolean {
    const tuple = this.#tuple;
    for (let index = 0; index < tuple.length; index++) {
      const member = slots[members[index]!]!;
      if (member < 0) return false;
      tuple[index] = member;
    }
    return true;
  }

  #readTuple(slot: number): void {
    const tuple = this.#tuple;
    for (let index = 0; index < tuple.length; index++) tuple[index] = this.#tuples.get(slot * tuple.length + index);
  }
}
