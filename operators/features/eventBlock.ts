import { SavedStateError } from '../savedState.ts';
import { refundedMinor, REFUND_WORDS, setRefunded } from './refundWords.ts';

const HIGH = 4_294_967_296;

/** A block's head, as the kernel has it (assembly/blocks.ts): its events, their capacity, the address of the block that follows. */
export const HEAD_INTEGERS = 16;
const COUNT = 0;
const CAPACITY = 1;
const NEXT = 2;

/** Where a block lies. */
export interface BlockPlace {
  /** In the driver's memory; 0 elsewhere, where the kernel cannot reach it. */
  readonly address: number;
  readonly head: Int32Array;
  readonly bytes: Uint8Array;
}

/** Finds places for blocks of so many bytes, all zero. */
export type PlaceBlock = (byteLength: number) => BlockPlace;

/** Bytes of an event beside its words: time 6, amount 5, facts 1. */
const FIXED_BYTES = 12;

/**
 * Events that lie together, column by column in one buffer, so that a block is written and read as it is. A time takes 48
 * bits (to the year 10889), an amount 40 (to 1.0995e12), what became known of the event (factTable.ts) 8; then `wordCount` integers an event: key slots and bits.
 */
export class EventBlock {
  readonly capacity: number;
  readonly wordCount: number;
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly #head: Int32Array;
  readonly words: Int32Array;
  readonly facts: Uint8Array;
  readonly #timesLow: Uint32Array;
  readonly #timesHigh: Uint16Array;
  readonly #amountsLow: Uint32Array;
  readonly #amountsHigh: Uint8Array;

  constructor(capacity: number, wordCount: number, placeBlock: PlaceBlock = placeAnywhere) {
    this.capacity = capacity;
    this.wordCount = wordCount;
    const { address, head, bytes } = placeBlock(EventBlock.byteLength(capacity, wordCount));
    this.address = address;
    this.#head = head;
    head[CAPACITY] = capacity;
    this.bytes = bytes;
    const { buffer, byteOffset } = bytes;
    // Widest first: each column then begins at a multiple of its width.
    this.words = new Int32Array(buffer, byteOffset, capacity * wordCount);
    let at = byteOffset + this.words.byteLength;
    this.#timesLow = new Uint32Array(buffer, at, capacity);
    at += 4 * capacity;
    this.#amountsLow = new Uint32Array(buffer, at, capacity);
    at += 4 * capacity;
    this.#timesHigh = new Uint16Array(buffer, at, capacity);
    at += 2 * capacity;
    this.#amountsHigh = new Uint8Array(buffer, at, capacity);
    at += capacity;
    this.facts = new Uint8Array(buffer, at, capacity);
  }

  static byteLength(capacity: number, wordCount: number): number {
    return capacity * (FIXED_BYTES + 4 * wordCount);
  }

  get count(): number {
    return this.#head[COUNT]!;
  }

  set count(count: number) {
    this.#head[COUNT] = count;
  }

  /** Tells the kernel which block follows. */
  protected setNext(block: EventBlock | null): void {
    this.#head[NEXT] = block?.address ?? 0;
  }

  /** Takes what was saved of a block. */
  load(bytes: Uint8Array, count: number): void {
    if (bytes.length !== this.bytes.length) throw new SavedStateError(`a block of ${bytes.length} bytes`);
    if (!(count >= 0 && count <= this.capacity)) throw new SavedStateError(`a block of ${count} events`);
    this.bytes.set(bytes);
    this.count = count;
  }

  timeMs(index: number): number {
    return this.#timesHigh[index]! * HIGH + this.#timesLow[index]!;
  }

  amountMinor(index: number): number {
    return this.#amountsHigh[index]! * HIGH + this.#amountsLow[index]!;
  }

  /** What was refunded of an event, where its last words hold that. */
  refundedMinor(index: number): number {
    return refundedMinor(this.words, (index + 1) * this.wordCount - REFUND_WORDS);
  }

  setRefunded(index: number, amountMinor: number): void {
    setRefunded(this.words, (index + 1) * this.wordCount - REFUND_WORDS, amountMinor);
  }

  /** Sets all but the words. */
  set(index: number, timeMs: number, amountMinor: number, facts: number): void {
    this.#timesHigh[index] = Math.floor(timeMs / HIGH);
    this.#timesLow[index] = timeMs % HIGH;
    this.#amountsHigh[index] = Math.floor(amountMinor / HIGH);
    this.#amountsLow[index] = amountMinor % HIGH;
    this.facts[index] = facts;
  }

  /** Puts another block's event behind this one's last. */
  append(from: EventBlock, fromIndex: number): void {
    const index = this.count;
    this.#timesLow[index] = from.#timesLow[fromIndex]!;
    this.#timesHigh[index] = from.#timesHigh[fromIndex]!;
    this.#amountsLow[index] = from.#amountsLow[fromIndex]!;
    this.#amountsHigh[index] = from.#amountsHigh[fromIndex]!;
    this.facts[index] = from.facts[fromIndex]!;
    const { wordCount } = this;
    const at = index * wordCount;
    const fromAt = fromIndex * wordCount;
    for (let word = 0; word < wordCount; word++) this.words[at + word] = from.words[fromAt + word]!;
    this.count = index + 1;
  }

  /** Puts another block's events from one index up to another behind this one's last. */
  appendAll(from: EventBlock, start: number, end: number): void {
    const { count, wordCount } = this;
    this.words.set(from.words.subarray(start * wordCount, end * wordCount), count * wordCount);
    this.#timesLow.set(from.#timesLow.subarray(start, end), count);
    this.#timesHigh.set(from.#timesHigh.subarray(start, end), count);
    this.#amountsLow.set(from.#amountsLow.subarray(start, end), count);
    this.#amountsHigh.set(from.#amountsHigh.subarray(start, end), count);
    this.facts.set(from.facts.subarray(start, end), count);
    this.count = count + end - start;
  }

  /** Moves the events from `index` on up by one place. */
  openGap(index: number): void {
    const { count, wordCount } = this;
    this.words.copyWithin((index + 1) * wordCount, index * wordCount, count * wordCount);
    this.#timesLow.copyWithin(index + 1, index, count);
    this.#timesHigh.copyWithin(index + 1, index, count);
    this.#amountsLow.copyWithin(index + 1, index, count);
    this.#amountsHigh.copyWithin(index + 1, index, count);
    this.facts.copyWithin(index + 1, index, count);
    this.count = count + 1;
  }

  /** Index of the first event that is later than `timeMs`. */
  upperBound(timeMs: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timeMs(middle) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function placeAnywhere(byteLength: number): BlockPlace {
  return { address: 0, head: new Int32Array(HEAD_INTEGERS), bytes: new Uint8Array(byteLength) };
}
