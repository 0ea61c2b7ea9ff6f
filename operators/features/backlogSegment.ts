import { EventBlock } from './eventBlock.ts';
import type { SealedBlock } from './sealedEvents.ts';
import { SlotIndex } from './slotIndex.ts';

/** Events of a segment that holds copies. */
const COPIED_EVENTS = 1_024;
/** Events that are compared one by one until there are more of them. */
const MOST_COMPARED = 128;

/**
 * Events of a backlog that lie in one block, from `from` up to `end`, and for which of their keys they have crossed already. A sealed
 * block is used where it lies, since no event is ever put among its events; of others there are copies.
 */
export class BacklogSegment {
  readonly block: EventBlock;
  /** To be given back; null for copies. */
  readonly sealed: SealedBlock | null;
  /** By event and key, 1 for those settled. */
  readonly settled: Uint8Array;
  readonly #columns: Int32Array;
  from: number;
  end: number;
  #index: SlotIndex | null = null;
  /** Where the events end that the index knows. */
  #indexedTo = 0;

  /** `columns` of the keys to which something happens at the edge. */
  private constructor(block: EventBlock, sealed: SealedBlock | null, from: number, columns: Int32Array) {
    this.block = block;
    this.sealed = sealed;
    this.settled = new Uint8Array(block.capacity * columns.length);
    this.#columns = columns;
    this.from = from;
    this.end = from;
  }

  static ofSealed(block: SealedBlock, from: number, columns: Int32Array): BacklogSegment {
    return new BacklogSegment(block, block, from, columns);
  }

  static ofCopies(wordCount: number, columns: Int32Array): BacklogSegment {
    return new BacklogSegment(new EventBlock(COPIED_EVENTS, wordCount), null, 0, columns);
  }

  /** Without a sealed block, which is counted as the reservoir's. */
  get byteLength(): number {
    const index = this.#index === null ? 0 : SlotIndex.byteLength(this.#columns.length, this.#indexedTo);
    return this.settled.length + index + (this.sealed === null ? this.block.bytes.length : 0);
  }

  /** Events that no index knows and that are too many to be compared. */
  get needsIndex(): boolean {
    return this.end - Math.max(this.from, this.#indexedTo) > MOST_COMPARED;
  }

  buildIndex(): void {
    const { words, wordCount } = this.block;
    this.setIndex(new SlotIndex(this.#columns, words, wordCount, this.from, this.end), this.end);
  }

  /** Takes an index that was made of the block's events up to `indexedTo`. */
  setIndex(index: SlotIndex, indexedTo: number): void {
    this.#index = index;
    this.#indexedTo = indexedTo;
  }

  /** The next event at or after `from` that has this slot as its key and is not settled, -1 for none; it is then settled. */
  settleNext(key: number, slot: number, from: number): number {
    const { settled, end } = this;
    const keys = this.#columns.length;
    if (this.#index !== null) {
      // It may know events of the block that are not due yet.
      for (let event = this.#index.take(key, slot, end); event >= 0; event = this.#index.take(key, slot, end)) {
        const mark = event * keys + key;
        if (event < this.from || settled[mark] !== 0) continue;
        settled[mark] = 1;
        return event;
      }
    }
    const { words, wordCount } = this.block;
    const column = this.#columns[key]!;
    for (let event = Math.max(from, this.from, this.#indexedTo); event < end; event++) {
      if (words[event * wordCount + column] !== slot) continue;
      const mark = event * keys + key;
      if (settled[mark] !== 0) continue;
      settled[mark] = 1;
      return event;
    }
    return -1;
  }
}
