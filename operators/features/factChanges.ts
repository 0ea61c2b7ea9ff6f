import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import type { EventBlock } from './eventBlock.ts';
import { refundedMinor, REFUND_WORDS, setRefunded } from './refundWords.ts';

const SEGMENT_ENTRIES = 65_536;
const SEGMENT_SHIFT = 16;
const SEGMENT_MASK = SEGMENT_ENTRIES - 1;
const PAGE_BLOCKS = 4_096;
const NONE = -1;

/**
 * Facts that became known after their event's block was sealed: a list for each block, laid over the block whenever it is read.
 * Eight bytes a change, sixteen with refunds. A block's changes go when every window has passed the block.
 */
export class FactChanges implements SavedState {
  readonly #maxChanges: number;
  readonly #hasRefunds: boolean;
  /** Integers of an entry. */
  readonly #width: number;
  /** Of an entry: (index in the block, facts), the next entry of the block, with refunds what was refunded. */
  readonly #segments: Int32Array[] = [];
  /** The first entry of each block, by pages of blocks. */
  readonly #pages = new Map<number, Int32Array>();
  #used = 0;
  #free = NONE;
  #count = 0;
  #oldestBlock = 0;

  /** `hasRefunds`: an event's last words hold what was refunded of it. */
  constructor(maxChanges: number, hasRefunds: boolean) {
    this.#maxChanges = maxChanges;
    this.#hasRefunds = hasRefunds;
    this.#width = hasRefunds ? 2 + REFUND_WORDS : 2;
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#segments.length * SEGMENT_ENTRIES * 4 * this.#width + this.#pages.size * PAGE_BLOCKS * 4;
  }

  /** Bytes of so many changes that are spread over so many blocks. */
  static bytesOf(changes: number, blocks: number): number {
    if (changes === 0) return 0;
    const pages = Math.ceil(blocks / PAGE_BLOCKS);
    return Math.ceil(changes / SEGMENT_ENTRIES) * SEGMENT_ENTRIES * 8 + pages * PAGE_BLOCKS * 4;
  }

  /** Returns false when there is no room for a further change. */
  set(block: number, index: number, facts: number, refunded: number): boolean {
    const value = index * 256 + facts;
    for (let entry = this.#first(block); entry !== NONE; entry = this.#read(entry, 1)) {
      if (this.#read(entry, 0) >>> 8 !== index) continue;
      this.#write(entry, 0, value);
      this.#setRefunded(entry, refunded);
      return true;
    }
    if (this.#count >= this.#maxChanges) return false;
    const entry = this.#allocate();
    this.#write(entry, 0, value);
    this.#write(entry, 1, this.#first(block));
    this.#setRefunded(entry, refunded);
    this.#page(block)[block % PAGE_BLOCKS] = entry;
    this.#count += 1;
    return true;
  }

  /** Sets the facts that became known since the block was sealed. */
  applyTo(block: number, events: EventBlock): void {
    for (let entry = this.#first(block); entry !== NONE; entry = this.#read(entry, 1)) {
      const value = this.#read(entry, 0);
      const index = value >>> 8;
      events.facts[index] = value & 255;
      if (this.#hasRefunds) events.setRefunded(index, refundedMinor(this.#segmentOf(entry), this.#at(entry) + 2));
    }
  }

  dropBefore(block: number): void {
    for (; this.#oldestBlock < block; this.#oldestBlock++) this.#dropOldest();
  }

  save(output: StateOutput): void {
    for (const value of [this.#used, this.#free, this.#count, this.#oldestBlock]) output.number(value);
    output.array(Float64Array.from(this.#pages.keys()));
    for (const page of this.#pages.values()) output.array(page);
    for (const segment of this.#segments) output.array(segment);
  }

  load(input: StateInput): void {
    this.#used = input.number();
    this.#free = input.number();
    this.#count = input.number();
    this.#oldestBlock = input.number();
    this.#pages.clear();
    for (const number of input.float64Array()) this.#pages.set(number, ofLength(input.int32Array(), PAGE_BLOCKS));
    this.#segments.length = 0;
    while (this.#segments.length * SEGMENT_ENTRIES < this.#used)
      this.#segments.push(ofLength(input.int32Array(), SEGMENT_ENTRIES * this.#width));
  }

  #dropOldest(): void {
    const block = this.#oldestBlock;
    let entry = this.#first(block);
    while (entry !== NONE) {
      const next = this.#read(entry, 1);
      this.#write(entry, 1, this.#free);
      this.#free = entry;
      this.#count -= 1;
      entry = next;
    }
    if ((block + 1) % PAGE_BLOCKS === 0) this.#pages.delete(Math.floor(block / PAGE_BLOCKS));
  }

  #first(block: number): number {
    return this.#pages.get(Math.floor(block / PAGE_BLOCKS))?.[block % PAGE_BLOCKS] ?? NONE;
  }

  #page(block: number): Int32Array {
    const number = Math.floor(block / PAGE_BLOCKS);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Int32Array(PAGE_BLOCKS).fill(NONE);
      this.#pages.set(number, page);
    }
    return page;
  }

  #allocate(): number {
    const entry = this.#free;
    if (entry !== NONE) {
      this.#free = this.#read(entry, 1);
      return entry;
    }
    if (this.#used === this.#segments.length * SEGMENT_ENTRIES)
      this.#segments.push(new Int32Array(SEGMENT_ENTRIES * this.#width));
    this.#used += 1;
    return this.#used - 1;
  }

  #read(entry: number, field: number): number {
    return this.#segmentOf(entry)[this.#at(entry) + field]!;
  }

  #write(entry: number, field: number, value: number): void {
    this.#segmentOf(entry)[this.#at(entry) + field] = value;
  }

  #setRefunded(entry: number, refunded: number): void {
    if (this.#hasRefunds) setRefunded(this.#segmentOf(entry), this.#at(entry) + 2, refunded);
  }

  #segmentOf(entry: number): Int32Array {
    return this.#segments[entry >>> SEGMENT_SHIFT]!;
  }

  /** Where an entry begins in its segment. */
  #at(entry: number): number {
    return (entry & SEGMENT_MASK) * this.#width;
  }
}

function ofLength(values: Int32Array, length: number): Int32Array {
  if (values.length !== length) throw new SavedStateError(`${values.length} integers of changed facts, not ${length}`);
  return values;
}
