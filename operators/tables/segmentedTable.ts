import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { murmur3, murmur3OfPair, murmur3OfWord } from './murmur3.ts';
import { wordPages, type Pages } from './pages.ts';

/** Of a segment. */
export const PLACES = 512;
const PLACE_MASK = PLACES - 1;
/** Entries in a segment when it is split: three quarters of its places, which keeps linear probing short. */
const MAX_ENTRIES = 384;
const BLOCK_SHIFT = 4;
const SEGMENTS_PER_BLOCK = 1 << BLOCK_SHIFT;
const BLOCK_MASK = SEGMENTS_PER_BLOCK - 1;
/** High bits of the hash that choose a segment, at most: room for hundreds of millions of entries. */
const MAX_DEPTH = 21;

/**
 * Values other than 0 by keys of a fixed number of 32-bit words, in typed arrays that grow without a pause: extendible
 * hashing (Fagin, Nievergelt, Pippenger and Strong 1979) over small segments with linear probing. A directory tells the
 * segment from the hash's high bits; a full segment is split in two, and nothing else moves. A deletion shifts back what
 * follows (Knuth, TAOCP 6.4, algorithm R), so no tombstones are left.
 *
 * The most that one call does: move 384 entries of one segment; allocate 16 segments (96 KiB with a key of two words); and
 * when the directory doubles, copy it: 8 MiB at MAX_DEPTH. Where things lie is a function of the calls alone.
 *
 * Keys chosen by an attacker to share MAX_DEPTH bits of their hash fill one segment; further keys of that segment are then
 * refused, all others are not affected.
 */
export class SegmentedTable implements SavedState {
  /** Where the last `find` or `add` found or put its entry: the value, the key. Valid until the next call. */
  block: Int32Array;
  at = 0;
  readonly #keyLength: number;
  /** Integers of one place: the value (0: empty), then the key. */
  readonly #stride: number;
  readonly #segmentLength: number;
  readonly #blocks: Pages<Int32Array>;
  readonly #scratch: Int32Array;
  #directory: Int32Array = new Int32Array(2);
  /** Bits that index the directory. */
  #depth = 1;
  /** By segment: entries, and the bits of the hash that all its entries have in common. */
  #counts: Int32Array = new Int32Array(SEGMENTS_PER_BLOCK);
  #depths: Int32Array = new Int32Array(SEGMENTS_PER_BLOCK);
  #segmentCount = 0;
  #size = 0;
  /** Of the last find. */
  #hash = 0;
  #segment = 0;
  #start = 0;

  constructor(keyLength: number) {
    this.#keyLength = keyLength;
    this.#stride = 1 + keyLength;
    this.#segmentLength = PLACES * this.#stride;
    this.#scratch = new Int32Array(this.#segmentLength);
    this.#blocks = wordPages(SEGMENTS_PER_BLOCK * this.#segmentLength);
    this.#newSegment();
    this.block = this.#blocks.arrayOf(0);
  }

  /** Bytes of a table into which so many keys have come, on average: the hash spreads them, and no segment goes away. */
  static expectedBytes(keyLength: number, entries: number): number {
    const { segments, directoryLength, counted } = expectedSegments(entries);
    const blocks = Math.ceil(segments / SEGMENTS_PER_BLOCK);
    const segmentLength = PLACES * (1 + keyLength);
    return 4 * (blocks * SEGMENTS_PER_BLOCK * segmentLength + directoryLength + 2 * counted);
  }

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    const blocks = this.#blocks.count * SEGMENTS_PER_BLOCK * this.#segmentLength;
    return 4 * (blocks + this.#directory.length + this.#counts.length + this.#depths.length);
  }

  /** Whether the key is there; sets block and at to its entry, or to the empty place where it belongs. */
  find(key: Int32Array): boolean {
    const length = this.#keyLength;
    const stride = this.#stride;
    const hash = murmur3(key, 0, length);
    const block = this.#goTo(hash);
    const start = this.#start;
    for (let place = hash & PLACE_MASK; ; place = (place + 1) & PLACE_MASK) {
      const at = start + place * stride;
      if (block[at] === 0) {
        this.at = at;
        return false;
      }
      let index = 0;
      while (index < length && block[at + 1 + index] === key[index]) index += 1;
      if (index === length) {
        this.at = at;
        return true;
      }
    }
  }

  /** `find` in a table whose keys are single words. */
  findWord(word: number): boolean {
    const stride = this.#stride;
    const hash = murmur3OfWord(word);
    const block = this.#goTo(hash);
    const start = this.#start;
    for (let place = hash & PLACE_MASK; ; place = (place + 1) & PLACE_MASK) {
      const at = start + place * stride;
      const isFound = block[at + 1] === word && block[at] !== 0;
      if (!isFound && block[at] !== 0) continue;
      this.at = at;
      return isFound;
    }
  }

  /** `find` in a table whose keys are pairs of words. */
  findPair(first: number, second: number): boolean {
    const stride = this.#stride;
    const hash = murmur3OfPair(first, second);
    const block = this.#goTo(hash);
    const start = this.#start;
    for (let place = hash & PLACE_MASK; ; place = (place + 1) & PLACE_MASK) {
      const at = start + place * stride;
      const isEmpty = block[at] === 0;
      if (!isEmpty && (block[at + 1] !== first || block[at + 2] !== second)) continue;
      this.at = at;
      return !isEmpty;
    }
  }

  /** Adds a key that the last call, a `find`, has not found. False: there is no room for it. */
  add(key: Int32Array, value: number): boolean {
    while (this.#counts[this.#segment]! >= MAX_ENTRIES) {
      if (!this.#split()) return false;
      this.find(key);
    }
    const { block, at } = this;
    block[at] = value;
    for (let index = 0; index < this.#keyLength; index++) block[at + 1 + index] = key[index]!;
    this.#counts[this.#segment]! += 1;
    this.#size += 1;
    return true;
  }

  /** Takes out the entry that the last call, a `find`, has found. */
  remove(): void {
    const { block } = this;
    const stride = this.#stride;
    const start = this.#start;
    let hole = (this.at - start) / stride;
    let next = hole;
    for (;;) {
      next = (next + 1) & PLACE_MASK;
      const nextAt = start + next * stride;
      if (block[nextAt] === 0) break;
      const home = murmur3(block, nextAt + 1, this.#keyLength) & PLACE_MASK;
      // It may move into the hole unless its home lies after the hole.
      if (((next - home) & PLACE_MASK) < ((next - hole) & PLACE_MASK)) continue;
      const holeAt = start + hole * stride;
      for (let index = 0; index < stride; index++) block[holeAt + index] = block[nextAt + index]!;
      hole = next;
    }
    block[start + hole * stride] = 0;
    this.#counts[this.#segment]! -= 1;
    this.#size -= 1;
  }

  save(output: StateOutput): void {
    output.number(this.#size);
    output.number(this.#segmentCount);
    output.array(this.#directory);
    output.array(this.#counts);
    output.array(this.#depths);
    this.#blocks.save(output);
  }

  load(input: StateInput): void {
    this.#size = input.number();
    this.#segmentCount = input.number();
    this.#directory = input.int32Array();
    this.#depth = 31 - Math.clz32(this.#directory.length);
    this.#counts = input.int32Array();
    this.#depths = input.int32Array();
    this.#blocks.load(Math.ceil(this.#segmentCount / SEGMENTS_PER_BLOCK), () => input.int32Array());
  }

  /** The block of the segment to which a hash belongs, which begins at #start. */
  #goTo(hash: number): Int32Array {
    const segment = this.#directory[hash >>> (32 - this.#depth)]!;
    const block = this.#blocks.arrayOf(segment >>> BLOCK_SHIFT);
    this.#hash = hash;
    this.#segment = segment;
    this.#start = this.#startOf(segment);
    this.block = block;
    return block;
  }

  /** Splits the segment of the last find by the next bit of the hash. False: there are no further bits. */
  #split(): boolean {
    const lower = this.#segment;
    const depth = this.#depths[lower]!;
    if (depth === MAX_DEPTH) return false;
    if (depth === this.#depth) this.#doubleDirectory();
    const upper = this.#newSegment();
    this.#depths[lower] = depth + 1;
    this.#depths[upper] = depth + 1;
    const span = 1 << (this.#depth - depth);
    const first = (this.#hash >>> (32 - this.#depth)) & ~(span - 1);
    this.#directory.fill(upper, first + (span >>> 1), first + span);

    const scratch = this.#scratch;
    const block = this.#blocks.arrayOf(lower >>> BLOCK_SHIFT);
    const start = this.#startOf(lower);
    scratch.set(block.subarray(start, start + this.#segmentLength));
    block.fill(0, start, start + this.#segmentLength);
    this.#counts[lower] = 0;
    for (let from = 0; from < scratch.length; from += this.#stride) {
      if (scratch[from] === 0) continue;
      const hash = murmur3(scratch, from + 1, this.#keyLength);
      this.#place(hash << depth < 0 ? upper : lower, hash, from);
    }
    return true;
  }

  /** Puts the entry at `from` of the scratch space into a segment. */
  #place(segment: number, hash: number, from: number): void {
    const block = this.#blocks.arrayOf(segment >>> BLOCK_SHIFT);
    const start = this.#startOf(segment);
    let place = hash & PLACE_MASK;
    while (block[start + place * this.#stride] !== 0) place = (place + 1) & PLACE_MASK;
    const at = start + place * this.#stride;
    for (let index = 0; index < this.#stride; index++) block[at + index] = this.#scratch[from + index]!;
    this.#counts[segment]! += 1;
  }

  #startOf(segment: number): number {
    return this.#blocks.startOf(segment >>> BLOCK_SHIFT) + (segment & BLOCK_MASK) * this.#segmentLength;
  }

  #doubleDirectory(): void {
    const old = this.#directory;
    const doubled = new Int32Array(old.length * 2);
    for (let index = 0; index < doubled.length; index++) doubled[index] = old[index >>> 1]!;
    this.#directory = doubled;
    this.#depth += 1;
  }

  #newSegment(): number {
    const segment = this.#segmentCount;
    if ((segment & BLOCK_MASK) === 0) this.#blocks.add();
    if (segment === this.#counts.length) {
      this.#counts = doubled(this.#counts);
      this.#depths = doubled(this.#depths);
    }
    this.#segmentCount += 1;
    return segment;
  }
}

/** How many segments a table has into which so many keys have come, on average; how long its directory is, and its counts by segment. */
export function expectedSegments(entries: number): {
  readonly segments: number;
  readonly directoryLength: number;
  readonly counted: number;
} {
  let segments = 1;
  let directoryLength = 2;
  // Parts of the hash's range with equal high bits; a part whose keys exceed a segment is split.
  for (let parts = 1, depth = 0; depth < MAX_DEPTH; parts *= 2, depth++) {
    const splits = parts * shareAbove(MAX_ENTRIES, entries / parts, 1 - 1 / parts);
    if (splits < 0.5) break;
    segments += splits;
    directoryLength = parts * 2;
  }
  let counted = SEGMENTS_PER_BLOCK;
  while (counted < segments) counted *= 2;
  return { segments, directoryLength: Math.max(2, directoryLength), counted };
}

/**
 * Share of parts that hold more than `limit` keys, when a part holds `mean` on average and its variance is that times `spread`:
 * the normal distribution's tail (Abramowitz and Stegun 26.2.18, within 0.00025).
 */
function shareAbove(limit: number, mean: number, spread: number): number {
  const distance = limit + 0.5 - mean;
  if (spread === 0) return distance < 0 ? 1 : 0;
  const x = Math.abs(distance) / Math.sqrt(Math.max(1, mean * spread));
  const root = 1 + x * (0.196854 + x * (0.115194 + x * (0.000344 + x * 0.019527)));
  const tail = 0.5 / (root * root * root * root);
  return distance > 0 ? tail : 1 - tail;
}

function doubled(integers: Int32Array): Int32Array {
  const result = new Int32Array(integers.length * 2);
  result.set(integers);
  return result;
}
