import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { wordPages } from './pages.ts';

const BLOCK_SHIFT = 14;
const BLOCK_LENGTH = 1 << BLOCK_SHIFT;
const BLOCK_MASK = BLOCK_LENGTH - 1;

/**
 * Records of 1 to `maxLength` 32-bit words in blocks of 64 KiB, by address; address 0 is none. What is freed is given again
 * to a record of the same length, the last freed first, so each length keeps the room it once needed at most.
 */
export class WordArena implements SavedState {
  readonly #blocks = wordPages(BLOCK_LENGTH);
  /** By length, the address of the last freed record; its first word is the address of the one before. */
  #free: Int32Array;
  #used = 1;

  constructor(maxLength: number) {
    this.#free = new Int32Array(maxLength + 1);
  }

  get byteLength(): number {
    return this.#blocks.count * BLOCK_LENGTH * 4;
  }

  /** Address of a record, its words as they were left. */
  allocate(length: number): number {
    const freed = this.#free[length]!;
    if (freed !== 0) {
      this.#free[length] = this.block(freed)[this.offset(freed)]!;
      return freed;
    }
    if ((this.#used & BLOCK_MASK) + length > BLOCK_LENGTH) this.#used = (this.#used | BLOCK_MASK) + 1;
    const address = this.#used;
    if (address >>> BLOCK_SHIFT === this.#blocks.count) this.#blocks.add();
    this.#used += length;
    return address;
  }

  release(address: number, length: number): void {
    this.block(address)[this.offset(address)] = this.#free[length]!;
    this.#free[length] = address;
  }

  block(address: number): Int32Array {
    return this.#blocks.arrayOf(address >>> BLOCK_SHIFT);
  }

  offset(address: number): number {
    return this.#blocks.startOf(address >>> BLOCK_SHIFT) + (address & BLOCK_MASK);
  }

  save(output: StateOutput): void {
    output.number(this.#used);
    output.array(this.#free);
    output.number(this.#blocks.count);
    this.#blocks.save(output);
  }

  load(input: StateInput): void {
    this.#used = input.number();
    this.#free = input.int32Array();
    this.#blocks.load(input.number(), () => input.int32Array());
  }
}
