import type { SavedState, StateInput, StateOutput } from '../savedState.ts';

/**
 * Slots by tuples of other tables' slots: open addressing with linear probing over typed arrays, deletion by shifting
 * back (Knuth, TAOCP 6.4, algorithm R). No string is put together to find a tuple.
 */
export class TupleIndex implements SavedState {
  readonly #length: number;
  /** Integers of one place: slot + 1 (0: empty), then the tuple. */
  readonly #stride: number;
  #places: Int32Array;
  #placeMask: number;
  #size = 0;

  constructor(tupleLength: number, initialPlaces = 1_024) {
    this.#length = tupleLength;
    this.#stride = tupleLength + 1;
    this.#places = new Int32Array(initialPlaces * this.#stride);
    this.#placeMask = initialPlaces - 1;
  }

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#places.byteLength;
  }

  /** The slot of the tuple, -1 if it has none. */
  get(tuple: Int32Array): number {
    return this.#places[this.#find(tuple, 0)]! - 1;
  }

  /** Adds a tuple that is not there. */
  add(tuple: Int32Array, slot: number): void {
    if (this.#size * 2 > this.#placeMask) this.#grow();
    const place = this.#find(tuple, 0);
    this.#places[place] = slot + 1;
    this.#places.set(tuple, place + 1);
    this.#size += 1;
  }

  /** Takes out a tuple that is there. */
  delete(tuple: Int32Array): void {
    const places = this.#places;
    const stride = this.#stride;
    let hole = this.#find(tuple, 0);
    let next = hole;
    for (;;) {
      next += stride;
      if (next === places.length) next = 0;
      if (places[next] === 0) break;
      const home = this.#home(places, next + 1);
      // The entry may move into the hole unless its home lies cyclically after the hole.
      const homeIsBetween = hole <= next ? hole < home && home <= next : hole < home || home <= next;
      if (homeIsBetween) continue;
      places.copyWithin(hole, next, next + stride);
      hole = next;
    }
    places[hole] = 0;
    this.#size -= 1;
  }

  save(output: StateOutput): void {
    output.number(this.#size);
    output.array(this.#places);
  }

  load(input: StateInput): void {
    this.#size = input.number();
    this.#places = input.int32Array();
    this.#placeMask = this.#places.length / this.#stride - 1;
  }

  #home(integers: Int32Array, at: number): number {
    let hash = 0;
    for (let index = 0; index < this.#length; index++) {
      hash = Math.imul(hash ^ integers[at + index]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85ebca6b);
    return ((hash ^ (hash >>> 13)) & this.#placeMask) * this.#stride;
  }

  /** The place of the tuple that starts at `at`, or the empty place where it belongs. */
  #find(integers: Int32Array, at: number): number {
    const places = this.#places;
    const length = this.#length;
    let place = this.#home(integers, at);
    for (; places[place] !== 0; place = place + this.#stride === places.length ? 0 : place + this.#stride) {
      let index = 0;
      while (index < length && places[place + 1 + index] === integers[at + index]) index += 1;
      if (index === length) return place;
    }
    return place;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Int32Array(old.length * 2);
    this.#placeMask = this.#placeMask * 2 + 1;
    for (let from = 0; from < old.length; from += this.#stride) {
      if (old[from] === 0) continue;
      const place = this.#find(old, from + 1);
      for (let index = 0; index < this.#stride; index++) this.#places[place + index] = old[from + index]!;
    }
  }
}
