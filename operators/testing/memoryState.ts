import { ItemsInput } from '../itemsInput.ts';
import { SavedStateError, type SavedState, type StateArray, type StateOutput } from '../savedState.ts';
import { createSharedMemory } from '../sharedMemory.ts';

type Item = number | string | StateArray | WebAssembly.Memory;

/** State saved in memory: arrays are copied, as a file would. May be read any number of times. */
export class MemoryState implements StateOutput {
  readonly #items: Item[] = [];

  number(value: number): void {
    if (!Number.isFinite(value) && !Number.isNaN(value)) throw new TypeError(`${value} cannot be saved`);
    this.#items.push(value);
  }

  text(value: string): void {
    this.#items.push(value);
  }

  array(values: StateArray, used?: number): void {
    if (values.byteLength !== values.buffer.byteLength) throw new TypeError('the array is a view of a larger one');
    this.#items.push(values.slice(0, used));
  }

  memory(memory: WebAssembly.Memory, used: number): void {
    this.#items.push(copyOf(memory, used));
  }

  /** Only its path: the file must still be there when it is read. */
  file(path: string): void {
    this.#items.push(path);
  }

  read(): MemoryStateInput {
    return new MemoryStateInput(this.#items);
  }
}

class MemoryStateInput extends ItemsInput {
  readonly #items: readonly Item[];
  #taken = 0;

  constructor(items: readonly Item[]) {
    super();
    this.#items = items;
  }

  get isAtEnd(): boolean {
    return this.#taken === this.#items.length;
  }

  override file(): string {
    return this.text();
  }

  override memory(): WebAssembly.Memory {
    const memory = super.memory();
    return copyOf(memory, memory.buffer.byteLength);
  }

  protected override next<T>(isWanted: (item: unknown) => item is T): T {
    const item = this.#items[this.#taken];
    if (!isWanted(item)) throw new SavedStateError(`item ${this.#taken} is of another kind`);
    this.#taken += 1;
    return typeof item === 'object' && !(item instanceof WebAssembly.Memory) ? structuredClone(item) : item;
  }
}

function copyOf(memory: WebAssembly.Memory, used: number): WebAssembly.Memory {
  const copy = createSharedMemory(used);
  new Uint8Array(copy.buffer).set(new Uint8Array(memory.buffer, 0, used));
  return copy;
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
