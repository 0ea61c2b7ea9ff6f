import type { SavedState, StateInput, StateOutput } from '../savedState.ts';

/**
 * Counts per (key slot, value slot) pair: open addressing with linear probing over typed arrays, deletion by shifting
 * back (Knuth, TAOCP 6.4, algorithm R), so it never fills up with tombstones. Slots are integers from 0 to 2^31 - 2.
 */
export class PairCounts implements SavedState {
  #mask: number;
  /** [key slot + 1, value slot, count] per place; key 0 marks an empty place. */
  #places: Int32Array;
  #size = 0;

  constructor(initialPlaces = 1_024) {
    this.#mask = initialPlaces - 1;
    this.#places = new Int32Array(initialPlaces * 3);
  }

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#places.byteLength;
  }

  /** Counts one more if the pair is there. Returns the new count, 0 when it is not there. */
  incrementExisting(key: number, value: number): number {
    const place = this.#find(key, value);
    if (this.#places[place] === 0) return 0;
    const count = this.#places[place + 2]! + 1;
    this.#places[place + 2] = count;
    return count;
  }

  /** Adds a pair that is not there, with count 1. */
  add(key: number, value: number): void {
    if (this.#size * 2 > this.#mask) this.#grow();
    const place = this.#find(key, value);
    this.#places[place] = key + 1;
    this.#places[place + 1] = value;
    this.#places[place + 2] = 1;
    this.#size += 1;
  }

  /** Counts one less and drops the pair at 0. Returns the count left, -1 when the pair was not there. */
  decrement(key: number, value: number): number {
    const place = this.#find(key, value);
    if (this.#places[place] === 0) return -1;
    const count = this.#places[place + 2]! - 1;
    this.#places[place + 2] = count;
    if (count === 0) this.#remove(place);
    return count;
  }

  save(output: StateOutput): void {
    output.number(this.#size);
    output.array(this.#places);
  }

  load(input: StateInput): void {
    this.#size = input.number();
    this.#places = input.int32Array();
    this.#mask = this.#places.length / 3 - 1;
  }

  #home(key: number, value: number): number {
    let hash = Math.imul(key, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    return ((hash ^ (hash >>> 13)) & this.#mask) * 3;
  }

  #find(key: number, value: number): number {
    const places = this.#places;
    let place = this.#home(key, value);
    for (;;) {
      const found = places[place]!;
      if (found === 0 || (found === key + 1 && places[place + 1] === value)) return place;
      place += 3;
      if (place === places.length) place = 0;
    }
  }

  #remove(place: number): void {
    const places = this.#places;
    const length = places.length;
    let hole = place;
    let next = place;
    for (;;) {
      next += 3;
      if (next === length) next = 0;
      if (places[next] === 0) break;
      const home = this.#home(places[next]! - 1, places[next + 1]!);
      // The entry may move into the hole unless its home lies cyclically after the hole.
      const homeIsBetween = hole <= next ? hole < home && home <= next : hole < home || home <= next;
      if (homeIsBetween) continue;
      places[hole] = places[next]!;
      places[hole + 1] = places[next + 1]!;
      places[hole + 2] = places[next + 2]!;
      hole = next;
    }
    places[hole] = 0;
    this.#size -= 1;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let from = 0; from < old.length; from += 3) {
      if (old[from] === 0) continue;
      const place = this.#find(old[from]! - 1, old[from + 1]!);
      this.#places[place] = old[from]!;
      this.#places[place + 1] = old[from + 1]!;
      this.#places[place + 2] = old[from + 2]!;
    }
  }
}
