/** The 32-bit integers of a program for the kernel, as they are put together. */
export class ProgramWords {
  readonly words: number[] = [];
  readonly #double = new Float64Array(1);
  readonly #halves = new Int32Array(this.#double.buffer);

  add(...integers: readonly number[]): void {
    this.words.push(...integers);
  }

  addDouble(value: number): void {
    this.#double[0] = value;
    this.words.push(...this.#halves);
  }
}

/** Bytes of a row up to the double at this position. */
export function byteOffset(position: number): number {
  return position * Float64Array.BYTES_PER_ELEMENT;
}
