import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { packText, unpackText } from '../tables/packedText.ts';
import { expectedSegments } from '../tables/segmentedTable.ts';
import { ColumnKernel, KEY_WORD, tableBytesOf } from './kernel/columnKernel.ts';

/** Position of the number of held events in every row; aggregates follow it. */
export const ROW_EVENTS = 0;

/** In place of a slot: there is no room for the key. */
export const KEY_REFUSED = -1;
/** In place of a slot: the payment has no such key. */
export const NO_KEY = -2;
/** In place of a slot that is yet to be found. */
const KEY_TAKEN = 0;

/** Bytes of a place of the index; of a slot's record's address; of the chunks in which records lie. */
const PLACE_BYTES = 12;
const REFERENCE_BYTES = 4;
const REFERENCES_PER_PAGE = 1_024;
const CHUNK_WORDS = 16_384;
const WORD_BYTES = 4;

/** Bytes of a table of keys by what they are for. */
export interface KeyTableBytes {
  readonly rows: number;
  /** What leads from a key to its row, and back. */
  readonly index: number;
  /** The keys themselves. */
  readonly keys: number;
}

/**
 * The keys of one entity or tuple, which its kernel keeps (assembly/keys.ts): each live key has a slot, and each slot a row of doubles (its
 * aggregates), which never moves. The slot given up last is given first to a new key. Keys are texts, or tuples of other tables'
 * slots; those must not be released before the tuple.
 */
export class KeyTable implements SavedState {
  readonly kernel: ColumnKernel;

  constructor(kernel: ColumnKernel) {
    this.kernel = kernel;
  }

  get size(): number {
    return this.kernel.calls.liveKeys();
  }

  get bytes(): KeyTableBytes {
    const { calls, rowBytes } = this.kernel;
    return { rows: rowBytes, index: calls.indexBytes(), keys: calls.recordBytes() };
  }

  /** `bytes` of so many live keys, on average, when they take so many words (wordsOfText, wordsOfTuple). */
  static expectedBytes(keys: number, rowLength: number, words: number): KeyTableBytes {
    const pages = Math.ceil(keys / REFERENCES_PER_PAGE);
    return {
      rows: ColumnKernel.rowBytesOf(keys, rowLength),
      index: tableBytesOf(PLACE_BYTES, expectedSegments(keys)) + pages * REFERENCES_PER_PAGE * REFERENCE_BYTES,
      keys: Math.ceil(keys / Math.floor(CHUNK_WORDS / words)) * CHUNK_WORDS * WORD_BYTES,
    };
  }

  /** What a text gives in place of a slot until that is found; the kernel then has the text at hand. */
  take(text: string | null): number {
    if (text === null) return NO_KEY;
    return packText(text, this.kernel.words, KEY_WORD) === 0 ? KEY_REFUSED : KEY_TAKEN;
  }

  /** The texts that the slot's key is made of, those of a tuple from its members' tables; null if the slot has no key. */
  textsOf(slot: number, members: readonly KeyTable[]): readonly string[] | null {
    const { calls, words } = this.kernel;
    const at = calls.recordOf(slot) >>> 2;
    if (at === 0) return null;
    if (members.length === 0) return [unpackText(words, at)];
    return members.map((member, index) => member.textsOf(words[at + 1 + index]!, [])?.[0] ?? '');
  }

  save(output: StateOutput): void {
    this.kernel.save(output);
  }

  load(input: StateInput): void {
    this.kernel.load(input);
  }
}

/** Words of a Latin-1 text of so many characters, and of a tuple, as a kernel keeps them. */
export function wordsOfText(characters: number): number {
  return 1 + Math.ceil(characters / WORD_BYTES);
}

export function wordsOfTuple(members: number): number {
  return 1 + members;
}
