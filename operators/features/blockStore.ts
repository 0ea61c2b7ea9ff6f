import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';

const IN_MEMORY = 'blocks in memory';

/**
 * Where sealed blocks go: blocks of one length, numbered, each written once, in rising order (numbers may be left out).
 * A store in files saves itself by reference (StateOutput.file): what it has written by then never changes any more, and a
 * store that loads it reads the blocks where they are and writes what follows elsewhere. One whose disk does not take a block
 * keeps it in memory and tries again by itself: where a block is changes no answer.
 */
export interface BlockStore extends SavedState {
  /** Blocks in memory because the disk has not taken them; of a store in memory none. At most MAX_WAITING_BLOCKS. */
  readonly waitingBlocks: number;
  write(block: number, bytes: Uint8Array): void;
  /** Fills `bytes`; returns false when there is no such block. */
  read(block: number, bytes: Uint8Array): boolean;
  /** Says that the block will soon be read, so that reading it need not wait for a disk. */
  prefetch(block: number): void;
  /** Blocks below this one will not be read any more. */
  dropBefore(block: number): void;
}

/** What one feature state keeps outside its memory. */
export interface ReservoirStorage {
  /** Asked once for each name. */
  open(name: 'events' | 'offsets', blockBytes: number): BlockStore;
  /** Lets go of all blocks and whatever holds them. */
  close(): void;
}

/** Keeps the blocks in memory: for tests, and for deployments whose longest window holds no more than that. */
export class MemoryStorage implements ReservoirStorage {
  open(_name: 'events' | 'offsets', blockBytes: number): BlockStore {
    return new MemoryBlockStore(blockBytes);
  }

  close(): void {
    // The collector takes the blocks with their state.
  }
}

class MemoryBlockStore implements BlockStore {
  readonly waitingBlocks = 0;
  readonly #blockBytes: number;
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  write(block: number, bytes: Uint8Array): void {
    this.#blocks.set(block, bytes.slice());
  }

  read(block: number, bytes: Uint8Array): boolean {
    const stored = this.#blocks.get(block);
    if (stored === undefined) return false;
    bytes.set(stored);
    return true;
  }

  prefetch(): void {
    // All blocks are at hand.
  }

  dropBefore(block: number): void {
    for (const number of this.#blocks.keys()) {
      if (number >= block) return;
      this.#blocks.delete(number);
    }
  }

  save(output: StateOutput): void {
    output.text(IN_MEMORY);
    output.number(this.#blocks.size);
    for (const [number, bytes] of this.#blocks) {
      output.number(number);
      output.array(bytes);
    }
  }

  load(input: StateInput): void {
    if (input.text() !== IN_MEMORY)
      throw new SavedStateError('the events were saved in files, and are to be held in memory');
    this.#blocks.clear();
    for (let left = input.number(); left > 0; left--) {
      const number = input.number();
      const bytes = input.uint8Array();
      if (bytes.length !== this.#blockBytes) throw new SavedStateError(`a block of ${bytes.length} bytes`);
      this.#blocks.set(number, bytes);
    }
  }
}
