import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { murmur3 } from './murmur3.ts';
import { MAX_TEXT_WORDS, packText, unpackText, wordsOfHeader } from './packedText.ts';
import { PagedIntegers } from './pagedIntegers.ts';
import { SegmentedTable } from './segmentedTable.ts';
import { WordArena } from './wordArena.ts';

/** Texts of one hash, at most: what a look-up may have to compare. Chance gives two or three. */
export const MAX_TEXTS_PER_HASH = 64;

/** Words of a record before its text: address of the next text of the same hash (0: none), slot. */
const LINK = 0;
const SLOT = 1;
const TEXT = 2;

/** Slots, which the owner gives, by texts, which are packed. The table only knows their 32-bit hash, and texts of one hash are linked. */
export class TextIndex implements SavedState {
  /** Addresses by hash. */
  readonly #addresses = new SegmentedTable(1);
  readonly #arena = new WordArena(TEXT + MAX_TEXT_WORDS);
  readonly #addressesBySlot = new PagedIntegers();
  /** The text last looked for. */
  readonly #text = new Int32Array(MAX_TEXT_WORDS);
  #textWords = 0;
  /** The hash of the text last touched in any way. */
  readonly #hash = new Int32Array(1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#addresses.byteLength + this.#addressesBySlot.byteLength + this.#arena.byteLength;
  }

  /** The text's slot, -1 if it has none. */
  find(text: string): number {
    const words = packText(text, this.#text, 0);
    this.#textWords = words;
    if (words === 0) return -1;
    const hash = murmur3(this.#text, 0, words);
    this.#hash[0] = hash;
    const table = this.#addresses;
    if (!table.findWord(hash)) return -1;
    for (let address = table.block[table.at]!; address !== 0;) {
      const block = this.#arena.block(address);
      const offset = this.#arena.offset(address);
      if (this.#isText(block, offset + TEXT)) return block[offset + SLOT]!;
      address = block[offset + LINK]!;
    }
    return -1;
  }

  /** Gives the text that the last call, a `find`, has not found a slot that has no text. False: there is no room. */
  add(slot: number): boolean {
    const words = this.#textWords;
    if (words === 0) return false;
    const table = this.#addresses;
    let head = 0;
    if (table.find(this.#hash)) {
      head = table.block[table.at]!;
      if (this.#chainLength(head) >= MAX_TEXTS_PER_HASH) return false;
    } else if (!table.add(this.#hash, -1)) return false;
    const address = this.#arena.allocate(TEXT + words);
    table.block[table.at] = address;
    const block = this.#arena.block(address);
    const offset = this.#arena.offset(address);
    block[offset + LINK] = head;
    block[offset + SLOT] = slot;
    for (let index = 0; index < words; index++) block[offset + TEXT + index] = this.#text[index]!;
    this.#addressesBySlot.set(slot, address);
    this.#size += 1;
    return true;
  }

  /** The text of a slot; null if it has none. */
  textOf(slot: number): string | null {
    const address = this.#addressesBySlot.get(slot);
    if (address === 0) return null;
    return unpackText(this.#arena.block(address), this.#arena.offset(address) + TEXT);
  }

  /** Takes out the text of a slot. */
  remove(slot: number): void {
    const address = this.#addressesBySlot.get(slot);
    if (address === 0) throw new Error(`SLUICE_STATE_KEY: slot ${slot} released twice`);
    this.#addressesBySlot.set(slot, 0);
    const block = this.#arena.block(address);
    const offset = this.#arena.offset(address);
    const words = wordsOfHeader(block[offset + TEXT]!);
    this.#hash[0] = murmur3(block, offset + TEXT, words);
    const table = this.#addresses;
    table.find(this.#hash);
    const next = block[offset + LINK]!;
    const head = table.block[table.at]!;
    if (head !== address) this.#linkOver(head, address, next);
    else if (next !== 0) table.block[table.at] = next;
    else table.remove();
    this.#arena.release(address, TEXT + words);
    this.#size -= 1;
  }

  save(output: StateOutput): void {
    output.number(this.#size);
    for (const part of this.#parts()) part.save(output);
  }

  load(input: StateInput): void {
    this.#size = input.number();
    for (const part of this.#parts()) part.load(input);
  }

  #parts(): readonly SavedState[] {
    return [this.#addresses, this.#arena, this.#addressesBySlot];
  }

  #linkOver(head: number, address: number, next: number): void {
    let before = head;
    for (;;) {
      const block = this.#arena.block(before);
      const offset = this.#arena.offset(before);
      if (block[offset + LINK] === address) {
        block[offset + LINK] = next;
        return;
      }
      before = block[offset + LINK]!;
    }
  }

  #chainLength(head: number): number {
    let length = 0;
    for (let address = head; address !== 0; length++)
      address = this.#arena.block(address)[this.#arena.offset(address) + LINK]!;
    return length;
  }

  #isText(block: Int32Array, at: number): boolean {
    const text = this.#text;
    const words = this.#textWords;
    for (let index = 0; index < words; index++) if (block[at + index] !== text[index]) return false;
    return true;
  }
}
