import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';

/** Events of a reservoir that lie together. */
export class Chunk {
  readonly timesMs: Float64Array;
  readonly amountsMinor: Float64Array;
  readonly ledgerOffsets: Float64Array;
  /** `wordCount` integers an event: key slots, bits, label. */
  readonly words: Int32Array;
  count = 0;
  next: Chunk | null = null;

  constructor(timesMs: Float64Array, amountsMinor: Float64Array, ledgerOffsets: Float64Array, words: Int32Array) {
    this.timesMs = timesMs;
    this.amountsMinor = amountsMinor;
    this.ledgerOffsets = ledgerOffsets;
    this.words = words;
  }
}

/** A place between events: the first event that has not crossed an edge. It may stand at a chunk's end. */
export interface Cursor {
  chunk: Chunk;
  index: number;
}

const SPARE_CHUNKS = 64;

/**
 * All events that some window may still hold, in order of their time (ties in the order of the ledger), in chunks of
 * fixed capacity. A late event moves at most one chunk's events; a full chunk is split.
 */
export class Reservoir implements SavedState {
  readonly wordCount: number;
  readonly cursors: readonly Cursor[];
  /** Where the last insertion put its event. */
  insertedChunk: Chunk;
  insertedIndex = 0;
  readonly #capacity: number;
  #chunks: Chunk[];
  #head = 0;
  #tail: Chunk;
  #count = 0;
  readonly #spare: Chunk[] = [];

  constructor(wordCount: number, cursorCount: number, capacity = 512) {
    this.wordCount = wordCount;
    this.#capacity = capacity;
    this.#tail = emptyChunk(capacity, wordCount);
    this.#chunks = [this.#tail];
    this.insertedChunk = this.#tail;
    this.cursors = Array.from({ length: cursorCount }, () => ({ chunk: this.#tail, index: 0 }));
  }

  /** Events held. */
  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    const chunks = this.#chunks.length - this.#head + this.#spare.length;
    return chunks * this.#capacity * (24 + 4 * this.wordCount);
  }

  get oldestChunk(): Chunk {
    return this.#chunks[this.#head]!;
  }

  /**
   * Inserts an event at its place; its words are left as they are, for the caller to fill. Then the cursor of each edge
   * that the event has already crossed must be moved by `passInserted`, and that of every other edge by `holdBack`.
   */
  insert(timeMs: number, amountMinor: number, ledgerOffset: number): void {
    let chunk = this.#tail;
    let index = chunk.count;
    if (index > 0 && timeMs < chunk.timesMs[index - 1]!) {
      const place = this.#chunkAt(timeMs);
      chunk = this.#chunks[place]!;
      if (chunk.count === this.#capacity) {
        const upper = this.#split(chunk, place);
        if (timeMs >= upper.timesMs[0]!) chunk = upper;
      }
      index = upperBound(chunk.timesMs, chunk.count, timeMs);
      this.#openGap(chunk, index);
    } else if (index === this.#capacity) {
      chunk = this.#append();
      index = 0;
    }
    chunk.timesMs[index] = timeMs;
    chunk.amountsMinor[index] = amountMinor;
    chunk.ledgerOffsets[index] = ledgerOffset;
    chunk.count += 1;
    this.#count += 1;
    this.insertedChunk = chunk;
    this.insertedIndex = index;
  }

  /** Moves a cursor past the event just inserted before it. */
  passInserted(cursor: Cursor): void {
    if (cursor.chunk === this.insertedChunk) cursor.index += 1;
  }

  /** Moves a cursor that has gone on to the next chunk back to the event just inserted before it, not yet crossed. */
  holdBack(cursor: Cursor): void {
    if (cursor.index !== 0 || cursor.chunk !== this.insertedChunk.next) return;
    cursor.chunk = this.insertedChunk;
    cursor.index = this.insertedIndex;
  }

  /** Drops all chunks before the one in which the last cursor stands. */
  dropBefore(cursor: Cursor): void {
    while (this.#chunks[this.#head] !== cursor.chunk) {
      const chunk = this.#chunks[this.#head]!;
      this.#head += 1;
      this.#count -= chunk.count;
      chunk.count = 0;
      chunk.next = null;
      if (this.#spare.length < SPARE_CHUNKS) this.#spare.push(chunk);
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Finds an event by its time and ledger offset: sets inserted… to its place and says whether it is there. */
  find(timeMs: number, ledgerOffset: number): boolean {
    let place = this.#chunkAt(timeMs);
    // Events of the same time may reach back over several chunks.
    for (;;) {
      const chunk = this.#chunks[place]!;
      let index = upperBound(chunk.timesMs, chunk.count, timeMs) - 1;
      for (; index >= 0 && chunk.timesMs[index] === timeMs; index--) {
        if (chunk.ledgerOffsets[index] !== ledgerOffset) continue;
        this.insertedChunk = chunk;
        this.insertedIndex = index;
        return true;
      }
      if (index >= 0 || place === this.#head) return false;
      place -= 1;
    }
  }

  save(output: StateOutput): void {
    const chunks = this.#chunks.slice(this.#head);
    const places = new Map(chunks.map((chunk, place) => [chunk, place]));
    output.array(Int32Array.from(chunks, ({ count }) => count));
    output.array(Int32Array.from(this.cursors, ({ chunk }) => places.get(chunk)!));
    output.array(Int32Array.from(this.cursors, ({ index }) => index));
    for (const { timesMs, amountsMinor, ledgerOffsets, words } of chunks) {
      output.array(timesMs);
      output.array(amountsMinor);
      output.array(ledgerOffsets);
      output.array(words);
    }
  }

  load(input: StateInput): void {
    const counts = input.int32Array();
    const places = input.int32Array();
    const indexes = input.int32Array();
    const chunks: Chunk[] = [];
    this.#count = 0;
    for (const count of counts) {
      const chunk = new Chunk(input.float64Array(), input.float64Array(), input.float64Array(), input.int32Array());
      if (chunk.timesMs.length !== this.#capacity || chunk.words.length !== this.#capacity * this.wordCount)
        throw new SavedStateError(`a chunk of ${chunk.timesMs.length} events with ${chunk.words.length} words`);
      chunk.count = count;
      const before = chunks.at(-1);
      if (before !== undefined) before.next = chunk;
      chunks.push(chunk);
      this.#count += count;
    }
    const tail = chunks.at(-1);
    if (tail === undefined || places.length !== this.cursors.length)
      throw new SavedStateError(`a reservoir of ${counts.length} chunks and ${places.length} cursors`);
    this.#chunks = chunks;
    this.#head = 0;
    this.#tail = tail;
    this.insertedChunk = tail;
    this.insertedIndex = 0;
    for (const [number, cursor] of this.cursors.entries()) {
      cursor.chunk = chunks[places[number]!]!;
      cursor.index = indexes[number]!;
    }
  }

  /** Index of the last chunk that starts at or before this time; the first chunk if none does. */
  #chunkAt(timeMs: number): number {
    let low = this.#head;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunks[middle]!.timesMs[0]! <= timeMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #append(): Chunk {
    const chunk = this.#spare.pop() ?? emptyChunk(this.#capacity, this.wordCount);
    const full = this.#tail;
    full.next = chunk;
    this.#chunks.push(chunk);
    this.#tail = chunk;
    for (const cursor of this.cursors) {
      if (cursor.chunk === full && cursor.index === full.count) {
        cursor.chunk = chunk;
        cursor.index = 0;
      }
    }
    return chunk;
  }

  /** Moves the upper half of a full chunk to a new one behind it. */
  #split(chunk: Chunk, place: number): Chunk {
    const upper = this.#spare.pop() ?? emptyChunk(this.#capacity, this.wordCount);
    const half = chunk.count >>> 1;
    upper.timesMs.set(chunk.timesMs.subarray(half, chunk.count));
    upper.amountsMinor.set(chunk.amountsMinor.subarray(half, chunk.count));
    upper.ledgerOffsets.set(chunk.ledgerOffsets.subarray(half, chunk.count));
    upper.words.set(chunk.words.subarray(half * this.wordCount, chunk.count * this.wordCount));
    upper.count = chunk.count - half;
    chunk.count = half;
    upper.next = chunk.next;
    chunk.next = upper;
    this.#chunks.splice(place + 1, 0, upper);
    if (this.#tail === chunk) this.#tail = upper;
    // A cursor at the seam stays at the lower chunk's end: the event to come may be put there, before it or after it.
    for (const cursor of this.cursors) {
      if (cursor.chunk === chunk && cursor.index > half) {
        cursor.chunk = upper;
        cursor.index -= half;
      }
    }
    return upper;
  }

  #openGap(chunk: Chunk, index: number): void {
    const { count } = chunk;
    chunk.timesMs.copyWithin(index + 1, index, count);
    chunk.amountsMinor.copyWithin(index + 1, index, count);
    chunk.ledgerOffsets.copyWithin(index + 1, index, count);
    const words = this.wordCount;
    chunk.words.copyWithin((index + 1) * words, index * words, count * words);
  }
}

function emptyChunk(capacity: number, wordCount: number): Chunk {
  const doubles = (): Float64Array => new Float64Array(capacity);
  return new Chunk(doubles(), doubles(), doubles(), new Int32Array(capacity * wordCount));
}

/** Index of the first of `count` rising times that is later than `timeMs`. */
function upperBound(timesMs: Float64Array, count: number, timeMs: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle]! <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
