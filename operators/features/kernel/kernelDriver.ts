import { createSharedMemory } from '../../sharedMemory.ts';
import { HEAD_INTEGERS, type BlockPlace } from '../eventBlock.ts';
import { EVENT_NUMBERS } from '../eventNumbers.ts';
import { FIRST_BYTES, kernelModule, type ColumnKernel } from './columnKernel.ts';
import type { KernelCalls } from './kernelCalls.ts';

/** What the driver calls of each column, in the order of assembly/columns.ts. */
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
  'hold',
  'letGo',
  'releaseUnused',
] as const;

const HEAD_BYTES = HEAD_INTEGERS * Int32Array.BYTES_PER_ELEMENT;
/** Doubles of a cursor (assembly/edges.ts). */
export const CURSOR_DOUBLES = 4;

/** What the driver leaves to whoever moves cursors from block to block and has events wait. */
export interface EdgeHost {
  /** Has events that wait at the edge cross, at most `left`, and those that are due wait; returns how many crossings are left. */
  crossWaiting(edge: number, left: number): number;
  moveOn(edge: number, boundaryMs: number): boolean;
  holdBack(edge: number): void;
  passInserted(edge: number): void;
  /** Runs the steps that the kernel has not, for the event whose words are at this address. */
  crossOthers(edge: number, address: number, facts: number): void;
}

export interface DriverOptions {
  /** Of an event, all of them. */
  readonly wordCount: number;
  readonly edgeCount: number;
}

/**
 * Runs programs on the kernels of all columns: one more instance of the kernel, which has the events (eventBlock.ts) and calls the others
 * itself, so that a payment takes a few calls from here and not a hundred. What is in its memory is saved by whoever has put it there.
 */
export class KernelDriver {
  readonly calls: KernelCalls;
  /** By column: the payment's slots, negative for none; and what its texts gave (KeyTable.take). */
  readonly slots: Int32Array;
  readonly given: Int32Array;
  /** The numbers of the event at hand (eventNumbers.ts). */
  readonly event: Float64Array;
  /** Of each edge. */
  readonly cursors: Float64Array;
  /** Must be set before time moves on. */
  host: EdgeHost | null = null;
  /** The whole memory; replaced when it has grown. */
  words: Int32Array = new Int32Array(0);
  readonly #kernels: readonly ColumnKernel[];
  readonly #memory = createSharedMemory(FIRST_BYTES);
  readonly #table: WebAssembly.Table;
  readonly #handed: Int32Array;

  constructor(kernels: readonly ColumnKernel[], { wordCount, edgeCount }: DriverOptions) {
    this.#kernels = kernels;
    this.#table = new WebAssembly.Table({ element: 'anyfunc', initial: kernels.length * FUNCTIONS.length + 1 });
    this.calls = new WebAssembly.Instance<KernelCalls>(kernelModule, {
      env: { memory: this.#memory, table: this.#table },
      memory: {
        grown: () => {
          this.words = new Int32Array(this.#memory.buffer);
        },
      },
      pairs: { countInSample: unused, dropBeside: unused, settleSample: unused },
      reads: { readSample: unused },
      held: { clearSample: unused },
      edges: {
        crossWaiting: (edge: number, left: number) => this.host!.crossWaiting(edge, left),
        moveOn: (edge: number, boundaryMs: number) => Number(this.host!.moveOn(edge, boundaryMs)),
        holdBack: (edge: number) => {
          this.host!.holdBack(edge);
        },
        passInserted: (edge: number) => {
          this.host!.passInserted(edge);
        },
        crossOthers: (edge: number, address: number, facts: number) => {
          this.host!.crossOthers(edge, address, facts);
        },
      },
    }).exports;
    this.words = new Int32Array(this.#memory.buffer);
    this.calls.begin();
    this.calls.beginDriver(kernels.length, wordCount, edgeCount);
    // A shared memory never moves: what was a view of it stays one when it grows.
    const { buffer } = this.#memory;
    this.slots = new Int32Array(buffer, this.calls.driverSlots(), kernels.length);
    this.given = new Int32Array(buffer, this.calls.driverGiven(), kernels.length);
    this.event = new Float64Array(buffer, this.calls.driverEvent(), EVENT_NUMBERS);
    this.cursors = new Float64Array(buffer, this.calls.driverCursors(), edgeCount * CURSOR_DOUBLES);
    this.#handed = new Int32Array(buffer, this.calls.driverWords(), wordCount);
    this.connect();
  }

  /** To be called when the columns' states have been loaded. */
  connect(): void {
    for (const [column, { calls }] of this.#kernels.entries())
      for (const [index, name] of FUNCTIONS.entries()) this.#table.set(column * FUNCTIONS.length + index, calls[name]);
  }

  /** The address of a program, whose integers these are. */
  place(integers: readonly number[]): number {
    const address = this.#allocate(integers.length * Int32Array.BYTES_PER_ELEMENT);
    this.words.set(integers, address >>> 2);
    return address;
  }

  /** A place for a block of events, which is never given back. */
  readonly placeBlock = (byteLength: number): BlockPlace => {
    const address = this.#allocate(HEAD_BYTES + byteLength);
    const { buffer } = this.#memory;
    return {
      address,
      head: new Int32Array(buffer, address, HEAD_INTEGERS),
      bytes: new Uint8Array(buffer, address + HEAD_BYTES, byteLength),
    };
  };

  /** Hands in the event whose words start at `at`. */
  takeEvent(words: Int32Array, at: number): void {
    const handed = this.#handed;
    for (let word = 0; word < handed.length; word++) handed[word] = words[at + word]!;
  }

  #allocate(bytes: number): number {
    const address = this.calls.allocateBytes(bytes) >>> 0;
    if (address === 0) throw new Error('SLUICE_STATE_MEMORY: the events of the head take more than 4 GiB');
    return address;
  }
}

function unused(): never {
  throw new Error('SLUICE_KERNEL: the driver keeps no rows');
}
