import { createSharedMemory } from '../../sharedMemory.ts';
import { FIRST_BYTES, kernelModule, type ColumnKernel } from './columnKernel.ts';
import type { KernelCalls } from './kernelCalls.ts';

/** What the driver calls of each column, in the order of assembly/driver.ts. */
const FUNCTIONS = [
  'cross',
  'setHolds',
  'setValue',
  'note',
  'touch',
  'touchLists',
  'read',
  'hashKey',
  'touchKey',
  'foreseeKey',
  'internKey',
  'setKeyWord',
] as const;

/**
 * Runs programs on the kernels of all columns: one more instance of the kernel, which has an event's words and calls the others
 * itself, so that a payment takes a dozen calls from here and not a hundred. Keeps nothing between calls but its programs.
 */
export class KernelDriver {
  readonly calls: KernelCalls;
  /** By column: the payment's slots, negative for none; and what its texts gave (KeyTable.take). */
  readonly slots: Int32Array;
  readonly given: Int32Array;
  readonly #kernels: readonly ColumnKernel[];
  readonly #memory = createSharedMemory(FIRST_BYTES);
  readonly #table: WebAssembly.Table;
  readonly #wordCount: number;
  readonly #wordsAt: number;
  #words: Int32Array = new Int32Array(0);

  /** `wordCount`: of an event's words, those that tell its keys and predicates. */
  constructor(kernels: readonly ColumnKernel[], wordCount: number) {
    this.#kernels = kernels;
    this.#wordCount = wordCount;
    this.#table = new WebAssembly.Table({ element: 'anyfunc', initial: kernels.length * FUNCTIONS.length + 1 });
    this.calls = new WebAssembly.Instance<KernelCalls>(kernelModule, {
      env: { memory: this.#memory, table: this.#table },
      memory: {
        grown: () => {
          this.#words = new Int32Array(this.#memory.buffer);
        },
      },
      pairs: { countInSample: unused, dropBeside: unused, settleSample: unused },
      reads: { readSample: unused },
    }).exports;
    this.#words = new Int32Array(this.#memory.buffer);
    this.calls.begin();
    this.calls.beginDriver(kernels.length, wordCount);
    this.#wordsAt = this.calls.driverWords() >>> 2;
    // A shared memory never moves: what was a view of it stays one when it grows.
    this.slots = new Int32Array(this.#memory.buffer, this.calls.driverSlots(), kernels.length);
    this.given = new Int32Array(this.#memory.buffer, this.calls.driverGiven(), kernels.length);
    this.connect();
  }

  /** To be called when the columns' states have been loaded. */
  connect(): void {
    for (const [column, { calls }] of this.#kernels.entries())
      for (const [index, name] of FUNCTIONS.entries()) this.#table.set(column * FUNCTIONS.length + index, calls[name]);
  }

  /** The address of a program, whose integers these are. */
  place(integers: readonly number[]): number {
    const address = this.calls.allocateBytes(integers.length * Int32Array.BYTES_PER_ELEMENT);
    this.#words.set(integers, address >>> 2);
    return address;
  }

  /** Hands in the event whose words start at `at`. */
  takeEvent(words: Int32Array, at: number): void {
    const own = this.#words;
    const from = this.#wordsAt;
    for (let word = 0; word < this.#wordCount; word++) own[from + word] = words[at + word]!;
  }
}

function unused(): never {
  throw new Error('SLUICE_KERNEL: the driver keeps no rows');
}
