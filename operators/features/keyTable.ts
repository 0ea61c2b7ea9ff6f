import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import { loadTexts, saveTexts } from '../savedTexts.ts';
import { MAX_KEYS_PER_ENTITY } from './limits.ts';
import { TupleIndex } from './tupleIndex.ts';

const ROWS_PER_SEGMENT = 1_024;
const SEGMENT_SHIFT = 10;
const SEGMENT_MASK = ROWS_PER_SEGMENT - 1;

/** Position of the number of held events in every row; aggregates follow it. */
export const ROW_EVENTS = 0;

/** In place of a slot: the table is full. */
export const KEY_REFUSED = -1;
/** In place of a slot: the payment has no such key. */
export const NO_KEY = -2;

/**
 * The keys of one entity or tuple: each live key has a slot, and each slot a row of doubles (its aggregates). Rows lie in
 * fixed segments, so that growing never moves one.
 */
export abstract class KeyTable implements SavedState {
  readonly rowLength: number;
  #free: number[] = [];
  #segments: Float64Array[] = [];
  readonly #maxKeys: number;
  #slotCount = 0;

  constructor(rowLength: number, maxKeys: number) {
    this.rowLength = rowLength;
    this.#maxKeys = maxKeys;
  }

  abstract get size(): number;

  /** Takes the slot's key out of the index. */
  protected abstract forget(slot: number): void;

  get byteLength(): number {
    return this.#segments.length * ROWS_PER_SEGMENT * this.rowLength * 8;
  }

  /** A slot with an all-zero row, or KEY_REFUSED. */
  protected allocate(): number {
    const slot = this.#free.pop();
    if (slot !== undefined) return slot;
    if (this.#slotCount >= this.#maxKeys) return KEY_REFUSED;
    if ((this.#slotCount & SEGMENT_MASK) === 0)
      this.#segments.push(new Float64Array(ROWS_PER_SEGMENT * this.rowLength));
    this.#slotCount += 1;
    return this.#slotCount - 1;
  }

  /** Forgets the slot's key; the slot may then be given to another. */
  release(slot: number): void {
    this.forget(slot);
    this.#free.push(slot);
    const base = this.rowBase(slot);
    this.segment(slot).fill(0, base, base + this.rowLength);
  }

  segment(slot: number): Float64Array {
    return this.#segments[slot >>> SEGMENT_SHIFT]!;
  }

  rowBase(slot: number): number {
    return (slot & SEGMENT_MASK) * this.rowLength;
  }

  save(output: StateOutput): void {
    output.number(this.#slotCount);
    output.array(Int32Array.from(this.#free));
    for (const segment of this.#segments) output.array(segment);
  }

  load(input: StateInput): void {
    this.#slotCount = input.number();
    this.#free = [...input.int32Array()];
    this.#segments = [];
    while (this.#segments.length * ROWS_PER_SEGMENT < this.#slotCount) {
      const segment = input.float64Array();
      if (segment.length !== ROWS_PER_SEGMENT * this.rowLength)
        throw new SavedStateError(`a segment of ${segment.length} doubles for rows of ${this.rowLength}`);
      this.#segments.push(segment);
    }
  }
}

/** Keys that are strings. */
export class StringKeyTable extends KeyTable {
  readonly #slots = new Map<string, number>();
  /** Null: the slot is free. */
  #keys: (string | null)[] = [];

  constructor(rowLength: number, maxKeys = MAX_KEYS_PER_ENTITY) {
    super(rowLength, maxKeys);
  }

  override get size(): number {
    return this.#slots.size;
  }

  /** The key's slot, a new one with an all-zero row if it has none; or KEY_REFUSED. */
  intern(key: string): number {
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.allocate();
    if (slot < 0) return slot;
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
    return slot;
  }

  protected override forget(slot: number): void {
    const key = this.#keys[slot] ?? null;
    if (key === null || !this.#slots.delete(key)) throw new Error(`SLUICE_STATE_KEY: slot ${slot} released twice`);
    this.#keys[slot] = null;
  }

  override save(output: StateOutput): void {
    super.save(output);
    const live = [...this.#slots.values()];
    output.array(Int32Array.from(live));
    saveTexts(
      output,
      live.map((slot) => this.#keys[slot] ?? ''),
    );
  }

  override load(input: StateInput): void {
    super.load(input);
    const live = input.int32Array();
    const keys = loadTexts(input);
    this.#keys = [];
    this.#slots.clear();
    for (const [index, key] of keys.entries()) {
      const slot = live[index]!;
      this.#keys[slot] = key;
      this.#slots.set(key, slot);
    }
  }
}

/** Keys that are tuples of other tables' slots. Those must not be released before the tuple. */
export class TupleKeyTable extends KeyTable {
  readonly #index: TupleIndex;
  readonly #tuple: Int32Array;
  #tuples: Int32Array;

  constructor(rowLength: number, tupleLength: number, maxKeys = MAX_KEYS_PER_ENTITY) {
    super(rowLength, maxKeys);
    this.#index = new TupleIndex(tupleLength);
    this.#tuple = new Int32Array(tupleLength);
    this.#tuples = new Int32Array(tupleLength * ROWS_PER_SEGMENT);
  }

  override get size(): number {
    return this.#index.size;
  }

  override get byteLength(): number {
    return super.byteLength + this.#index.byteLength + this.#tuples.byteLength;
  }

  /** The slot of the tuple that `slots` has at `members`, a new one if it has none; or NO_KEY, or KEY_REFUSED. */
  intern(slots: Int32Array, members: readonly number[]): number {
    const tuple = this.#tuple;
    for (let index = 0; index < tuple.length; index++) {
      const member = slots[members[index]!]!;
      if (member < 0) return NO_KEY;
      tuple[index] = member;
    }
    const known = this.#index.get(tuple);
    if (known >= 0) return known;
    const slot = this.allocate();
    if (slot < 0) return slot;
    this.#index.add(tuple, slot);
    const at = slot * tuple.length;
    if (at === this.#tuples.length) {
      const grown = new Int32Array(at * 2);
      grown.set(this.#tuples);
      this.#tuples = grown;
    }
    this.#tuples.set(tuple, at);
    return slot;
  }

  protected override forget(slot: number): void {
    const tuple = this.#tuple;
    for (let index = 0; index < tuple.length; index++) tuple[index] = this.#tuples[slot * tuple.length + index]!;
    if (this.#index.get(tuple) !== slot) throw new Error(`SLUICE_STATE_KEY: slot ${slot} released twice`);
    this.#index.delete(tuple);
  }

  override save(output: StateOutput): void {
    super.save(output);
    this.#index.save(output);
    output.array(this.#tuples);
  }

  override load(input: StateInput): void {
    super.load(input);
    this.#index.load(input);
    this.#tuples = input.int32Array();
  }
}
