import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { PagedIntegers } from '../tables/pagedIntegers.ts';

/** Words of an item: its slot, its time (low, high). */
const ITEM_WORDS = 3;
const TWO_TO_32 = 4_294_967_296;

/** Slots in order of the time at which they expire: a binary heap that knows where each slot is. */
export class ExpiryHeap implements SavedState {
  readonly #items = new PagedIntegers();
  /** By slot: place + 1; 0: it does not expire. */
  readonly #places = new PagedIntegers();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#items.byteLength + this.#places.byteLength;
  }

  /** Epoch milliseconds; Infinity when there is none. */
  get earliestMs(): number {
    return this.#size === 0 ? Infinity : this.#timeAt(0);
  }

  /** The slot that expires first, -1 when there is none. */
  get earliest(): number {
    return this.#size === 0 ? -1 : this.#items.get(0);
  }

  /** When a slot expires: Infinity if never. */
  expiryMs(slot: number): number {
    const place = this.#places.get(slot) - 1;
    return place < 0 ? Infinity : this.#timeAt(place);
  }

  /** Has a slot expire at a time; Infinity: never. */
  set(slot: number, expiryMs: number): void {
    this.#remove(slot);
    if (expiryMs === Infinity) return;
    const place = this.#size++;
    this.#put(place, slot, expiryMs);
    this.#moveUp(place);
  }

  save(output: StateOutput): void {
    output.number(this.#size);
    this.#items.save(output);
    this.#places.save(output);
  }

  load(input: StateInput): void {
    this.#size = input.number();
    this.#items.load(input);
    this.#places.load(input);
  }

  #remove(slot: number): void {
    const place = this.#places.get(slot) - 1;
    if (place < 0) return;
    this.#places.set(slot, 0);
    const last = --this.#size;
    if (place === last) return;
    this.#put(place, this.#items.get(last * ITEM_WORDS), this.#timeAt(last));
    this.#moveUp(this.#moveDown(place));
  }

  #moveUp(from: number): void {
    for (let place = from; place > 0;) {
      const parent = (place - 1) >>> 1;
      if (this.#timeAt(parent) <= this.#timeAt(place)) return;
      this.#swap(parent, place);
      place = parent;
    }
  }

  /** Returns where it came to. */
  #moveDown(from: number): number {
    for (let place = from; ;) {
      const left = 2 * place + 1;
      if (left >= this.#size) return place;
      const right = left + 1;
      const child = right < this.#size && this.#timeAt(right) < this.#timeAt(left) ? right : left;
      if (this.#timeAt(place) <= this.#timeAt(child)) return place;
      this.#swap(place, child);
      place = child;
    }
  }

  #swap(one: number, other: number): void {
    const [slot, timeMs] = [this.#items.get(one * ITEM_WORDS), this.#timeAt(one)];
    this.#put(one, this.#items.get(other * ITEM_WORDS), this.#timeAt(other));
    this.#put(other, slot, timeMs);
  }

  #put(place: number, slot: number, timeMs: number): void {
    const at = place * ITEM_WORDS;
    this.#items.set(at, slot);
    this.#items.set(at + 1, timeMs | 0);
    this.#items.set(at + 2, Math.floor(timeMs / TWO_TO_32));
    this.#places.set(slot, place + 1);
  }

  #timeAt(place: number): number {
    const at = place * ITEM_WORDS;
    return this.#items.get(at + 2) * TWO_TO_32 + (this.#items.get(at + 1) >>> 0);
  }
}
