/** Accesses of one wave at most; what is beyond is not read ahead. */
const MAX_ACCESSES = 512;

/**
 * Memory that is about to be used, read all at once so that it is in the cache by then. A processor has a dozen memory
 * accesses under way as long as none needs another's result and they lie close enough in the program: the steps that use
 * the memory do too much between two of them, this loop does next to nothing. Reading changes nothing, so that what is listed may be a guess.
 */
export class PrefetchList {
  readonly #words: Int32Array[] = Array.from({ length: MAX_ACCESSES }, () => new Int32Array(1));
  readonly #wordAts = new Int32Array(MAX_ACCESSES);
  #wordCount = 0;
  /** What was read goes here, lest the compiler leave the reading out. */
  readonly #mixed = new Int32Array(1);

  addWord(array: Int32Array, at: number): void {
    if (this.#wordCount === MAX_ACCESSES) return;
    this.#words[this.#wordCount] = array;
    this.#wordAts[this.#wordCount] = at;
    this.#wordCount += 1;
  }

  /** Reads what was listed since the last time. */
  run(): void {
    const words = this.#words;
    const wordAts = this.#wordAts;
    const wordCount = this.#wordCount;
    let mixed = 0;
    for (let index = 0; index < wordCount; index++) mixed ^= words[index]![wordAts[index]!]!;
    this.#mixed[0] = mixed;
    this.#wordCount = 0;
  }
}
