import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { PagedIntegers } from '../tables/pagedIntegers.ts';
import { TextIndex } from '../tables/textIndex.ts';
import { EntryNotes } from './entryNotes.ts';
import { ExpiryHeap } from './expiryHeap.ts';
import { ListRange, type RangeKind } from './listRange.ts';
import { RangeIndex } from './rangeIndex.ts';

export interface ListEntry {
  readonly value: string;
  readonly addedAtMs: number;
  /** Epoch milliseconds from which the entry no longer holds; null: it stays. */
  readonly expiresAtMs: number | null;
  readonly author: string;
  readonly reason: string;
}

/** A slot's words: when it was added (low, high; of a free slot the one freed before + 1), its note. */
const RECORD_WORDS = 3;
const ADDED = 0;
const NOTE = 2;
const TWO_TO_32 = 4_294_967_296;

/**
 * The entries of one list in flat tables, of which the collector sees nothing: some 70 bytes and the text for each. Values are
 * looked up by their text; those that are ranges of addresses or BINs also by what lies in them.
 */
export class ListEntries implements SavedState {
  readonly ranges: RangeKind;
  readonly #notes = new EntryNotes();
  readonly #values = new TextIndex();
  readonly #records = new PagedIntegers();
  readonly #expiries = new ExpiryHeap();
  readonly #narrow = new RangeIndex(1);
  readonly #wide = new RangeIndex(4);
  readonly #range = new ListRange();
  #slots = 0;
  #free = 0;
  #timeMs = 0;
  readonly #holds = (slot: number): boolean => this.#expiries.expiryMs(slot) > this.#timeMs;

  constructor(ranges: RangeKind) {
    this.ranges = ranges;
  }

  /** Those that have expired and were not dropped among them. */
  get size(): number {
    return this.#values.size;
  }

  /** Slots ever given: entries have slots below it. */
  get slots(): number {
    return this.#slots;
  }

  get earliestExpiryMs(): number {
    return this.#expiries.earliestMs;
  }

  get byteLength(): number {
    const parts = [this.#values, this.#records, this.#expiries, this.#notes, this.#narrow, this.#wide];
    return parts.reduce((bytes, part) => bytes + part.byteLength, 0);
  }

  has(value: string): boolean {
    return this.#values.find(value) >= 0;
  }

  /** Puts or changes an entry. False: there is no room for its text or note (MAX_TEXTS_PER_HASH). */
  put({ value, addedAtMs, expiresAtMs, author, reason }: ListEntry): boolean {
    const known = this.#values.find(value);
    const slot = known >= 0 ? known : this.#free === 0 ? this.#slots : this.#free - 1;
    if (known < 0 && !this.#values.add(slot)) return false;
    const note = this.#notes.use({ author, reason });
    if (note < 0) {
      if (known < 0) this.#values.remove(slot);
      return false;
    }
    if (known >= 0) this.#notes.release(this.#get(slot, NOTE));
    else {
      if (this.#free === 0) this.#slots += 1;
      else this.#free = this.#get(slot, ADDED);
      const range = this.#rangeOf(value);
      if (range !== null) this.#indexOf(range).add(range.from, range.to, slot);
    }
    this.#set(slot, ADDED, addedAtMs | 0);
    this.#set(slot, ADDED + 1, Math.floor(addedAtMs / TWO_TO_32));
    this.#set(slot, NOTE, note);
    this.#expiries.set(slot, expiresAtMs ?? Infinity);
    return true;
  }

  /** Takes an entry off; false: it is not there. */
  delete(value: string): boolean {
    const slot = this.#values.find(value);
    if (slot < 0) return false;
    this.#drop(slot, value);
    return true;
  }

  /** Drops the entry that expires first. */
  dropEarliest(): void {
    const slot = this.#expiries.earliest;
    const value = this.#values.textOf(slot);
    if (value !== null) this.#drop(slot, value);
  }

  /**
   * The slot of the entry that holds for a value at a time, -1 if there is none: the entry of the value itself, else the narrowest
   * range that it lies in. A value may be written in any way: an address is found by what it is.
   */
  find(value: string, timeMs: number): number {
    this.#timeMs = timeMs;
    const slot = this.#values.find(value);
    if (slot >= 0 && this.#holds(slot)) return slot;
    if (this.ranges === 'none') return -1;
    const range = this.#range;
    if (!range.parse(this.ranges, value)) return -1;
    if (this.ranges === 'ip' && range.width === 4) {
      const written = this.#values.find(range.text('ip'));
      if (written >= 0 && this.#holds(written)) return written;
    }
    const index = this.#indexOf(range);
    return index.size === 0 ? -1 : index.find(range.from, range.to, this.#holds);
  }

  /** The entry of a slot if it holds at a time. */
  entry(slot: number, timeMs: number): ListEntry | null {
    const value = this.#values.textOf(slot);
    const expiryMs = this.#expiries.expiryMs(slot);
    if (value === null || expiryMs <= timeMs) return null;
    const addedAtMs = this.#get(slot, ADDED + 1) * TWO_TO_32 + (this.#get(slot, ADDED) >>> 0);
    const expiresAtMs = expiryMs === Infinity ? null : expiryMs;
    return { value, addedAtMs, expiresAtMs, ...this.#notes.get(this.#get(slot, NOTE)) };
  }

  save(output: StateOutput): void {
    output.number(this.#slots);
    output.number(this.#free);
    for (const part of this.#parts()) part.save(output);
  }

  load(input: StateInput): void {
    this.#slots = input.number();
    this.#free = input.number();
    for (const part of this.#parts()) part.load(input);
  }

  #parts(): readonly SavedState[] {
    const texts = [this.#values, this.#records, this.#expiries, this.#notes];
    return this.ranges === 'none' ? texts : [...texts, this.#narrow, this.#wide];
  }

  #drop(slot: number, value: string): void {
    const range = this.#rangeOf(value);
    if (range !== null) this.#indexOf(range).remove(range.from, range.to);
    this.#expiries.set(slot, Infinity);
    this.#notes.release(this.#get(slot, NOTE));
    this.#values.remove(slot);
    this.#set(slot, ADDED, this.#free);
    this.#free = slot + 1;
  }

  /**
   * The range that an entry stands for; null: it stands for its own text only, as what is not written in the one way in which
   * ingest writes it.
   */
  #rangeOf(value: string): ListRange | null {
    const range = this.#range;
    if (this.ranges === 'none' || !range.parse(this.ranges, value) || range.isSingle) return null;
    return range.text(this.ranges) === value ? range : null;
  }

  #indexOf({ width }: ListRange): RangeIndex {
    return width === 1 ? this.#narrow : this.#wide;
  }

  #get(slot: number, word: number): number {
    return this.#records.get(slot * RECORD_WORDS + word);
  }

  #set(slot: number, word: number, value: number): void {
    this.#records.set(slot * RECORD_WORDS + word, value);
  }
}
