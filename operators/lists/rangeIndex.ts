import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { murmur3OfWord } from '../tables/murmur3.ts';
import { PagedIntegers } from '../tables/pagedIntegers.ts';

/** A node's words: its children, the node of its subtree whose range ends last, the slot; then the range's ends. */
const LEFT = 0;
const RIGHT = 1;
const LAST = 2;
const SLOT = 3;
const FROM = 4;

/**
 * Slots by ranges of numbers of `width` unsigned 32-bit words, which may lie in each other and overlap: a treap (Seidel and
 * Aragon, Algorithmica 16, 1996) in order of where ranges begin, in which each node knows the range of its subtree that ends last
 * (the interval tree of Cormen et al., 14.3). A node's priority is the hash of its number, so the tree is a function of the calls.
 * Adding, removing and finding take O(log n) steps on average; each range found that does not count takes as many again.
 */
export class RangeIndex implements SavedState {
  readonly #width: number;
  readonly #stride: number;
  readonly #words = new PagedIntegers();
  #root = 0;
  #size = 0;
  /** Nodes ever made; node 0 is none. */
  #made = 0;
  /** The node freed last; its LEFT is the one before. */
  #free = 0;
  /** What is looked for. */
  #from: Uint32Array = new Uint32Array(0);
  #to: Uint32Array = new Uint32Array(0);

  constructor(width: 1 | 4) {
    this.#width = width;
    this.#stride = FROM + 2 * width;
  }

  get size(): number {
    return this.#size;
  }

  get byteLength(): number {
    return this.#words.byteLength;
  }

  /** Adds a range that is not there yet. */
  add(from: Uint32Array, to: Uint32Array, slot: number): void {
    const node = this.#allocate();
    this.#set(node, LEFT, 0);
    this.#set(node, RIGHT, 0);
    this.#set(node, LAST, node);
    this.#set(node, SLOT, slot);
    for (let word = 0; word < this.#width; word++) {
      this.#set(node, FROM + word, from[word]!);
      this.#set(node, FROM + this.#width + word, to[word]!);
    }
    [this.#from, this.#to] = [from, to];
    this.#root = this.#added(this.#root, node);
    this.#size += 1;
  }

  /** Takes out a range that is there. */
  remove(from: Uint32Array, to: Uint32Array): void {
    [this.#from, this.#to] = [from, to];
    this.#root = this.#removed(this.#root);
    this.#size -= 1;
  }

  /**
   * The slot of a range that holds all of another one and whose slot counts, -1 if there is none: of several, the one that
   * begins last, and of these the one that ends first, which is the narrowest where ranges lie in each other.
   */
  find(from: Uint32Array, to: Uint32Array, counts: (slot: number) => boolean): number {
    [this.#from, this.#to] = [from, to];
    return this.#found(this.#root, counts);
  }

  save(output: StateOutput): void {
    output.number(this.#root);
    output.number(this.#size);
    output.number(this.#made);
    output.number(this.#free);
    this.#words.save(output);
  }

  load(input: StateInput): void {
    this.#root = input.number();
    this.#size = input.number();
    this.#made = input.number();
    this.#free = input.number();
    this.#words.load(input);
  }

  #added(node: number, added: number): number {
    if (node === 0) return added;
    const side = this.#comparedWith(node) < 0 ? LEFT : RIGHT;
    const child = this.#added(this.#get(node, side), added);
    this.#set(node, side, child);
    if (!isAbove(child, node)) {
      this.#updateLast(node);
      return node;
    }
    // The child turns up: its inner subtree goes over to the node.
    const other = side === LEFT ? RIGHT : LEFT;
    this.#set(node, side, this.#get(child, other));
    this.#updateLast(node);
    this.#set(child, other, node);
    this.#updateLast(child);
    return child;
  }

  #removed(node: number): number {
    if (node === 0) throw new Error('SLUICE_LIST_RANGE: the range is not there');
    const order = this.#comparedWith(node);
    if (order === 0) {
      const joined = this.#joined(this.#get(node, LEFT), this.#get(node, RIGHT));
      this.#set(node, LEFT, this.#free);
      this.#free = node;
      return joined;
    }
    const side = order < 0 ? LEFT : RIGHT;
    this.#set(node, side, this.#removed(this.#get(node, side)));
    this.#updateLast(node);
    return node;
  }

  /** One tree of two, all of the first before all of the second. */
  #joined(first: number, second: number): number {
    if (first === 0 || second === 0) return first + second;
    if (isAbove(first, second)) {
      this.#set(first, RIGHT, this.#joined(this.#get(first, RIGHT), second));
      this.#updateLast(first);
      return first;
    }
    this.#set(second, LEFT, this.#joined(first, this.#get(second, LEFT)));
    this.#updateLast(second);
    return second;
  }

  #found(node: number, counts: (slot: number) => boolean): number {
    if (node === 0 || this.#compareTo(this.#get(node, LAST)) > 0) return -1;
    if (this.#compareFrom(node) >= 0) {
      const later = this.#found(this.#get(node, RIGHT), counts);
      if (later >= 0) return later;
      const slot = this.#get(node, SLOT);
      if (this.#compareTo(node) <= 0 && counts(slot)) return slot;
    }
    return this.#found(this.#get(node, LEFT), counts);
  }

  /** What is looked for against a node, in the tree's order: by the beginning, then from the last end to the first. */
  #comparedWith(node: number): number {
    const byFrom = this.#compareFrom(node);
    return byFrom !== 0 ? byFrom : -this.#compareTo(node);
  }

  #compareFrom(node: number): number {
    return this.#compare(this.#from, node, FROM);
  }

  #compareTo(node: number): number {
    return this.#compare(this.#to, node, FROM + this.#width);
  }

  #compare(words: Uint32Array, node: number, at: number): number {
    for (let word = 0; word < this.#width; word++) {
      const difference = words[word]! - (this.#get(node, at + word) >>> 0);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  #updateLast(node: number): void {
    let last = node;
    for (const side of [LEFT, RIGHT]) {
      const child = this.#get(node, side);
      if (child !== 0 && this.#endsAfter(this.#get(child, LAST), last)) last = this.#get(child, LAST);
    }
    this.#set(node, LAST, last);
  }

  #endsAfter(one: number, other: number): boolean {
    const at = FROM + this.#width;
    for (let word = 0; word < this.#width; word++) {
      const difference = (this.#get(one, at + word) >>> 0) - (this.#get(other, at + word) >>> 0);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  #allocate(): number {
    const node = this.#free;
    if (node === 0) return ++this.#made;
    this.#free = this.#get(node, LEFT);
    return node;
  }

  #get(node: number, word: number): number {
    return this.#words.get(node * this.#stride + word);
  }

  #set(node: number, word: number, value: number): void {
    this.#words.set(node * this.#stride + word, value);
  }
}

/** Whether one node's priority is above another's. */
function isAbove(one: number, other: number): boolean {
  const [first, second] = [murmur3OfWord(one), murmur3OfWord(other)];
  return first === second ? one < other : first > second;
}
