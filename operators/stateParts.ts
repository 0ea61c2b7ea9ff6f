import { ItemsInput } from './itemsInput.ts';
import { SavedStateError, type StateArray, type StateOutput } from './savedState.ts';

export type StatePart = number | string | StateArray | WebAssembly.Memory;

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

  memory(memory: WebAssembly.Memory): void {
    this.parts.push(memory);
  }

  file(path: string): void {
    this.parts.push(path);
  }

  /**
   * The memory to transfer with the parts, after which the one that saved them has it no more. Shared memories are not among them: they go
   * along by themselves, and whoever saved them must leave them alone.
   */
  get buffers(): ArrayBuffer[] {
    return this.parts.flatMap((part) =>
      typeof part === 'object' && part.buffer instanceof ArrayBuffer ? [part.buffer] : [],
    );
  }
}

/** Reads a list of parts once, in order; the arrays are then the reader's. */
export class StatePartsInput extends ItemsInput {
  readonly #parts: readonly StatePart[];
  #taken = 0;

  constructor(parts: readonly StatePart[]) {
    super();
    this.#parts = parts;
  }

  /** Still that of whoever saved it, who must keep it until it has been loaded. */
  file(): string {
    return this.text();
  }

  protected override next<T>(isWanted: (part: unknown) => part is T): T {
    const part = this.#parts[this.#taken];
    if (!isWanted(part)) throw new SavedStateError(`part ${this.#taken} is of another kind`);
    this.#taken += 1;
    return part;
  }
}
