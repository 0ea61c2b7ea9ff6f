import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import type { BlockStore } from './blockStore.ts';
import { EventBlock, type PlaceBlock } from './eventBlock.ts';
import { FactChanges } from './factChanges.ts';

/** Blocks behind the one just begun that are asked for ahead of need. */
const PREFETCHED_BLOCKS = 2;
/** The events of a full block that are no further apart are a burst: 50,000 a second, with blocks of 1,024. */
const BURST_MS = 20;
/** Blocks known to be bursts; further ones are not, and so not prepared for. */
const MAX_BURST_BLOCKS = 65_536;
const NO_BLOCK = -1;

/** A block of sealed events in memory: the one being filled, or one that some cursor stands in. */
export class SealedBlock extends EventBlock {
  number = NO_BLOCK;
  users = 0;
}

/**
 * Events in their final order, in numbered blocks of equal capacity. Memory holds the block being filled, the blocks that
 * cursors stand in, and the facts that became known after their event was sealed; full blocks are in the store.
 */
export class SealedEvents implements SavedState {
  readonly capacity: number;
  readonly #wordCount: number;
  readonly #store: BlockStore;
  readonly #placeBlock: PlaceBlock;
  readonly #changes: FactChanges;
  readonly #hasRefunds: boolean;
  /** Full blocks in use. */
  readonly #held: SealedBlock[] = [];
  /** Memory that was once taken for blocks stays with them. */
  readonly #free: SealedBlock[] = [];
  readonly #lookedUp: SealedBlock;
  /** Numbers of full blocks. */
  readonly #bursts = new Set<number>();
  #tail: SealedBlock;
  #count = 0;
  #oldestBlock = 0;

  constructor(
    wordCount: number,
    capacity: number,
    store: BlockStore,
    maxFactChanges: number,
    hasRefunds: boolean,
    placeBlock: PlaceBlock,
  ) {
    this.capacity = capacity;
    this.#wordCount = wordCount;
    this.#store = store;
    this.#placeBlock = placeBlock;
    this.#changes = new FactChanges(maxFactChanges, hasRefunds);
    this.#hasRefunds = hasRefunds;
    this.#lookedUp = new SealedBlock(capacity, wordCount);
    this.#lookedUp.count = capacity;
    this.#tail = this.#freeBlock();
    this.#tail.number = 0;
  }

  /** Events sealed so far: the position of the next one. */
  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    const blocks = this.#held.length + this.#free.length + 2 + this.waitingBlocks;
    return blocks * EventBlock.byteLength(this.capacity, this.#wordCount) + this.#changes.byteLength;
  }

  /** Bytes of the full blocks that the store holds. */
  get storedBytes(): number {
    return (this.#tail.number - this.#oldestBlock - this.waitingBlocks) * this.#tail.bytes.length;
  }

  /** As BlockStore has it. */
  get waitingBlocks(): number {
    return this.#store.waitingBlocks;
  }

  /** byteLength when cursors stand in so many blocks and so many changes lie over `blocks` blocks. */
  static bytesOf(cursors: number, capacity: number, wordCount: number, changes: number, blocks: number): number {
    const held = (cursors + 2) * EventBlock.byteLength(capacity, wordCount);
    return held + FactChanges.bytesOf(changes, blocks);
  }

  /** Facts that became known after their event's block was sealed and still lie over it. */
  get factChangeCount(): number {
    return this.#changes.count;
  }

  append(from: EventBlock, index: number): void {
    const tail = this.#tail;
    tail.append(from, index);
    this.#count += 1;
    if (tail.count < this.capacity) return;
    this.#store.write(tail.number, tail.bytes);
    if (tail.timeMs(this.capacity - 1) - tail.timeMs(0) <= BURST_MS && this.#bursts.size < MAX_BURST_BLOCKS)
      this.#bursts.add(tail.number);
    this.#tail = this.#freeBlock();
    this.#tail.number = tail.number + 1;
    this.#tail.count = 0;
    if (tail.users > 0) this.#held.push(tail);
    else this.#free.push(tail);
  }

  /** The block that holds this position, or will hold it next. Must be given back by `release`. */
  acquire(position: number): SealedBlock {
    const number = Math.floor(position / this.capacity);
    const block = this.#inMemory(number) ?? this.#load(number);
    block.users += 1;
    return block;
  }

  release(block: SealedBlock): void {
    block.users -= 1;
    if (block.users > 0 || block === this.#tail) return;
    this.#held.splice(this.#held.indexOf(block), 1);
    this.#free.push(block);
  }

  /** Keeps a block that is acquired for one user more. */
  retain(block: SealedBlock): void {
    block.users += 1;
  }

  /** Whether some block is a burst. */
  get hasBursts(): boolean {
    return this.#bursts.size > 0;
  }

  /** The block of this number if it is a burst, else null. */
  acquireBurst(number: number): SealedBlock | null {
    return this.#bursts.has(number) ? this.acquire(number * this.capacity) : null;
  }

  /** The block that holds this position, good until the next call. */
  lookUp(position: number): SealedBlock {
    const number = Math.floor(position / this.capacity);
    const block = this.#inMemory(number);
    if (block !== null) return block;
    if (this.#lookedUp.number !== number) this.#fill(this.#lookedUp, number);
    return this.#lookedUp;
  }

  /** Returns false when there is no room for a further change. */
  setFacts(position: number, facts: number, refunded: number): boolean {
    const number = Math.floor(position / this.capacity);
    const index = position % this.capacity;
    if (number !== this.#tail.number && !this.#changes.set(number, index, facts, refunded)) return false;
    const block = this.#inMemory(number);
    if (block !== null) this.#setFacts(block, index, facts, refunded);
    if (this.#lookedUp.number === number) this.#setFacts(this.#lookedUp, index, facts, refunded);
    return true;
  }

  /** Drops the full blocks whose events all come before this position. */
  dropBefore(position: number): void {
    const block = Math.min(Math.floor(position / this.capacity), this.#tail.number);
    if (block <= this.#oldestBlock) return;
    for (let dropped = this.#oldestBlock; this.#bursts.size > 0 && dropped < block; dropped++)
      this.#bursts.delete(dropped);
    this.#oldestBlock = block;
    this.#changes.dropBefore(block);
    this.#store.dropBefore(block);
  }

  save(output: StateOutput): void {
    output.number(this.#count);
    output.number(this.#oldestBlock);
    output.array(Float64Array.from(this.#bursts));
    output.array(this.#tail.bytes.slice());
    this.#changes.save(output);
    this.#store.save(output);
  }

  /** Every block that was acquired before is void. */
  load(input: StateInput): void {
    this.#count = input.number();
    this.#oldestBlock = input.number();
    this.#bursts.clear();
    for (const number of input.float64Array()) this.#bursts.add(number);
    this.#free.push(this.#tail, ...this.#held.splice(0));
    const tail = this.#freeBlock();
    tail.load(input.uint8Array(), this.#count % this.capacity);
    tail.number = Math.floor(this.#count / this.capacity);
    this.#tail = tail;
    this.#lookedUp.number = NO_BLOCK;
    this.#changes.load(input);
    this.#store.load(input);
  }

  #setFacts(block: SealedBlock, index: number, facts: number, refunded: number): void {
    block.facts[index] = facts;
    if (this.#hasRefunds) block.setRefunded(index, refunded);
  }

  #inMemory(number: number): SealedBlock | null {
    if (number === this.#tail.number) return this.#tail;
    for (const block of this.#held) if (block.number === number) return block;
    return null;
  }

  #load(number: number): SealedBlock {
    const block = this.#freeBlock();
    this.#fill(block, number);
    block.count = this.capacity;
    this.#held.push(block);
    const last = Math.min(number + PREFETCHED_BLOCKS, this.#tail.number - 1);
    for (let next = number + 1; next <= last; next++) this.#store.prefetch(next);
    return block;
  }

  #fill(block: SealedBlock, number: number): void {
    block.number = NO_BLOCK;
    this.#read(number, block.bytes);
    block.number = number;
    this.#changes.applyTo(number, block);
  }

  #read(number: number, bytes: Uint8Array): void {
    if (!this.#store.read(number, bytes)) throw new Error(`SLUICE_STATE_BLOCK: block ${number} of events is gone`);
  }

  #freeBlock(): SealedBlock {
    const block = this.#free.pop() ?? new SealedBlock(this.capacity, this.#wordCount, this.#placeBlock);
    block.users = 0;
    return block;
  }
}
