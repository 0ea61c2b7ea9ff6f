/** Fibonacci hashing (Knuth 6.4): 2^32 over the golden ratio. */
const MULTIPLIER = 0x9e3779b1;

/**
 * Where in a block the events of a key are: for each of its columns chains of events whose slots share a hash, the
 * oldest first. An event is numbered from 1, 0 ends a chain. What is taken is gone.
 */
export class SlotIndex {
  readonly #columns: Int32Array;
  readonly #wordCount: number;
  readonly #capacity: number;
  readonly #words: Int32Array;
  readonly #bucketShift: number;
  readonly #buckets: number;
  /** By column and bucket: as many as events, up to a power of two. */
  readonly #first: Uint16Array;
  /** By column and event. */
  readonly #next: Uint16Array;

  /** Of the events of a block, whose words these are, from one index up to another. */
  constructor(columns: Int32Array, words: Int32Array, wordCount: number, from: number, end: number) {
    this.#columns = columns;
    this.#wordCount = wordCount;
    this.#capacity = end + 1;
    this.#words = words;
    this.#bucketShift = Math.clz32(end);
    this.#buckets = 1 << (32 - this.#bucketShift);
    this.#first = new Uint16Array(columns.length * this.#buckets);
    this.#next = new Uint16Array(columns.length * this.#capacity);
    for (let column = 0; column < columns.length; column++) this.#addColumn(column, from, end);
  }

  static byteLength(columns: number, events: number): number {
    return columns * ((1 << (32 - Math.clz32(events))) + events + 1) * Uint16Array.BYTES_PER_ELEMENT;
  }

  /** Takes out the oldest event that has this slot in the column, if it lies before `end`; -1 if there is none. */
  take(column: number, slot: number, end: number): number {
    const words = this.#words;
    const next = this.#next;
    const nextAt = column * this.#capacity;
    const wordAt = this.#columns[column]! - this.#wordCount;
    const bucket = this.#bucketOf(column, slot);
    let before = 0;
    for (let event = this.#first[bucket]!; event !== 0 && event <= end; event = next[nextAt + event]!) {
      if (words[wordAt + event * this.#wordCount] === slot) {
        if (before === 0) this.#first[bucket] = next[nextAt + event]!;
        else next[nextAt + before] = next[nextAt + event]!;
        return event - 1;
      }
      before = event;
    }
    return -1;
  }

  #addColumn(column: number, from: number, end: number): void {
    const words = this.#words;
    const first = this.#first;
    const next = this.#next;
    const nextAt = column * this.#capacity;
    const wordAt = this.#columns[column]! - this.#wordCount;
    for (let event = end; event > from; event--) {
      const slot = words[wordAt + event * this.#wordCount]!;
      if (slot < 0) continue;
      const bucket = this.#bucketOf(column, slot);
      next[nextAt + event] = first[bucket]!;
      first[bucket] = event;
    }
  }

  #bucketOf(column: number, slot: number): number {
    return column * this.#buckets + (Math.imul(slot, MULTIPLIER) >>> this.#bucketShift);
  }
}
