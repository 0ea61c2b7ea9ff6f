import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../../savedState.ts';
import { createSharedMemory } from '../../sharedMemory.ts';
import { PLACES, type expectedSegments } from '../../tables/segmentedTable.ts';
import { KERNEL_BASE64 } from './kernelBytes.ts';
import type { KernelCalls } from './kernelCalls.ts';

/** Compiled once; an instance of it for each column takes a fraction of a millisecond. */
export const kernelModule = new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64'));

// Where things lie in the memory, as assembly/layout.ts has it.
const END_WORD = 8 >>> 2;
const ROW_SEGMENTS_WORD = 16 >>> 2;
const SLOT_COUNT_WORD = 20 >>> 2;
const HOLDS_WORD = 1024 >>> 2;
export const FEATURES_DOUBLE = 8192 >>> 3;
/** Where in `words` the key at hand is put. */
export const KEY_WORD = 16_384 >>> 2;
const BEGIN_BYTES = 17_664;
/** Of which the operating system gives what is used. Growing takes time where thousands of memories are alive, as in tests. */
export const FIRST_BYTES = 1_048_576;

const ROWS_PER_SEGMENT = 1_024;
const SEGMENT_SHIFT = 10;
const SEGMENT_MASK = ROWS_PER_SEGMENT - 1;
/** Longest list of candidates: its length takes 16 bits, and its block has twice the room. */
const MAX_CANDIDATES = 16_384;

export interface KernelOptions {
  /** Doubles of a row. */
  readonly rowLength: number;
  readonly maxKeys: number;
  readonly maxCandidatesPerKey: number;
}

/** Bytes of an entry of a table's directory, and of the counts of a segment. */
const DIRECTORY_BYTES = 8;
const COUNT_BYTES = 4;

/** What the kernel leaves to whoever keeps samples of the values that are too many to count. Fields are addresses in rows. */
export interface SampledTable {
  countInSample(key: number, value: number, sign: number, window: number, field: number): void;
  dropBeside(field: number): void;
  /** Returns whether pairs have moved. */
  settle(key: number, window: number, field: number): boolean;
  writeSample(reference: number, target: number): void;
  /** Gives up the sample: its key goes. */
  clearSample(field: number): void;
}

interface PlacedProgram {
  readonly address: number;
  readonly words: Int32Array;
}

/**
 * What a column keeps of its keys (rows, counted pairs, candidates), and the WebAssembly that works on it (assembly/), in one
 * memory of at most 4 GiB. A key is named by its slot, a place in the memory by its address in bytes, which is never 0.
 */
export class ColumnKernel implements SavedState {
  readonly rowLength: number;
  /** Replaced when a state is loaded. */
  calls: KernelCalls;
  /** The whole memory; replaced when it has grown. */
  doubles: Float64Array = new Float64Array(0);
  words: Int32Array = new Int32Array(0);
  #memory: WebAssembly.Memory;
  readonly #tables: SampledTable[] = [];
  readonly #programs: PlacedProgram[] = [];
  #rowSegments = 0;

  constructor({ rowLength, maxKeys, maxCandidatesPerKey }: KernelOptions) {
    if (maxCandidatesPerKey > MAX_CANDIDATES)
      throw new Error(`SLUICE_STATE_LIMIT: ${maxCandidatesPerKey} candidates a key, at most ${MAX_CANDIDATES}`);
    this.rowLength = rowLength;
    this.#memory = createSharedMemory(FIRST_BYTES);
    this.calls = this.#instantiate();
    this.calls.begin();
    this.calls.beginRows(rowLength * Float64Array.BYTES_PER_ELEMENT, maxKeys);
    this.calls.beginKeys();
    this.calls.beginCandidates(maxCandidatesPerKey);
    this.#refresh();
  }

  /** Slots that have been given out, those given back among them. */
  get slotCount(): number {
    return this.words[SLOT_COUNT_WORD]!;
  }

  get rowBytes(): number {
    return ColumnKernel.rowBytesOf(this.slotCount, this.rowLength);
  }

  /** rowBytes of so many keys. */
  static rowBytesOf(keys: number, rowLength: number): number {
    return Math.ceil(keys / ROWS_PER_SEGMENT) * ROWS_PER_SEGMENT * rowLength * Float64Array.BYTES_PER_ELEMENT;
  }

  /** Where in `doubles` the row of a key begins. */
  rowBase(slot: number): number {
    const segment = this.words[this.#rowSegments + (slot >>> SEGMENT_SHIFT)]! >>> 3;
    return segment + (slot & SEGMENT_MASK) * this.rowLength;
  }

  rowAddress(slot: number): number {
    return this.rowBase(slot) * Float64Array.BYTES_PER_ELEMENT;
  }

  /** The address of a new table of pairs, each counted in so many windows. */
  addPairs(
    windows: number,
    maxValues: number,
    table: SampledTable,
  ): { readonly number: number; readonly address: number } {
    const number = this.#tables.length;
    this.#tables.push(table);
    return { number, address: this.calls.createPairs(windows, Math.min(maxValues, 0x7fff_ffff), number) };
  }

  /** The address of a program, whose integers these are. */
  place(integers: readonly number[]): number {
    const words = Int32Array.from(integers);
    const address = this.calls.allocateBytes(words.byteLength) >>> 0;
    this.words.set(words, address >>> 2);
    this.#programs.push({ address, words });
    return address;
  }

  save(output: StateOutput): void {
    // What was handed in and out last is no state.
    this.words.fill(0, HOLDS_WORD, BEGIN_BYTES >>> 2);
    output.memory(this.#memory, this.words[END_WORD]! >>> 0);
  }

  load(input: StateInput): void {
    this.#memory = input.memory();
    this.calls = this.#instantiate();
    this.#refresh();
    for (const { address, words } of this.#programs)
      for (const [index, word] of words.entries())
        if (this.words[(address >>> 2) + index] !== word)
          throw new SavedStateError('the feature state is that of another Sluice');
  }

  #instantiate(): KernelCalls {
    const tables = this.#tables;
    return new WebAssembly.Instance<KernelCalls>(kernelModule, {
      // Only the driver calls through its table. One of its own: a table holds on to all instances that have it.
      env: { memory: this.#memory, table: new WebAssembly.Table({ element: 'anyfunc', initial: 1 }) },
      memory: {
        grown: () => {
          this.#refresh();
        },
      },
      pairs: {
        countInSample: (table: number, key: number, value: number, sign: number, window: number, field: number) => {
          tables[table]!.countInSample(key, value, sign, window, field);
        },
        dropBeside: (table: number, field: number) => {
          tables[table]!.dropBeside(field);
        },
        settleSample: (table: number, key: number, window: number, field: number) =>
          Number(tables[table]!.settle(key, window, field)),
      },
      held: {
        clearSample: (table: number, field: number) => {
          tables[table]!.clearSample(field);
        },
      },
      edges: { crossWaiting: unused, moveOn: unused, holdBack: unused, passInserted: unused, crossOthers: unused },
      reads: {
        readSample: (table: number, reference: number, target: number) => {
          tables[table]!.writeSample(reference, target);
        },
      },
    }).exports;
  }

  #refresh(): void {
    const { buffer } = this.#memory;
    this.doubles = new Float64Array(buffer);
    this.words = new Int32Array(buffer);
    this.#rowSegments = this.words[ROW_SEGMENTS_WORD]! >>> 2;
  }
}

function unused(): never {
  throw new Error('SLUICE_KERNEL: a column has no events');
}

/** Bytes of a table (assembly/segments.ts) that has come to so many segments, with places of so many bytes. */
export function tableBytesOf(
  placeBytes: number,
  { segments, directoryLength, counted }: ReturnType<typeof expectedSegments>,
): number {
  // The shorter directories and lists before are left where they were: together as long as the last.
  const beside = 2 * (DIRECTORY_BYTES * directoryLength + COUNT_BYTES * counted);
  return segments * PLACES * placeBytes + beside;
}
