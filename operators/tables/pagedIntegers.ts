import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';

const PAGE_SHIFT = 12;
const PAGE_LENGTH = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_LENGTH - 1;

/** 32-bit integers by index, in pages, so that growing copies none. Those never set are 0. */
export class PagedIntegers implements SavedState {
  #pages: Int32Array[] = [];

  /** Bytes of the integers from 0 up to `count`. */
  static bytesOf(count: number): number {
    return Math.ceil(count / PAGE_LENGTH) * PAGE_LENGTH * 4;
  }

  get byteLength(): number {
    return this.#pages.length * PAGE_LENGTH * 4;
  }

  get(index: number): number {
    const page = this.#pages[index >>> PAGE_SHIFT];
    return page === undefined ? 0 : page[index & PAGE_MASK]!;
  }

  set(index: number, value: number): void {
    const page = index >>> PAGE_SHIFT;
    while (page >= this.#pages.length) this.#pages.push(new Int32Array(PAGE_LENGTH));
    this.#pages[page]![index & PAGE_MASK] = value;
  }

  clear(): void {
    this.#pages = [];
  }

  save(output: StateOutput): void {
    output.number(this.#pages.length);
    for (const page of this.#pages) output.array(page);
  }

  load(input: StateInput): void {
    this.#pages = loadPages(input, input.number(), PAGE_LENGTH);
  }
}

/** So many arrays, all of one length. */
export function loadPages(input: StateInput, count: number, length: number): Int32Array[] {
  const pages: Int32Array[] = [];
  while (pages.length < count) {
    const page = input.int32Array();
    if (page.length !== length) throw new SavedStateError(`a page of ${page.length} integers in place of ${length}`);
    pages.push(page);
  }
  return pages;
}
