import { SavedStateError, type StateOutput } from '../savedState.ts';

/** Bytes of one array at most: beyond, arrays no longer double. */
const MAX_ARRAY_BYTES = 134_217_728;
/** What lies before a long array's memory where malloc got it from the operating system: its header of 16 bytes. */
const HEADER_BYTES = 16;
const LINE_BYTES = 64;

/**
 * Equal pages of numbers, zeros at first, which never move. They lie in few arrays, each twice as long as the one before:
 * with an array a page, a random access would first wait for the array's own header. The operating system gives memory only to
 * what was written to, so an array costs what its used pages cost.
 */
export class Pages<Numbers extends Float64Array | Int32Array> {
  readonly #create: (length: number) => Numbers;
  readonly #pageLength: number;
  /** Numbers left free before the first page of an array, so that it begins at a cache line. */
  readonly #lead: number;
  /** Pages of one array at most. */
  readonly #maxPages: number;
  /** By page: its array, and where in it the page starts. */
  #arrays: Numbers[] = [];
  #starts = new Int32Array(16);
  #count = 0;

  constructor(create: (length: number) => Numbers, pageLength: number) {
    this.#create = create;
    this.#pageLength = pageLength;
    const { BYTES_PER_ELEMENT: bytes } = create(0);
    this.#lead = (LINE_BYTES - HEADER_BYTES) / bytes;
    this.#maxPages = Math.max(1, Math.floor(MAX_ARRAY_BYTES / (pageLength * bytes)));
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a page behind the last. */
  add(): void {
    const page = this.#count;
    const array = this.#arrays[page - 1];
    const start = page === 0 ? 0 : this.#starts[page - 1]! + this.#pageLength;
    if (array === undefined || start === array.length)
      this.#push(this.#create(this.#lengthOf(this.#pagesFrom(page))), this.#lead);
    else this.#push(array, start);
  }

  /** The array in which a page lies, from startOf(page) on. */
  arrayOf(page: number): Numbers {
    return this.#arrays[page]!;
  }

  startOf(page: number): number {
    return this.#starts[page]!;
  }

  clear(): void {
    this.#arrays = [];
    this.#count = 0;
  }

  /** Array by array, as they are: that a thread hands them to another costs nothing, however many pages there are. */
  save(output: StateOutput): void {
    for (let page = 0; page < this.#count;) {
      const pages = Math.min(this.#pagesFrom(page), this.#count - page);
      output.array(this.arrayOf(page), this.#lengthOf(pages));
      page += pages;
    }
  }

  /** Replaces what is there by so many pages. Whole arrays are taken over, of which no page is touched. */
  load(count: number, read: () => Numbers): void {
    this.clear();
    while (this.#count < count) {
      const pages = this.#pagesFrom(this.#count);
      const used = Math.min(pages, count - this.#count);
      const array = this.#whole(read(), pages, used);
      for (let page = 0; page < used; page++) this.#push(array, this.#lead + page * this.#pageLength);
    }
  }

  /** Pages of the array that begins with this page. */
  #pagesFrom(page: number): number {
    return Math.min(page + 1, this.#maxPages);
  }

  /** Numbers of an array with so many pages. */
  #lengthOf(pages: number): number {
    return this.#lead + pages * this.#pageLength;
  }

  /** What was saved of an array, with room for all its pages. */
  #whole(saved: Numbers, pages: number, used: number): Numbers {
    if (saved.length === this.#lengthOf(pages)) return saved;
    if (saved.length !== this.#lengthOf(used))
      throw new SavedStateError(`${saved.length} numbers in place of ${used} pages of ${this.#pageLength}`);
    const whole = this.#create(this.#lengthOf(pages));
    whole.set(saved);
    return whole;
  }

  #push(array: Numbers, start: number): void {
    const page = this.#count;
    if (page === this.#starts.length) {
      const starts = new Int32Array(page * 2);
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#arrays.push(array);
    this.#starts[page] = start;
    this.#count += 1;
  }
}

export function doublePages(pageLength: number): Pages<Float64Array> {
  return new Pages((length) => new Float64Array(length), pageLength);
}

export function wordPages(pageLength: number): Pages<Int32Array> {
  return new Pages((length) => new Int32Array(length), pageLength);
}
