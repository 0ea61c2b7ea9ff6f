import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { murmur3 } from './murmur3.ts';
import { PagedIntegers } from './pagedIntegers.ts';
import type { PrefetchList } from './prefetchList.ts';
import { SegmentedTable } from './segmentedTable.ts';
import { WordArena } from './wordArena.ts';

/** UTF-16 units of a text, at most; the schemas allow less. */
export const MAX_TEXT_UNITS = 512;
/** Texts of one hash, at most: what a look-up may have to compare. Chance gives two or three. */
export const MAX_TEXTS_PER_HASH = 64;

/** Words of a record before its text: address of the next text of the same hash (0: none), slot. */
const LINK = 0;
const SLOT = 1;
const TEXT = 2;
/** In the table's entries: address, hash, slot. */
const TABLE_SLOT = 2;
/** A text's header, then two units a word when it is wide. */
const MAX_TEXT_WORDS = 1 + MAX_TEXT_UNITS / 2;

/**
 * Slots, which the owner gives, by texts. A text is packed into words: a header (its length, and whether it is wide), then
 * four units a word, or two if it is wide: if any of its units is beyond Latin-1. Texts are equal when all words are; the
 * table only knows their 32-bit hash, and texts of one hash are linked.
 */
export class TextIndex implements SavedState {
  /** Addresses by hash; the further word is the slot. */
  readonly #addresses = new SegmentedTable(1, 1);
  readonly #arena = new WordArena(TEXT + MAX_TEXT_WORDS);
  readonly #addressesBySlot = new PagedIntegers();
  /** The text last looked for. */
  readonly #text = new Int32Array(MAX_TEXT_WORDS);
  #textWords = 0;
  /** Its hash; and the hash of the text last touched in any way. */
  #preparedHash = 0;
  readonly #hash = new Int32Array(1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.tableBytes + this.textBytes;
  }

  /** Bytes of what leads from a text to its slot, and back. */
  get tableBytes(): number {
    return this.#addresses.byteLength + this.#addressesBySlot.byteLength;
  }

  /** Bytes of the texts themselves. */
  get textBytes(): number {
    return this.#arena.byteLength;
  }

  /** tableBytes of so many texts, on average. */
  static expectedTableBytes(texts: number): number {
    return SegmentedTable.expectedBytes(1, 1, texts) + PagedIntegers.bytesOf(texts);
  }

  /** textBytes of so many Latin-1 texts of one length. */
  static expectedTextBytes(texts: number, units: number): number {
    return WordArena.bytesOf(texts, TEXT + wordsOfHeader(units << 1));
  }

  /** The text's slot, -1 if it has none. */
  find(text: string): number {
    this.prepare(text);
    return this.findPrepared();
  }

  /** Takes a text that is about to be looked for, and lists where that begins. */
  prepare(text: string, list?: PrefetchList): void {
    this.#pack(text);
    this.#preparedHash = murmur3(this.#text, 0, this.#textWords);
    if (list !== undefined) this.#addresses.prefetchWord(this.#preparedHash, list);
  }

  /** The slot that the prepared text probably has, -1 for none; lists what is needed to be sure. */
  foresee(list: PrefetchList): number {
    const table = this.#addresses;
    if (!table.findWord(this.#preparedHash)) return -1;
    const address = table.block[table.at]!;
    list.addWord(this.#arena.block(address), this.#arena.offset(address));
    return table.block[table.at + TABLE_SLOT]!;
  }

  /** The prepared text's slot, -1 if it has none. */
  findPrepared(): number {
    if (this.#textWords === 0) return -1;
    const table = this.#addresses;
    this.#hash[0] = this.#preparedHash;
    if (!table.findWord(this.#preparedHash)) return -1;
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
    table.block[table.at + TABLE_SLOT] = slot;
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
    const block = this.#arena.block(address);
    const at = this.#arena.offset(address) + TEXT;
    const header = block[at]!;
    const perWord = (header & 1) === 1 ? 2 : 4;
    const bits = 32 / perWord;
    const mask = perWord === 2 ? 0xffff : 0xff;
    let text = '';
    for (let index = 0; index < header >>> 1; index++) {
      const word = block[at + 1 + Math.floor(index / perWord)]!;
      text += String.fromCharCode((word >>> ((index % perWord) * bits)) & mask);
    }
    return text;
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
    else if (next !== 0) {
      table.block[table.at] = next;
      table.block[table.at + TABLE_SLOT] = this.#arena.block(next)[this.#arena.offset(next) + SLOT]!;
    } else table.remove();
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

  /** Packs a text into #text; one that is too long leaves no words. */
  #pack(text: string): void {
    const { length } = text;
    this.#textWords = 0;
    if (length > MAX_TEXT_UNITS) return;
    const words = this.#text;
    let index = 0;
    let at = 1;
    let seen = 0;
    for (; index + 4 <= length; index += 4) {
      const first = text.charCodeAt(index);
      const second = text.charCodeAt(index + 1);
      const third = text.charCodeAt(index + 2);
      const fourth = text.charCodeAt(index + 3);
      seen |= first | second | third | fourth;
      words[at++] = first | (second << 8) | (third << 16) | (fourth << 24);
    }
    if (index < length) {
      let word = 0;
      for (let shift = 0; index < length; index++, shift += 8) {
        const unit = text.charCodeAt(index);
        seen |= unit;
        word |= unit << shift;
      }
      words[at++] = word;
    }
    const isWide = seen > 0xff;
    words[0] = (length << 1) | Number(isWide);
    this.#textWords = isWide ? this.#packWide(text) : at;
  }

  #packWide(text: string): number {
    const words = this.#text;
    let at = 1;
    for (let index = 0; index < text.length; index += 2) {
      // charCodeAt gives NaN past the end, which is 0 here.
      words[at++] = text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16);
    }
    return at;
  }
}

function wordsOfHeader(header: number): number {
  const length = header >>> 1;
  return 1 + ((header & 1) === 1 ? (length + 1) >>> 1 : (length + 3) >>> 2);
}
