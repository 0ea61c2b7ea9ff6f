import { createSharedMemory } from '../../operators/sharedMemory.ts';
import { gaussLegendre } from './gaussLegendre.ts';
import {
  FORK,
  HEADER,
  INPUT,
  KIND,
  LOOSE_LEAF,
  NODE,
  PLACE_BYTES,
  POINTS,
  STATE_BYTES,
  STEP,
  TREE,
  WAY_BYTES,
} from './shapMemory.ts';
import {
  childOf,
  meanBelow,
  otherOf,
  shareOf,
  ShapTree,
  SIDES,
  type Branch,
  type ShapNode,
  type Side,
} from './shapTree.ts';
import type { TreeEnsemble } from './treeEnsemble.ts';

const INPUTS_PER_PASS = 2 * POINTS;
const DOUBLE_BYTES = Float64Array.BYTES_PER_ELEMENT;
/** What a processor fetches at once. */
const LINE_BYTES = 64;
/**
 * Kinds of nodes: 0, below a branch on the same input that the row does not take, where its value no longer matters; FIRST, an
 * input that no node above looks at; from 2 on, one for each other node.
 */
const FIRST = 1;

/** An ensemble as assembly/shap.ts runs it: trees, room for what it works out, all laid out by shapMemory.ts. */
export interface ShapProgram {
  readonly memory: WebAssembly.Memory;
  /** Address of the first input. */
  readonly inputs: number;
  /** The margin's mean over the training rows, as the covers have it. */
  readonly mean: number;
}

/** Compiles an ensemble. Time and memory are linear in nodes x passes. */
export function compileShap(ensemble: TreeEnsemble): ShapProgram {
  const trees = Array.from(ensemble.roots, (root) => new ShapTree(ensemble, root));
  const { memory, inputs } = new ShapWriter(ensemble, trees);
  let mean = ensemble.base;
  for (const root of ensemble.roots) mean += meanBelow(ensemble, root);
  return { memory, inputs, mean };
}

class ShapWriter {
  readonly memory: WebAssembly.Memory;
  readonly inputs: number;
  readonly #ensemble: TreeEnsemble;
  readonly #places: number;
  readonly #states: number;
  readonly #view: DataView;
  /** The cover's share of the ways above, of each kind from FIRST on. */
  readonly #kindShares = [1];
  #end: number = HEADER.bytes;

  constructor(ensemble: TreeEnsemble, trees: readonly ShapTree[]) {
    this.#ensemble = ensemble;
    const most = (count: (tree: ShapTree) => number): number =>
      trees.reduce((greatest, tree) => Math.max(greatest, count(tree)), 0);
    const all = (count: (tree: ShapTree) => number): number => trees.reduce((sum, tree) => sum + count(tree), 0);
    this.inputs = this.#take(2 * ensemble.inputs * INPUT.bytes);
    this.#places = this.#take(most(({ places }) => places) * PLACE_BYTES);
    const ways = this.#take(most(({ steps }) => steps.length) * WAY_BYTES);
    this.#states = this.#take((1 + most(({ steps }) => steps.length)) * STATE_BYTES);
    const ends = this.#take(trees.length * TREE.bytes);
    const steps = this.#take(all((tree) => tree.steps.length) * STEP.bytes);
    const forks = this.#take(all((tree) => tree.forks.length) * FORK.bytes);
    const leaves = this.#take(all((tree) => tree.leaves.length) * LOOSE_LEAF.bytes);
    const passes = Math.max(1, Math.ceil(most(({ widest }) => widest) / INPUTS_PER_PASS));
    const others = all((tree) => [...tree.steps, ...tree.forks].filter(({ before }) => before !== null).length);
    const passBytes = (FIRST + 1 + others) * KIND.bytes;
    const kinds = this.#take(passes * passBytes);
    this.memory = createSharedMemory(this.#end);
    this.#view = new DataView(this.memory.buffer);
    this.#word(HEADER.trees, ends);
    this.#word(HEADER.treesEnd, ends + trees.length * TREE.bytes);
    this.#word(HEADER.kinds, kinds);
    this.#word(HEADER.kindsEnd, kinds + passes * passBytes);
    this.#word(HEADER.passBytes, passBytes);
    this.#word(HEADER.root, this.#places);
    this.#word(HEADER.ways, ways);
    this.#word(HEADER.states, this.#stateOf(0));
    this.#word(HEADER.steps, steps);
    this.#word(HEADER.forks, forks);
    this.#word(HEADER.leaves, leaves);
    // Of the state before the first step, which stands for what is above a node whose input is new: both sides are taken.
    for (let side = 0; side < STATE_BYTES; side++) this.#view.setUint8(this.#states + side, 1);
    this.#trees(trees, ends, steps, forks, leaves);
    this.#kinds(passes * POINTS, kinds);
  }

  /** Room for so many bytes, from a cache line's beginning on. */
  #take(bytes: number): number {
    const start = this.#end;
    this.#end += Math.ceil(bytes / (2 * LINE_BYTES)) * 2 * LINE_BYTES;
    return start;
  }

  #trees(trees: readonly ShapTree[], ends: number, firstStep: number, firstFork: number, firstLeaf: number): void {
    let end = ends;
    let step = firstStep;
    let fork = firstFork;
    let leaf = firstLeaf;
    for (const tree of trees) {
      for (const each of tree.steps) {
        this.#node(step, each);
        this.#word(step + STEP.children, this.#placeOf(each.children));
        this.#bySide(step + STEP.shares, (side) => shareOf(this.#ensemble, each.node, otherOf(side)));
        step += STEP.bytes;
      }
      for (const each of tree.forks) {
        this.#node(fork, each);
        const value = (side: Side): number => this.#ensemble.value[childOf(this.#ensemble, each.node, side)]!;
        this.#bySide(fork + FORK.values, value);
        this.#bySide(
          fork + FORK.losses,
          (side) => (value(side) - value(otherOf(side))) * shareOf(this.#ensemble, each.node, otherOf(side)),
        );
        fork += FORK.bytes;
      }
      for (const { node, place } of tree.leaves) {
        this.#double(leaf + LOOSE_LEAF.value, this.#ensemble.value[node]!);
        this.#word(leaf + LOOSE_LEAF.place, this.#placeOf(place));
        leaf += LOOSE_LEAF.bytes;
      }
      this.#word(end + TREE.stepsEnd, step);
      this.#word(end + TREE.forksEnd, fork);
      this.#word(end + TREE.leavesEnd, leaf);
      end += TREE.bytes;
    }
  }

  #node(address: number, { node, place, before }: ShapNode): void {
    const { feature, threshold, missingGoesLeft, inputs } = this.#ensemble;
    const input = feature[node]! + (missingGoesLeft[node] === 1 ? inputs : 0);
    this.#double(address + NODE.threshold, threshold[node]!);
    this.#word(address + NODE.input, this.inputs + input * INPUT.bytes);
    this.#word(address + NODE.place, this.#placeOf(place));
    this.#word(address + NODE.kind, this.#kindOf(before) * KIND.bytes);
    this.#word(
      address + NODE.state,
      before === null ? this.#states : this.#stateOf(before.step) + (before.isLeft ? 1 : 0),
    );
  }

  /** The number of a node's kind. */
  #kindOf(before: Branch | null): number {
    return before === null ? FIRST : FIRST + this.#kindShares.push(before.share) - 1;
  }

  /** See TreeShap for the formulas. */
  #kinds(count: number, firstKind: number): void {
    const { points, weights } = gaussLegendre(count);
    let kind = firstKind;
    for (let first = 0; first < count; first += POINTS) {
      const add = (factor: (point: number) => number, quadrature: (point: number, weight: number) => number): void => {
        for (let index = 0; index < POINTS; index++) {
          const point = points[first + index]!;
          this.#double(kind + KIND.factors + index * DOUBLE_BYTES, factor(point));
          this.#double(kind + KIND.quadrature + index * DOUBLE_BYTES, quadrature(point, weights[first + index]!));
        }
        kind += KIND.bytes;
      };
      add(
        () => 1,
        () => 0,
      );
      for (const share of this.#kindShares) {
        const known = (point: number): number => point + (1 - point) * share;
        add(
          (point) => ((1 - point) * share) / known(point),
          (point, weight) => (weight * share) / (known(point) * known(point)),
        );
      }
    }
  }

  #placeOf(place: number): number {
    return this.#places + place * PLACE_BYTES;
  }

  #stateOf(step: number): number {
    return this.#states + (1 + step) * STATE_BYTES;
  }

  #word(address: number, value: number): void {
    this.#view.setUint32(address, value, true);
  }

  #double(address: number, value: number): void {
    this.#view.setFloat64(address, value, true);
  }

  #bySide(address: number, value: (side: Side) => number): void {
    for (const [index, side] of SIDES.entries()) this.#double(address + index * DOUBLE_BYTES, value(side));
  }
}
