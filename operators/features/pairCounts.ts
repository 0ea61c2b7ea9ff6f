import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { SegmentedTable } from '../tables/segmentedTable.ts';

/** Counts per pair of a key's slot and a value's slot. */
export class PairCounts implements SavedState {
  readonly #counts = new SegmentedTable(2);
  readonly #pair = new Int32Array(2);

  get size(): number {
    return this.#counts.size;
  }

  get byteLength(): number {
    return this.#counts.byteLength;
  }

  /** Counts one more if the pair is there. Returns the new count, 0 when it is not there. */
  incrementExisting(key: number, value: number): number {
    if (!this.#find(key, value)) return 0;
    const { block, at } = this.#counts;
    const count = block[at]! + 1;
    block[at] = count;
    return count;
  }

  /** Adds, with count 1, the pair that `incrementExisting` has just not found. False: there is no room for it. */
  add(): boolean {
    return this.#counts.add(this.#pair, 1);
  }

  /** Counts one less and drops the pair at 0. Returns the count left, -1 when the pair was not there. */
  decrement(key: number, value: number): number {
    if (!this.#find(key, value)) return -1;
    const { block, at } = this.#counts;
    const count = block[at]! - 1;
    if (count === 0) this.#counts.remove();
    else block[at] = count;
    return count;
  }

  save(output: StateOutput): void {
    this.#counts.save(output);
  }

  load(input: StateInput): void {
    this.#counts.load(input);
  }

  #find(key: number, value: number): boolean {
    this.#pair[0] = key;
    this.#pair[1] = value;
    return this.#counts.find(this.#pair);
  }
}
