import { SavedStateError, type SavedState, type StateArray, type StateInput, type StateOutput } from '../savedState.ts';

/** State saved in memory: arrays are copied, as a file would. May be read any number of times. */
export class MemoryState implements StateOutput {
  readonly #items: (number | string | StateArray)[] = [];

  number(value: number): void {
    if (!Number.isFinite(value) && !Number.isNaN(value)) throw new TypeError(`${value} cannot be saved`);
    this.#items.push(value);
  }

  text(value: string): void {
    this.#items.push(value);
  }

  array(values: StateArray): void {
    if (values.byteLength !== values.buffer.byteLength) throw new TypeError('the array is a view of a larger one');
    this.#items.push(structuredClone(values));
  }

  /** Only its path: the file must still be there when it is read. */
  file(path: string): void {
    this.#items.push(path);
  }

  read(): StateInput & { readonly isAtEnd: boolean } {
    const items = this.#items.values();
    let taken = 0;
    const next = <T>(isWanted: (item: unknown) => item is T): T => {
      const { value } = items.next();
      if (!isWanted(value)) throw new SavedStateError(`item ${taken} is of another kind`);
      taken += 1;
      return typeof value === 'object' ? structuredClone(value) : value;
    };
    const total = this.#items.length;
    return {
      number: () => next((item) => typeof item === 'number'),
      text: () => next((item) => typeof item === 'string'),
      float64Array: () => next((item) => item instanceof Float64Array),
      int32Array: () => next((item) => item instanceof Int32Array),
      uint32Array: () => next((item) => item instanceof Uint32Array),
      uint16Array: () => next((item) => item instanceof Uint16Array),
      uint8Array: () => next((item) => item instanceof Uint8Array),
      file: () => next((item) => typeof item === 'string'),
      get isAtEnd() {
        return taken === total;
      },
    };
  }
}

/** Saves `from` and loads it into `into`, which must take all of it. Returns `into`. */
export function copyState<T extends SavedState>(from: SavedState, into: T): T {
  const saved = new MemoryState();
  from.save(saved);
  const input = saved.read();
  into.load(input);
  if (!input.isAtEnd) throw new SavedStateError('some of what was saved was not loaded');
  return into;
}
