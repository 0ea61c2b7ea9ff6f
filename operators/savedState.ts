/**
 * Version of what the engine's parts save: their items, their order and what the numbers in them mean. Raise it whenever an
 * older snapshot would be misread or give other decisions (pipeline/engine/stateLayout.test.ts fails then); those are refused,
 * and the next start reads the ledger.
 */
export const STATE_LAYOUT = 1;

/** The flat arrays that state is made of. */
export type StateArray = Float64Array | Int32Array | Uint32Array | Uint8Array | Uint16Array;

/**
 * Where a part of the engine's state puts itself, in an order of its own choosing, to be read back in the same order. Arrays
 * are handed over as they are, not copied: a file writer streams them, a thread transfers them to another.
 */
export interface StateOutput {
  /** A finite or NaN double; integers up to 2^53 included. */
  number(value: number): void;
  text(value: string): void;
  /**
   * The array's whole buffer goes with it: hand over no view of a larger one. Only its first `used` numbers count (by default
   * all of it) and the others are 0, so that a reader may be given those alone.
   */
  array(values: StateArray, used?: number): void;
  /** The same of a shared memory, of whose bytes only the first `used` count. */
  memory(memory: WebAssembly.Memory, used: number): void;
  /**
   * Refers to a file whose bytes no longer change, instead of holding them: whoever keeps what is saved keeps the file as
   * well (by a hard link, before the state goes on). Its name is the only one of its kind in what is saved.
   */
  file(path: string): void;
}

/** Gives back what a StateOutput was given, in order. Throws SavedStateError when something else comes. */
export interface StateInput {
  number(): number;
  text(): string;
  /** Arrays become the reader's own: they may be written to and kept. */
  float64Array(): Float64Array;
  int32Array(): Int32Array;
  uint32Array(): Uint32Array;
  uint16Array(): Uint16Array;
  uint8Array(): Uint8Array;
  /** As long as what was used, at least; all beyond that is 0. */
  memory(): WebAssembly.Memory;
  /** Where the file is now. It is the snapshot's: never to be written to, and gone when the snapshot goes. */
  file(): string;
}

/** A part of the engine's state that a snapshot holds. `load` replaces all that the part held before. */
export interface SavedState {
  save(output: StateOutput): void;
  load(input: StateInput): void;
}

/** What was saved is not what is read: a damaged snapshot, or one of another version. */
export class SavedStateError extends Error {
  readonly code = 'SLUICE_SNAPSHOT_CONTENT';
  constructor(message: string) {
    super(message);
    this.name = 'SavedStateError';
  }
}
