/**
 * Where sealed blocks go: blocks of one length, numbered, each written once, in rising order (numbers may be left out). A
 * block that is written again, after a restart, has the same bytes as before, for it is a function of the ledger.
 */
export interface BlockStore {
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
  open(): BlockStore {
    return new MemoryBlockStore();
  }

  close(): void {
    // The collector takes the blocks with their state.
  }
}

class MemoryBlockStore implements BlockStore {
  readonly #blocks = new Map<number, Uint8Array>();

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
}
