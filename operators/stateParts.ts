import { SavedStateError, type StateArray, type StateInput, type StateOutput } from './savedState.ts';

export type StatePart = number | string | StateArray;

/** Saved state as a list of parts, arrays by reference and files by path: what one thread hands to another. */
export class StateParts implements StateOutput {
  readonly parts: StatePart[] = [];

  number(value: number): void {
    this.parts.push(value);
  }

  text(value: string): void {
    this.parts.push(value);
  }

  array(values: StateArray): void {
    if (values.byteLength !== values.buffer.byteLength) throw new TypeError('the array is a view of a larger one');
    this.parts.push(values);
  }

  file(path: string): void {
    this.parts.push(path);
  }

  /** The memory to transfer with the parts, after which the one that saved them has it no more. */
  get buffers(): ArrayBuffer[] {
    return this.parts.flatMap((part) =>
      typeof part === 'object' && part.buffer instanceof ArrayBuffer ? [part.buffer] : [],
    );
  }
}

/** Reads a list of parts once, in order; the arrays are then the reader's. */
export class StatePartsInput implements StateInput {
  readonly #parts: readonly StatePart[];
  #taken = 0;

  constructor(parts: readonly StatePart[]) {
    this.#parts = parts;
  }

  number(): number {
    return this.#next((part) => typeof part === 'number');
  }

  text(): string {
    return this.#next((part) => typeof part === 'string');
  }

  float64Array(): Float64Array {
    return this.#next((part) => part instanceof Float64Array);
  }

  int32Array(): Int32Array {
    return this.#next((part) => part instanceof Int32Array);
  }

  uint32Array(): Uint32Array {
    return this.#next((part) => part instanceof Uint32Array);
  }

  uint16Array(): Uint16Array {
    return this.#next((part) => part instanceof Uint16Array);
  }

  uint8Array(): Uint8Array {
    return this.#next((part) => part instanceof Uint8Array);
  }

  /** Still that of whoever saved it, who must keep it until it has been loaded. */
  file(): string {
    return this.text();
  }

  #next<T extends StatePart>(isWanted: (part: StatePart) => part is T): T {
    const part = this.#parts[this.#taken];
    if (part === undefined || !isWanted(part)) throw new SavedStateError(`part ${this.#taken} is of another kind`);
    this.#taken += 1;
    return part;
  }
}
