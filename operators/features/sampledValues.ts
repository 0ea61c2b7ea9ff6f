import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { murmur3OfPair } from '../tables/murmur3.ts';
import { wordPages, type Pages } from '../tables/pages.ts';

/** Integers of one place: the value's slot + 1 (0: empty), and how many of its events are counted. */
const PLACE_WORDS = 2;

/**
 * The values of each sample of a key's values, and how many events each has: one small hash table a sample, at most half full
 * (linear probing; deletion shifts back, Knuth 6.4 R). Small, so that all values of a sample can be gone over.
 */
export class SampledValues implements SavedState {
  /** Of each table, a power of two. */
  readonly places: number;
  /** The hash's high bits choose a place: in a sample its low bits are alike. */
  readonly #shift: number;
  readonly #tables: Pages<Int32Array>;
  readonly #scratch: Int32Array;

  /** `maxValues`: of one sample. It may be passed by one. */
  constructor(maxValues: number) {
    this.places = placesOf(maxValues);
    this.#shift = Math.clz32(this.places) + 1;
    this.#tables = wordPages(this.places * PLACE_WORDS);
    this.#scratch = new Int32Array(this.places * PLACE_WORDS);
  }

  /** Bytes of so many tables. */
  static bytesOf(tables: number, maxValues: number): number {
    return (tables + 1) * placesOf(maxValues) * PLACE_WORDS * 4;
  }

  /** Adds an empty table behind the last. */
  add(): void {
    this.#tables.add();
  }

  clear(table: number): void {
    const start = this.#tables.startOf(table);
    this.#tables.arrayOf(table).fill(0, start, start + this.#scratch.length);
  }

  /** The value at a place of a table; -1 for none. */
  valueAt(table: number, place: number): number {
    return this.#tables.arrayOf(table)[this.#tables.startOf(table) + place * PLACE_WORDS]! - 1;
  }

  /** How many events the value at a place has. */
  eventsAt(table: number, place: number): number {
    return this.#tables.arrayOf(table)[this.#tables.startOf(table) + place * PLACE_WORDS + 1]!;
  }

  /** Counts an event in (sign 1) or out (-1); returns by how much the number of values has changed. */
  count(table: number, key: number, value: number, sign: number): number {
    const words = this.#tables.arrayOf(table);
    const start = this.#tables.startOf(table);
    const mask = this.places - 1;
    let place = sampleHash(key, value) >>> this.#shift;
    let at = start + place * PLACE_WORDS;
    while (words[at] !== 0 && words[at] !== value + 1) {
      place = (place + 1) & mask;
      at = start + place * PLACE_WORDS;
    }
    if (words[at] === 0) {
      if (sign < 0) return 0;
      words[at] = value + 1;
      words[at + 1] = 1;
      return 1;
    }
    words[at + 1]! += sign;
    if (words[at + 1] !== 0) return 0;
    this.#remove(words, start, key, place);
    return -1;
  }

  /** Drops the values that are not in a sample of one in `weight`; returns how many are left. */
  thin(table: number, key: number, weight: number): number {
    const words = this.#tables.arrayOf(table);
    const start = this.#tables.startOf(table);
    const scratch = this.#scratch;
    const mask = this.places - 1;
    for (let index = 0; index < scratch.length; index++) scratch[index] = words[start + index]!;
    this.clear(table);
    let values = 0;
    for (let from = 0; from < scratch.length; from += PLACE_WORDS) {
      const word = scratch[from]!;
      if (word === 0) continue;
      const hash = sampleHash(key, word - 1);
      if (!isSampled(hash, weight)) continue;
      let place = hash >>> this.#shift;
      while (words[start + place * PLACE_WORDS] !== 0) place = (place + 1) & mask;
      words[start + place * PLACE_WORDS] = word;
      words[start + place * PLACE_WORDS + 1] = scratch[from + 1]!;
      values += 1;
    }
    return values;
  }

  save(output: StateOutput): void {
    output.number(this.#tables.count);
    this.#tables.save(output);
  }

  load(input: StateInput): void {
    this.#tables.load(input.number(), () => input.int32Array());
  }

  #remove(words: Int32Array, start: number, key: number, from: number): void {
    const mask = this.places - 1;
    let hole = from;
    for (let next = (from + 1) & mask; ; next = (next + 1) & mask) {
      const word = words[start + next * PLACE_WORDS]!;
      if (word === 0) break;
      const home = sampleHash(key, word - 1) >>> this.#shift;
      // It may move into the hole unless its home lies after the hole.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      words[start + hole * PLACE_WORDS] = word;
      words[start + hole * PLACE_WORDS + 1] = words[start + next * PLACE_WORDS + 1]!;
      hole = next;
    }
    words[start + hole * PLACE_WORDS] = 0;
  }
}

/** Independent of the one by which tables of pairs are laid out; for one key no two values have the same. */
export function sampleHash(key: number, value: number): number {
  return murmur3OfPair(value, key);
}

/** Whether a value with this hash is in a sample of one in `weight`, a power of two up to 2^32. */
export function isSampled(hash: number, weight: number): boolean {
  return (hash & (weight - 1)) === 0;
}

function placesOf(maxValues: number): number {
  let places = 4;
  while (places < 2 * maxValues) places *= 2;
  return places;
}
