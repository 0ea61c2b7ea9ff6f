import type { Cursor } from './cursor.ts';
import type { Reservoir } from './reservoir.ts';
import type { SealedBlock } from './sealedEvents.ts';
import { SlotIndex } from './slotIndex.ts';

interface PreparedBlock {
  readonly block: SealedBlock;
  readonly index: SlotIndex;
}

/**
 * Reads the blocks of a burst before they are due at an edge, and finds where in them each key is, a block a step: when the burst is due,
 * all of it at once, no step has to do so. A burst is a run of blocks whose events are all of nearly one time.
 */
export class Lookahead {
  readonly #columns: Int32Array;
  readonly #reservoir: Reservoir;
  readonly #maxBlocks: number;
  /** Of the blocks that follow the cursor's, the first ones. */
  #prepared: PreparedBlock[] = [];

  constructor(columns: Int32Array, reservoir: Reservoir, maxBlocks: number) {
    this.#columns = columns;
    this.#reservoir = reservoir;
    this.#maxBlocks = maxBlocks;
  }

  get byteLength(): number {
    const { length } = this.#prepared;
    return length * SlotIndex.byteLength(this.#columns.length, this.#reservoir.blockCapacity);
  }

  /** Prepares one block more, if a burst follows the block where the cursor stands. */
  step({ sealed }: Cursor): void {
    if (sealed === null) {
      this.#dropThrough(Number.POSITIVE_INFINITY);
      return;
    }
    this.#dropThrough(sealed.number);
    if (this.#prepared.length >= this.#maxBlocks) return;
    const block = this.#reservoir.acquireBurst(sealed.number + this.#prepared.length + 1);
    if (block === null) return;
    const index = new SlotIndex(this.#columns, block.words, block.wordCount, 0, block.count);
    this.#prepared.push({ block, index });
  }

  /** The index of the block, if that is prepared. */
  take(block: SealedBlock): SlotIndex | null {
    this.#dropThrough(block.number - 1);
    const first = this.#prepared[0];
    if (first?.block !== block) return null;
    this.#dropThrough(block.number);
    return first.index;
  }

  /** What was prepared of sealed blocks is void. */
  clear(): void {
    this.#prepared = [];
  }

  /** Gives back the blocks up to a number. */
  #dropThrough(number: number): void {
    for (
      let first = this.#prepared[0];
      first !== undefined && first.block.number <= number;
      first = this.#prepared[0]
    ) {
      this.#reservoir.release(first.block);
      this.#prepared.shift();
    }
  }
}
