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
    if (page === this.#starts.length) {
      const starts = new Int32Array(page * 2);
      starts.set(this.#starts);
      this.#starts = starts;
    }
    let array = this.#arrays[page - 1];
    let start = page === 0 ? 0 : this.#starts[page - 1]! + this.#pageLength;
    if (array === undefined || start === array.length) {
      array = this.#create(this.#lead + this.#pageLength * Math.min(page + 1, this.#maxPages));
      start = this.#lead;
    }
    this.#arrays.push(array);
    this.#starts[page] = start;
    this.#count += 1;
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

  save(output: StateOutput): void {
    for (let page = 0; page < this.#count; page++) {
      const start = this.startOf(page);
      output.array(this.arrayOf(page).slice(start, start + this.#pageLength));
    }
  }

  /** Replaces what is there by so many pages. */
  load(count: number, read: () => Numbers): void {
    this.clear();
    while (this.#count < count) {
      const values = read();
      if (values.length !== this.#pageLength)
        throw new SavedStateError(`a page of ${values.length} numbers in place of ${this.#pageLength}`);
      this.add();
      this.arrayOf(this.#count - 1).set(values, this.startOf(this.#count - 1));
    }
  }
}

export function doublePages(pageLength: number): Pages<Float64Array> {
  return new Pages((length) => new Float64Array(length), pageLength);
}

export function wordPages(pageLength: number): Pages<Int32Array> {
  return new Pages((length) => new Int32Array(length), pageLength);
}
