import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { wordPages } from './pages.ts';

const PAGE_SHIFT = 12;
const PAGE_LENGTH = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_LENGTH - 1;

/** 32-bit integers by index, in pages, so that growing copies none. Those never set are 0. */
export class PagedIntegers implements SavedState {
  readonly #pages = wordPages(PAGE_LENGTH);

  get byteLength(): number {
    return this.#pages.count * PAGE_LENGTH * 4;
  }

  get(index: number): number {
    const page = index >>> PAGE_SHIFT;
    if (page >= this.#pages.count) return 0;
    return this.#pages.arrayOf(page)[this.#pages.startOf(page) + (index & PAGE_MASK)]!;
  }

  set(index: number, value: number): void {
    const page = index >>> PAGE_SHIFT;
    while (page >= this.#pages.count) this.#pages.add();
    this.#pages.arrayOf(page)[this.#pages.startOf(page) + (index & PAGE_MASK)] = value;
  }

  clear(): void {
    this.#pages.clear();
  }

  save(output: StateOutput): void {
    output.number(this.#pages.count);
    this.#pages.save(output);
  }

  load(input: StateInput): void {
    this.#pages.load(input.number(), () => input.int32Array());
  }
}
