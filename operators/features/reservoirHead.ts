import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import { EventBlock, type PlaceBlock } from './eventBlock.ts';

/** Events of the head that lie together. */
export class Chunk extends EventBlock {
  readonly ledgerOffsets: Float64Array;
  #next: Chunk | null = null;

  constructor(capacity: number, wordCount: number, placeBlock: PlaceBlock) {
    super(capacity, wordCount, placeBlock);
    this.ledgerOffsets = new Float64Array(capacity);
  }

  get next(): Chunk | null {
    return this.#next;
  }

  set next(chunk: Chunk | null) {
    this.#next = chunk;
    this.setNext(chunk);
  }

  loadOffsets(ledgerOffsets: Float64Array): void {
    const { length } = ledgerOffsets;
    if (length !== this.capacity) throw new SavedStateError(`a chunk with ${length} ledger offsets`);
    this.ledgerOffsets.set(ledgerOffsets);
  }

  static override byteLength(capacity: number, wordCount: number): number {
    return EventBlock.byteLength(capacity, wordCount) + capacity * Float64Array.BYTES_PER_ELEMENT;
  }

  override openGap(index: number): void {
    this.ledgerOffsets.copyWithin(index + 1, index, this.count);
    super.openGap(index);
  }
}

/** A place between the head's events; it may be a chunk's end. A null chunk is a place elsewhere. */
export interface HeadPlace {
  chunk: Chunk | null;
  index: number;
}

/**
 * The newest events, among which a late one may still be put: in order of their time (ties in the order of the ledger), in
 * chunks of fixed capacity. A late event moves at most one chunk's events; a full chunk is split.
 */
export class ReservoirHead implements SavedState {
  readonly wordCount: number;
  /** Places that stay with their events when others are put in. */
  readonly #places: readonly HeadPlace[];
  readonly #capacity: number;
  readonly #placeBlock: PlaceBlock;
  /** Where the last insertion put its event, or the last successful find found one. */
  foundChunk: Chunk;
  foundIndex = 0;
  #chunks: Chunk[];
  #first = 0;
  #tail: Chunk;
  /** Memory that was once taken for chunks stays with them. */
  readonly #spare: Chunk[] = [];

  constructor(wordCount: number, capacity: number, places: readonly HeadPlace[], placeBlock: PlaceBlock) {
    this.wordCount = wordCount;
    this.#capacity = capacity;
    this.#places = places;
    this.#placeBlock = placeBlock;
    this.#tail = this.#takeChunk();
    this.#chunks = [this.#tail];
    this.foundChunk = this.#tail;
  }

  get byteLength(): number {
    const chunks = this.#chunks.length - this.#first + this.#spare.length;
    return chunks * Chunk.byteLength(this.#capacity, this.wordCount);
  }

  /** Bytes of a head that has so many events, in order. */
  static bytesOf(events: number, capacity: number, wordCount: number): number {
    return (Math.ceil(events / capacity) + 1) * Chunk.byteLength(capacity, wordCount);
  }

  get firstChunk(): Chunk {
    return this.#chunks[this.#first]!;
  }

  /**
   * Inserts an event at its place; its words are left as they are, for the caller to fill. Then every place must be
   * moved, as the kernel does with cursors and `hold` with another.
   */
  insert(timeMs: number, amountMinor: number, ledgerOffset: number): void {
    let chunk = this.#tail;
    let index = chunk.count;
    if (index > 0 && timeMs < chunk.timeMs(index - 1)) {
      const at = this.#chunkAt(timeMs);
      chunk = this.#chunks[at]!;
      if (chunk.count === this.#capacity) {
        const upper = this.#split(chunk, at);
        if (timeMs >= upper.timeMs(0)) chunk = upper;
      }
      index = chunk.upperBound(timeMs);
      chunk.openGap(index);
    } else {
      if (index === this.#capacity) {
        chunk = this.#append();
        index = 0;
      }
      chunk.count = index + 1;
    }
    chunk.set(index, timeMs, amountMinor, 0);
    chunk.ledgerOffsets[index] = ledgerOffset;
    this.foundChunk = chunk;
    this.foundIndex = index;
  }

  /** Moves a place that has gone on to the next chunk back to the event just inserted, which is not before it. */
  hold(place: HeadPlace): void {
    if (place.index !== 0 || place.chunk === null || place.chunk !== this.foundChunk.next) return;
    place.chunk = this.foundChunk;
    place.index = this.foundIndex;
  }

  /** Drops the first chunk, of which no place needs an event any more. */
  dropFirst(): void {
    const chunk = this.firstChunk;
    const { next } = chunk;
    if (next === null) throw new Error('SLUICE_STATE_HEAD: the last chunk cannot go');
    for (const place of this.#places) {
      if (place.chunk !== chunk) continue;
      place.chunk = next;
      place.index = 0;
    }
    this.#spareChunk(chunk);
    this.#first += 1;
    if (this.#first > 1_024 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Finds an event by its time and ledger offset: sets found… and says whether it is there. */
  find(timeMs: number, ledgerOffset: number): boolean {
    let at = this.#chunkAt(timeMs);
    // Events of the same time may reach back over several chunks.
    for (;;) {
      const chunk = this.#chunks[at]!;
      let index = chunk.upperBound(timeMs) - 1;
      for (; index >= 0 && chunk.timeMs(index) === timeMs; index--) {
        if (chunk.ledgerOffsets[index] !== ledgerOffset) continue;
        this.foundChunk = chunk;
        this.foundIndex = index;
        return true;
      }
      if (index >= 0 || at === this.#first) return false;
      at -= 1;
    }
  }

  /** The chunks, and the places in them: for each its chunk's number from the first, -1 for a place elsewhere, and its index. */
  save(output: StateOutput): void {
    const chunks = this.#chunks.slice(this.#first);
    const numbers = new Map<Chunk | null, number>(chunks.map((chunk, number) => [chunk, number]));
    output.array(Int32Array.from(chunks, ({ count }) => count));
    output.array(Int32Array.from(this.#places, ({ chunk }) => numbers.get(chunk) ?? -1));
    output.array(Int32Array.from(this.#places, ({ index }) => index));
    for (const { bytes, ledgerOffsets } of chunks) {
      output.array(bytes.slice());
      output.array(ledgerOffsets);
    }
  }

  load(input: StateInput): void {
    const counts = input.int32Array();
    const numbers = input.int32Array();
    const indexes = input.int32Array();
    if (counts.length === 0 || numbers.length !== this.#places.length || indexes.length !== numbers.length)
      throw new SavedStateError(`a reservoir of ${counts.length} chunks and ${numbers.length} places`);
    for (const chunk of this.#chunks.slice(this.#first)) this.#spareChunk(chunk);
    const chunks = Array.from(counts, (count) => {
      const chunk = this.#takeChunk();
      chunk.load(input.uint8Array(), count);
      chunk.loadOffsets(input.float64Array());
      return chunk;
    });
    for (const [number, chunk] of chunks.entries()) chunk.next = chunks[number + 1] ?? null;
    this.#chunks = chunks;
    this.#first = 0;
    this.#tail = chunks.at(-1)!;
    this.foundChunk = this.#tail;
    this.foundIndex = 0;
    for (const [number, place] of this.#places.entries()) {
      place.chunk = chunks[numbers[number]!] ?? null;
      place.index = indexes[number]!;
    }
  }

  /** Index of the last chunk that starts at or before this time; the first chunk if none does. */
  #chunkAt(timeMs: number): number {
    let low = this.#first;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunks[middle]!.timeMs(0) <= timeMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #takeChunk(): Chunk {
    return this.#spare.pop() ?? new Chunk(this.#capacity, this.wordCount, this.#placeBlock);
  }

  #spareChunk(chunk: Chunk): void {
    chunk.count = 0;
    chunk.next = null;
    this.#spare.push(chunk);
  }

  #append(): Chunk {
    const chunk = this.#takeChunk();
    const full = this.#tail;
    full.next = chunk;
    this.#chunks.push(chunk);
    this.#tail = chunk;
    for (const place of this.#places) {
      if (place.chunk !== full || place.index !== full.count) continue;
      place.chunk = chunk;
      place.index = 0;
    }
    return chunk;
  }

  /** Moves the upper half of a full chunk to a new one behind it. */
  #split(chunk: Chunk, at: number): Chunk {
    const upper = this.#takeChunk();
    const half = chunk.count >>> 1;
    upper.ledgerOffsets.set(chunk.ledgerOffsets.subarray(half, chunk.count));
    for (let index = half; index < chunk.count; index++) upper.append(chunk, index);
    chunk.count = half;
    upper.next = chunk.next;
    chunk.next = upper;
    this.#chunks.splice(at + 1, 0, upper);
    if (this.#tail === chunk) this.#tail = upper;
    // A place at the seam stays at the lower chunk's end: the event to come may be put there, before it or after it.
    for (const place of this.#places) {
      if (place.chunk !== chunk || place.index <= half) continue;
      place.chunk = upper;
      place.index -= half;
    }
    return upper;
  }
}
