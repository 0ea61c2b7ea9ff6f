import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import type { ReservoirStorage } from './blockStore.ts';
import { EventBlock } from './eventBlock.ts';
import type { KernelDriver } from './kernel/kernelDriver.ts';
import { Cursor } from './cursor.ts';
import { BOUNDARY } from './eventNumbers.ts';
import { OFFSET_PAGE_BYTES, OffsetIndex } from './offsetIndex.ts';
import { ReservoirHead, type Chunk, type HeadPlace } from './reservoirHead.ts';
import { SealedEvents, type SealedBlock } from './sealedEvents.ts';

export interface ReservoirOptions {
  readonly wordCount: number;
  readonly cursorCount: number;
  /** Events of a chunk of the head. */
  readonly chunkCapacity: number;
  /** Events of a sealed block. */
  readonly blockCapacity: number;
  readonly maxFactChanges: number;
  /** Whether events are to be found by their ledger offset. */
  readonly hasOffsetIndex: boolean;
  /** Whether an event's last words hold what was refunded of it. */
  readonly hasRefunds: boolean;
}

/**
 * All events that some window may still hold, in order of their time (ties in the order of the ledger). The newest are in
 * the head, where a late event can be put among them. Older ones are *sealed*: copied, in their final order, into blocks
 * of fixed capacity that never change, so that a position is a block and a place in it. Memory holds the head and the blocks that
 * cursors stand in, however long the windows are.
 */
export class Reservoir implements SavedState {
  readonly wordCount: number;
  readonly cursors: readonly Cursor[];
  /** The event that `insert` or `find` came to. */
  foundBlock: EventBlock;
  foundIndex = 0;
  /** Its position when it is sealed, else -1. */
  #foundPosition = -1;
  readonly #head: ReservoirHead;
  readonly #sealed: SealedEvents;
  readonly #offsets: OffsetIndex | null;
  /** Where the first event of the head is. */
  readonly #sealPlace: HeadPlace = { chunk: null, index: 0 };
  readonly #hasRefunds: boolean;
  #sealedThroughMs = 0;
  #headCount = 0;

  /** Its blocks and cursors lie in the driver's memory, so that the kernel can have events cross edges. */
  constructor(options: ReservoirOptions, storage: ReservoirStorage, driver: KernelDriver) {
    const { wordCount, blockCapacity } = options;
    this.wordCount = wordCount;
    const events = storage.open('events', EventBlock.byteLength(blockCapacity, wordCount));
    const { maxFactChanges, hasRefunds } = options;
    this.#sealed = new SealedEvents(wordCount, blockCapacity, events, maxFactChanges, hasRefunds, driver.placeBlock);
    this.#hasRefunds = hasRefunds;
    this.#offsets = options.hasOffsetIndex ? new OffsetIndex(storage.open('offsets', OFFSET_PAGE_BYTES)) : null;
    this.cursors = Array.from({ length: options.cursorCount }, (_, number) => new Cursor(driver.cursors, number));
    this.#head = new ReservoirHead(
      wordCount,
      options.chunkCapacity,
      [this.#sealPlace, ...this.cursors],
      driver.placeBlock,
    );
    this.#sealPlace.chunk = this.#head.firstChunk;
    for (const cursor of this.cursors) cursor.sealed = this.#sealed.acquire(0);
    this.foundBlock = this.#head.firstChunk;
  }

  /** Events since the first of all. */
  get end(): number {
    return this.#sealed.count + this.#headCount;
  }

  /** Events of a sealed block. */
  get blockCapacity(): number {
    return this.#sealed.capacity;
  }

  get hasRefunds(): boolean {
    return this.#hasRefunds;
  }

  /** Whether there are sealed blocks whose events are all of nearly one time. */
  get hasBursts(): boolean {
    return this.#sealed.hasBursts;
  }

  /** Events in the head. */
  get headCount(): number {
    return this.#headCount;
  }

  /** Time of the newest sealed event: none may be inserted before it. */
  get sealedThroughMs(): number {
    return this.#sealedThroughMs;
  }

  get factChangeCount(): number {
    return this.#sealed.factChangeCount;
  }

  get byteLength(): number {
    return this.#head.byteLength + this.#sealed.byteLength + (this.#offsets?.byteLength ?? 0);
  }

  /** Bytes in the store. */
  get storedBytes(): number {
    return this.#sealed.storedBytes + (this.#offsets?.storedBytes ?? 0);
  }

  /** As BlockStore has it, of all stores. */
  get waitingBlocks(): number {
    return this.#sealed.waitingBlocks + (this.#offsets?.waitingBlocks ?? 0);
  }

  /** byteLength and storedBytes with so many events in the head and sealed, some of which change then. */
  static expectedBytes(
    options: ReservoirOptions,
    events: { readonly head: number; readonly sealed: number; readonly factChanges: number },
  ): { readonly memory: number; readonly stored: number } {
    const { wordCount, cursorCount, chunkCapacity, blockCapacity, hasOffsetIndex } = options;
    const { head, sealed, factChanges } = events;
    const blocks = Math.ceil(sealed / blockCapacity);
    const memory =
      ReservoirHead.bytesOf(head, chunkCapacity, wordCount) +
      SealedEvents.bytesOf(Math.min(cursorCount, blocks), blockCapacity, wordCount, factChanges, blocks) +
      (hasOffsetIndex ? OffsetIndex.bytesOf(head) : 0);
    const stored =
      blocks * EventBlock.byteLength(blockCapacity, wordCount) +
      (hasOffsetIndex ? OffsetIndex.storedBytesOf(sealed) : 0);
    return { memory, stored };
  }

  /**
   * Inserts an event at its place; its words are left as they are, for the caller to fill. Then the cursors must be
   * moved: those in the head by the kernel (assembly/edges.ts), which asks for `passInserted` and `holdBack` where it cannot.
   */
  insert(timeMs: number, amountMinor: number, ledgerOffset: number): void {
    if (timeMs < this.#sealedThroughMs) throw new Error('SLUICE_STATE_ORDER: an event comes before sealed ones');
    this.#offsets?.add(ledgerOffset, timeMs);
    this.#head.insert(timeMs, amountMinor, ledgerOffset);
    this.#head.hold(this.#sealPlace);
    this.#headCount += 1;
    this.foundBlock = this.#head.foundChunk;
    this.foundIndex = this.#head.foundIndex;
    this.#foundPosition = -1;
  }

  /** Moves a cursor at the end of the sealed events past the event just inserted, the head's first. */
  passInserted(cursor: Cursor): void {
    cursor.position += 1;
    this.#leaveSealed(cursor);
    cursor.chunk = this.#head.foundChunk;
    cursor.index = this.#head.foundIndex + 1;
  }

  /** Keeps a cursor before the event just inserted, which has not crossed its edge. */
  holdBack(cursor: Cursor): void {
    this.#head.hold(cursor);
  }

  /** Moves a cursor that stands at its block's end to the next event, if there is one up to this time. */
  moveOn(cursor: Cursor, boundaryMs: number): boolean {
    if (cursor.chunk !== null) {
      if (cursor.chunk.next === null) return false;
      cursor.chunk = cursor.chunk.next;
      cursor.index = 0;
      return true;
    }
    if (cursor.position < this.#sealed.count) {
      this.#leaveSealed(cursor);
      cursor.sealed = this.#sealed.acquire(cursor.position);
      cursor.index = cursor.position % this.#sealed.capacity;
      return true;
    }
    const first = this.#firstOfHead();
    if (first === null || first.timeMs(this.#sealPlace.index) > boundaryMs) return false;
    this.#leaveSealed(cursor);
    cursor.chunk = first;
    cursor.index = this.#sealPlace.index;
    return true;
  }

  /** Keeps a sealed block in memory, at which some cursor stands, until `release`. */
  retain(block: SealedBlock): void {
    this.#sealed.retain(block);
  }

  release(block: SealedBlock): void {
    this.#sealed.release(block);
  }

  /** The sealed block of this number if its events are all of nearly one time, else null. Must be given back by `release`. */
  acquireBurst(number: number): SealedBlock | null {
    return this.#sealed.acquireBurst(number);
  }

  /** Seals at most `maxEvents` events up to numbers[BOUNDARY], a time that none to come may precede. */
  seal(numbers: Float64Array, maxEvents: number): void {
    const boundaryMs = numbers[BOUNDARY]!;
    let nextCursorAt = this.#firstCursorInHead();
    for (let sealed = 0; sealed < maxEvents; sealed++) {
      const chunk = this.#firstOfHead();
      if (chunk === null || chunk.timeMs(this.#sealPlace.index) > boundaryMs) return;
      if (this.#sealed.count === nextCursorAt) nextCursorAt = this.#overtake();
      this.#sealFirst(chunk);
    }
  }

  /** Drops what comes before this position. */
  dropBefore(position: number): void {
    this.#sealed.dropBefore(position);
    this.#offsets?.dropBefore(position);
  }

  /** Finds an event at or after `fromPosition` by its ledger offset: sets found… and says whether it is there. */
  find(ledgerOffset: number, fromPosition: number): boolean {
    const found = this.#offsets?.find(ledgerOffset) ?? Number.NaN;
    if (Number.isNaN(found)) return false;
    if (found > 0) {
      if (!this.#head.find(found, ledgerOffset))
        throw new Error(`SLUICE_STATE_OFFSET: ${ledgerOffset} is not in the head`);
      this.foundBlock = this.#head.foundChunk;
      this.foundIndex = this.#head.foundIndex;
      this.#foundPosition = -1;
      return true;
    }
    const position = -1 - found;
    if (position < fromPosition) return false;
    this.foundBlock = this.#sealed.lookUp(position);
    this.foundIndex = position % this.#sealed.capacity;
    this.#foundPosition = position;
    return true;
  }

  /** What was refunded of the event found. */
  get foundRefunded(): number {
    return this.#hasRefunds ? this.foundBlock.refundedMinor(this.foundIndex) : 0;
  }

  /** Sets what is known of the event found. Returns false when it is sealed and there is no room for a further change. */
  setFoundFacts(facts: number, refunded: number): boolean {
    if (this.#foundPosition >= 0) return this.#sealed.setFacts(this.#foundPosition, facts, refunded);
    this.foundBlock.facts[this.foundIndex] = facts;
    if (this.#hasRefunds) this.foundBlock.setRefunded(this.foundIndex, refunded);
    return true;
  }

  save(output: StateOutput): void {
    output.number(this.#sealedThroughMs);
    output.number(this.#headCount);
    output.array(Float64Array.from(this.cursors, ({ position }) => position));
    this.#head.save(output);
    this.#sealed.save(output);
    this.#offsets?.save(output);
  }

  load(input: StateInput): void {
    this.#sealedThroughMs = input.number();
    this.#headCount = input.number();
    const positions = input.float64Array();
    if (positions.length !== this.cursors.length)
      throw new SavedStateError(`${positions.length} cursors, not ${this.cursors.length}`);
    this.#head.load(input);
    this.#sealed.load(input);
    this.#offsets?.load(input);
    for (const [number, cursor] of this.cursors.entries()) {
      cursor.position = positions[number]!;
      cursor.sealed = null;
      if (cursor.chunk !== null) continue;
      cursor.sealed = this.#sealed.acquire(cursor.position);
      cursor.index = cursor.position % this.#sealed.capacity;
    }
  }

  #leaveSealed(cursor: Cursor): void {
    if (cursor.sealed !== null) this.#sealed.release(cursor.sealed);
    cursor.sealed = null;
  }

  /** The chunk of the head's first event, null when the head is empty. */
  #firstOfHead(): Chunk | null {
    if (this.#headCount === 0) return null;
    const place = this.#sealPlace;
    // It may have gone on by itself, to a chunk that was begun when all before it was sealed.
    while (place.index === place.chunk!.count || place.chunk !== this.#head.firstChunk) this.#head.dropFirst();
    return place.chunk;
  }

  #sealFirst(chunk: Chunk): void {
    const place = this.#sealPlace;
    this.#sealedThroughMs = chunk.timeMs(place.index);
    this.#offsets?.seal(chunk.ledgerOffsets[place.index]!, this.#sealed.count);
    this.#sealed.append(chunk, place.index);
    place.index += 1;
    this.#headCount -= 1;
  }

  #firstCursorInHead(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { chunk, position } of this.cursors) if (chunk !== null && position < first) first = position;
    return first;
  }

  /** Has the cursors at the head's first event wait for it in the sealed block to which it goes. */
  #overtake(): number {
    for (const cursor of this.cursors) {
      if (cursor.chunk === null || cursor.position !== this.#sealed.count) continue;
      cursor.chunk = null;
      cursor.sealed = this.#sealed.acquire(cursor.position);
      cursor.index = cursor.position % this.#sealed.capacity;
    }
    return this.#firstCursorInHead();
  }
}
