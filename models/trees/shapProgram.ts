import { gaussLegendre } from './gaussLegendre.ts';
import { LEAF, type TreeEnsemble } from './treeEnsemble.ts';

/** Quadrature points that one pass over the trees takes: enough for paths of six features. */
export const POINTS = 3;
const FEATURES_PER_PASS = 2 * POINTS;

/** [input, left place, right place, where its kind begins, state of the nearest node above with its input, side taken there] */
export const STEP_INTEGERS = 6;
/** [threshold, right child's share of the cover, left child's] */
export const STEP_DOUBLES = 3;
/** Greater than any 32-bit float: stand for an infinite value and an infinite threshold, which it does not exceed. */
export const INFINITE_VALUE = 1e39;
const INFINITE_THRESHOLD = 1e40;
/** [input, left child's input, right child's input, place] */
export const TWIG_INTEGERS = 4;
/**
 * [threshold, left child's, right child's, right child's share, left child's share, then for each of the two children: what its
 * cold leaf takes from its value if its left leaf is hot, if its right one is, left leaf's value, right leaf's]
 */
export const TWIG_DOUBLES = 13;
export const KIND_DOUBLES = 2 * POINTS;
/**
 * Kinds of steps: 0, below a branch on the same input that the row does not take, where its value no longer matters; FIRST, an
 * input that no node above looks at; from 2 on, one for each other step.
 */
const FIRST = 1;

/**
 * An ensemble as TreeShap runs it. Each tree has steps (inner nodes, parents first), twigs (inner nodes of four leaves, which
 * with their children are three quarters of a full tree's inner nodes) and loose leaves (those right below a step). A place
 * is where the tree's scratch has a node's POINTS numbers: steps come first, in order, then twigs, then loose leaves.
 *
 * An undefined value goes to the side that the node says. So TreeShap holds a row twice: with negative infinity for
 * undefined, and `inputs` further on with positive infinity. A node's input is that which goes its way.
 */
export interface ShapProgram {
  readonly inputs: number;
  readonly trees: number;
  readonly passes: number;
  /** First step, twig and loose leaf of each tree, and one past the last. */
  readonly steps: Int32Array;
  readonly twigs: Int32Array;
  readonly leaves: Int32Array;
  readonly stepIntegers: Int32Array;
  readonly stepDoubles: Float64Array;
  readonly twigIntegers: Int32Array;
  readonly twigDoubles: Float64Array;
  readonly leafPlaces: Int32Array;
  readonly leafValues: Float64Array;
  /** For each pass, of each kind of step: what a cold branch weighs at each point, less its share; weight of each point. */
  readonly kinds: Float64Array;
  readonly kindsPerPass: number;
  /** Of the tree with the most: steps, twigs and loose leaves. */
  readonly nodes: number;
  /** The margin's mean over the training rows, as the covers have it. */
  readonly mean: number;
}

/** Compiles an ensemble. Time and memory are linear in nodes x passes. */
export function compileShap(ensemble: TreeEnsemble): ShapProgram {
  const tables = new Tables(ensemble);
  for (const root of ensemble.roots) tables.addTree(root);
  return tables.program();
}

/** The nearest node above with the same input: its state's place, the side taken there, the cover's share of all such sides. */
interface Way {
  readonly state: number;
  readonly side: number;
  readonly share: number;
}

/** Where a node's input was not looked at before. State 0 always says: the row came here by the left. */
const NO_WAY: Way = { state: 0, side: 0, share: 1 };

/** One tree, its inner nodes parted. */
class ParsedTree {
  readonly steps: { readonly node: number; readonly way: Way }[] = [];
  readonly twigs: number[] = [];
  readonly leaves: number[] = [];
  /** Most inputs on one path. */
  widest = 0;
  readonly #ensemble: TreeEnsemble;
  readonly #ways = new Map<number, Way>();

  constructor(ensemble: TreeEnsemble, root: number) {
    this.#ensemble = ensemble;
    if (ensemble.feature[root] !== LEAF) this.#add(root);
  }

  #add(node: number): void {
    if (this.#isTwig(node)) {
      this.widest = Math.max(this.widest, this.#ways.size + 2);
      this.twigs.push(node);
      return;
    }
    const feature = this.#ensemble.feature[node]!;
    const before = this.#ways.get(feature);
    const way = before ?? NO_WAY;
    this.steps.push({ node, way });
    const state = this.steps.length;
    for (const side of [0, 1]) {
      const child = childOf(this.#ensemble, node, side);
      this.#ways.set(feature, { state, side, share: way.share * shareOf(this.#ensemble, node, side) });
      this.widest = Math.max(this.widest, this.#ways.size);
      if (this.#ensemble.feature[child] === LEAF) this.leaves.push(child);
      else this.#add(child);
    }
    if (before === undefined) this.#ways.delete(feature);
    else this.#ways.set(feature, before);
  }

  /** Four leaves below two inner nodes, and no input that the path or the node itself has looked at before. */
  #isTwig(node: number): boolean {
    const { feature } = this.#ensemble;
    return (
      !this.#ways.has(feature[node]!) &&
      [0, 1].every((side) => {
        const child = childOf(this.#ensemble, node, side);
        const input = feature[child]!;
        if (input === LEAF || input === feature[node] || this.#ways.has(input)) return false;
        return [0, 1].every((under) => feature[childOf(this.#ensemble, child, under)] === LEAF);
      })
    );
  }
}

class Tables {
  readonly #ensemble: TreeEnsemble;
  readonly #steps = [0];
  readonly #twigs = [0];
  readonly #leaves = [0];
  readonly #stepIntegers: number[] = [];
  readonly #stepDoubles: number[] = [];
  readonly #twigIntegers: number[] = [];
  readonly #twigDoubles: number[] = [];
  readonly #leafPlaces: number[] = [];
  readonly #leafValues: number[] = [];
  /** The cover's share of the ways, of each kind from FIRST on. */
  readonly #kindShares = [NO_WAY.share];
  #widest = 0;
  #nodes = 0;
  #mean: number;

  constructor(ensemble: TreeEnsemble) {
    this.#ensemble = ensemble;
    this.#mean = ensemble.base;
  }

  addTree(root: number): void {
    const { value } = this.#ensemble;
    this.#mean += meanBelow(this.#ensemble, root);
    const tree = new ParsedTree(this.#ensemble, root);
    const inOrder = [...tree.steps.map(({ node }) => node), ...tree.twigs, ...tree.leaves];
    const places = new Map(inOrder.map((node, index) => [node, index * POINTS]));
    for (const { node, way } of tree.steps) this.#addStep(node, way, places);
    for (const node of tree.twigs) this.#addTwig(node, places.get(node)!);
    for (const node of tree.leaves) {
      this.#leafPlaces.push(places.get(node)!);
      this.#leafValues.push(value[node]!);
    }
    this.#steps.push(this.#stepIntegers.length / STEP_INTEGERS);
    this.#twigs.push(this.#twigIntegers.length / TWIG_INTEGERS);
    this.#leaves.push(this.#leafPlaces.length);
    this.#widest = Math.max(this.#widest, tree.widest);
    this.#nodes = Math.max(this.#nodes, inOrder.length);
  }

  program(): ShapProgram {
    const passes = Math.max(1, Math.ceil(this.#widest / FEATURES_PER_PASS));
    const { points, weights } = gaussLegendre(passes * POINTS);
    return {
      inputs: this.#ensemble.inputs,
      trees: this.#ensemble.roots.length,
      passes,
      steps: Int32Array.from(this.#steps),
      twigs: Int32Array.from(this.#twigs),
      leaves: Int32Array.from(this.#leaves),
      stepIntegers: Int32Array.from(this.#stepIntegers),
      stepDoubles: Float64Array.from(this.#stepDoubles),
      twigIntegers: Int32Array.from(this.#twigIntegers),
      twigDoubles: Float64Array.from(this.#twigDoubles),
      leafPlaces: Int32Array.from(this.#leafPlaces),
      leafValues: Float64Array.from(this.#leafValues),
      kinds: this.#kinds(points, weights),
      kindsPerPass: FIRST + this.#kindShares.length,
      nodes: this.#nodes,
      mean: this.#mean,
    };
  }

  #addStep(node: number, { state, side, share }: Way, places: ReadonlyMap<number, number>): void {
    const [left, right] = [0, 1].map((each) => places.get(childOf(this.#ensemble, node, each))!);
    const kind = state === NO_WAY.state ? FIRST : FIRST + this.#kindShares.push(share) - 1;
    this.#stepIntegers.push(this.#input(node), left!, right!, kind * KIND_DOUBLES, state, side);
    this.#stepDoubles.push(this.#threshold(node), this.#share(node, 1), this.#share(node, 0));
  }

  #addTwig(node: number, place: number): void {
    const { value } = this.#ensemble;
    const children = [0, 1].map((side) => childOf(this.#ensemble, node, side));
    this.#twigIntegers.push(this.#input(node), ...children.map((child) => this.#input(child)), place);
    this.#twigDoubles.push(...[node, ...children].map((each) => this.#threshold(each)));
    this.#twigDoubles.push(this.#share(node, 1), this.#share(node, 0));
    for (const child of children) {
      const [left, right] = [0, 1].map((side) => value[childOf(this.#ensemble, child, side)]!);
      const difference = left! - right!;
      this.#twigDoubles.push(difference * this.#share(child, 1), -difference * this.#share(child, 0), left!, right!);
    }
  }

  /** See TreeShap for the formulas. */
  #kinds(points: Float64Array, weights: Float64Array): Float64Array {
    const kinds: number[] = [];
    for (let first = 0; first < points.length; first += POINTS) {
      const of = (value: (point: number, weight: number) => number): void => {
        for (let index = first; index < first + POINTS; index++) kinds.push(value(points[index]!, weights[index]!));
      };
      of(() => 1);
      of(() => 0);
      for (const share of this.#kindShares) {
        const factor = (point: number): number => point + (1 - point) * share;
        of((point) => ((1 - point) * share) / factor(point));
        of((point, weight) => (weight * share) / (factor(point) * factor(point)));
      }
    }
    return Float64Array.from(kinds);
  }

  #input(node: number): number {
    const { feature, missingGoesLeft, inputs } = this.#ensemble;
    return feature[node]! + (missingGoesLeft[node] === 1 ? 0 : inputs);
  }

  #threshold(node: number): number {
    return Math.min(this.#ensemble.threshold[node]!, INFINITE_THRESHOLD);
  }

  #share(node: number, side: number): number {
    return shareOf(this.#ensemble, node, side);
  }
}

function childOf({ left, right }: TreeEnsemble, node: number, side: number): number {
  return (side === 0 ? left : right)[node]!;
}

/** Of the rows that came to the node, those that went on to this side; half where none came. */
function shareOf(ensemble: TreeEnsemble, node: number, side: number): number {
  const [there, other] = [side, 1 - side].map((each) => ensemble.cover[childOf(ensemble, node, each)]!);
  const both = there! + other!;
  return both > 0 ? there! / both : 0.5;
}

function meanBelow(ensemble: TreeEnsemble, node: number): number {
  if (ensemble.feature[node] === LEAF) return ensemble.value[node]!;
  let mean = 0;
  for (const side of [0, 1]) {
    mean += shareOf(ensemble, node, side) * meanBelow(ensemble, childOf(ensemble, node, side));
  }
  return mean;
}
