import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { doublePages, type Pages } from '../tables/pages.ts';

/** A node is two doubles: value and time. */
export const NODE_SHIFT = 1;
/** The least block: four nodes, which are one cache line. */
export const LEAST_SHIFT = 2;
/** A block's name has its address in least blocks, then so many bits for its class. */
export const CLASS_BITS = 4;
export const CLASS_MASK = (1 << CLASS_BITS) - 1;
/** Nodes that a name, a 32-bit integer, can address: 8 GiB of them. */
const MAX_NODES = 536_870_912;

/**
 * Blocks of 4 << class nodes, each at a multiple of its length and within one page, so that reading a short one is one memory
 * access. A block is named by an integer other than 0. What is given back is given out again for its class, the last one first.
 */
export class CandidateBlocks implements SavedState {
  readonly pages: Pages<Float64Array>;
  /** A node's page is node >>> pageShift. */
  readonly pageShift: number;
  readonly #pageNodes: number;
  /** By class, the last freed block, in least blocks; its first double is the one before. 0: none. */
  #free: Float64Array = new Float64Array(CLASS_MASK + 1);
  /** Nodes given out, those given back among them. The first least block is none's, so that 0 is no block. */
  #used = 1 << LEAST_SHIFT;

  /** `pageNodes`: a power of two, the longest block's at least. */
  constructor(pageNodes: number) {
    this.#pageNodes = pageNodes;
    this.pageShift = 31 - Math.clz32(pageNodes);
    this.pages = doublePages(pageNodes << NODE_SHIFT);
  }

  get byteLength(): number {
    return this.pages.count * (this.#pageNodes << NODE_SHIFT) * 8;
  }

  allocate(blockClass: number): number {
    const freed = this.#free[blockClass]!;
    if (freed !== 0) {
      this.#free[blockClass] = this.#page(freed)[this.#offset(freed)]!;
      return (freed << CLASS_BITS) | blockClass;
    }
    const nodes = nodesOf(blockClass);
    // What lies before the next multiple of its length becomes shorter blocks.
    for (let shorter = 0; (this.#used & (nodes - 1)) !== 0; shorter++) {
      const bit = nodesOf(shorter);
      if ((this.#used & bit) !== 0) this.release((this.#take(bit) << CLASS_BITS) | shorter);
    }
    return (this.#take(nodes) << CLASS_BITS) | blockClass;
  }

  release(block: number): void {
    const address = block >>> CLASS_BITS;
    this.#page(address)[this.#offset(address)] = this.#free[block & CLASS_MASK]!;
    this.#free[block & CLASS_MASK] = address;
  }

  save(output: StateOutput): void {
    output.number(this.#used);
    output.number(this.pages.count);
    output.array(this.#free);
    this.pages.save(output);
  }

  load(input: StateInput): void {
    this.#used = input.number();
    const pages = input.number();
    this.#free = input.float64Array();
    this.pages.load(pages, () => input.float64Array());
  }

  /** So many new nodes: their address in least blocks. */
  #take(nodes: number): number {
    const node = this.#used;
    if (node >= MAX_NODES) throw new Error(`SLUICE_STATE_CANDIDATES: more than ${MAX_NODES} candidates`);
    if (node >>> this.pageShift >= this.pages.count) this.pages.add();
    this.#used += nodes;
    return node >>> LEAST_SHIFT;
  }

  #page(address: number): Float64Array {
    return this.pages.arrayOf((address << LEAST_SHIFT) >>> this.pageShift);
  }

  #offset(address: number): number {
    const node = address << LEAST_SHIFT;
    return this.pages.startOf(node >>> this.pageShift) + ((node & (this.#pageNodes - 1)) << NODE_SHIFT);
  }
}

/** Nodes of a block of the class. */
export function nodesOf(blockClass: number): number {
  return (1 << LEAST_SHIFT) << blockClass;
}
