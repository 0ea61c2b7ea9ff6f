import { MAX_KEYS_PER_ENTITY } from './limits.ts';

const ROWS_PER_SEGMENT = 1_024;
const SEGMENT_SHIFT = 10;
const SEGMENT_MASK = ROWS_PER_SEGMENT - 1;

/** Position of the number of held events in every row; aggregates follow it. */
export const ROW_EVENTS = 0;

/**
 * The keys of one entity or tuple: each live key has a slot, and each slot a row of doubles (its aggregates). Rows lie in
 * fixed segments, so that growing never moves one.
 */
export class KeyTable {
  readonly rowLength: number;
  readonly #slots = new Map<string, number>();
  readonly #keys: (string | null)[] = [];
  readonly #free: number[] = [];
  readonly #segments: Float64Array[] = [];
  readonly #maxKeys: number;

  constructor(rowLength: number, maxKeys = MAX_KEYS_PER_ENTITY) {
    this.rowLength = rowLength;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#slots.size;
  }

  get byteLength(): number {
    return this.#segments.length * ROWS_PER_SEGMENT * this.rowLength * 8;
  }

  /** The key's slot, a new one with an all-zero row if it has none; -1 when the table is full. */
  intern(key: string): number {
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    if (this.#slots.size >= this.#maxKeys) return -1;
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#keys.length;
      this.#keys.push(key);
      if ((slot & SEGMENT_MASK) === 0) this.#segments.push(new Float64Array(ROWS_PER_SEGMENT * this.rowLength));
    } else {
      this.#keys[slot] = key;
    }
    this.#slots.set(key, slot);
    return slot;
  }

  /** Forgets the key; its slot may be given to another. */
  release(slot: number): void {
    const key = this.#keys[slot];
    if (key === undefined || key === null) throw new Error(`SLUICE_STATE_KEY: slot ${slot} released twice`);
    this.#slots.delete(key);
    this.#keys[slot] = null;
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
}
