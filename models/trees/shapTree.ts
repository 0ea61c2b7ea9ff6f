import { LEAF, type TreeEnsemble } from './treeEnsemble.ts';

/** The branch of a step by which a path goes on. */
export interface Branch {
  readonly above: Branch | null;
  readonly input: number;
  /** Number of the step in its tree. */
  readonly step: number;
  readonly isLeft: boolean;
  /** The cover's share of this branch and of those above it with the same input, multiplied. */
  readonly share: number;
  /** How many inputs the path has looked at. */
  readonly inputs: number;
}

export interface ShapNode {
  readonly node: number;
  /** Number of its place in the tree: the root's is 0, children's are pairs, the right one first. */
  readonly place: number;
  /** The nearest branch above with the same input. */
  readonly before: Branch | null;
}

export interface ShapStep extends ShapNode {
  /** Place of its right child. */
  readonly children: number;
}

/**
 * One tree as TreeShap goes over it: steps are inner nodes with an inner node below them, forks those with two leaves, loose leaves
 * those below a step. By level, so that neighbours seldom wait for one another.
 */
export class ShapTree {
  readonly steps: ShapStep[] = [];
  readonly forks: ShapNode[] = [];
  readonly leaves: { readonly node: number; readonly place: number }[] = [];
  /** Most inputs on one path. */
  widest = 0;
  /** Places: two for each pair. */
  places = 2;
  readonly #ensemble: TreeEnsemble;

  constructor(ensemble: TreeEnsemble, root: number) {
    this.#ensemble = ensemble;
    let level: Below[] = ensemble.feature[root] === LEAF ? [] : [{ node: root, place: 0, branch: null }];
    while (level.length > 0) level = level.flatMap((each) => this.#add(each));
  }

  /** Returns what is below it. */
  #add({ node, place, branch }: Below): Below[] {
    const { feature } = this.#ensemble;
    const input = feature[node]!;
    if (input === LEAF) {
      this.leaves.push({ node, place });
      return [];
    }
    let before = branch;
    while (before !== null && before.input !== input) before = before.above;
    const inputs = (branch?.inputs ?? 0) + (before === null ? 1 : 0);
    this.widest = Math.max(this.widest, inputs);
    if (SIDES.every((side) => feature[childOf(this.#ensemble, node, side)] === LEAF)) {
      this.forks.push({ node, place, before });
      return [];
    }
    const children = this.places;
    this.places += SIDES.length;
    const step = this.steps.push({ node, place, before, children }) - 1;
    return SIDES.map((side, index) => {
      const share = (before?.share ?? 1) * shareOf(this.#ensemble, node, side);
      return {
        node: childOf(this.#ensemble, node, side),
        place: children + index,
        branch: { above: branch, input, step, isLeft: side === 'left', share, inputs },
      };
    });
  }
}

interface Below {
  readonly node: number;
  readonly place: number;
  readonly branch: Branch | null;
}

export type Side = 'right' | 'left';
/** In the order in which their places lie. */
export const SIDES: readonly Side[] = ['right', 'left'];

export function childOf(ensemble: TreeEnsemble, node: number, side: Side): number {
  return ensemble[side][node]!;
}

/** Of the rows that came to the node, those that went on to this side; half where none came. */
export function shareOf(ensemble: TreeEnsemble, node: number, side: Side): number {
  const there = ensemble.cover[childOf(ensemble, node, side)]!;
  const both = there + ensemble.cover[childOf(ensemble, node, otherOf(side))]!;
  return both > 0 ? there / both : 0.5;
}

export function otherOf(side: Side): Side {
  return side === 'left' ? 'right' : 'left';
}

/** The mean below a node over the training rows, as the covers have it. */
export function meanBelow(ensemble: TreeEnsemble, node: number): number {
  if (ensemble.feature[node] === LEAF) return ensemble.value[node]!;
  let mean = 0;
  for (const side of SIDES) mean += shareOf(ensemble, node, side) * meanBelow(ensemble, childOf(ensemble, node, side));
  return mean;
}
