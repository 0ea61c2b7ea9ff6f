import {
  compileShap,
  INFINITE_VALUE,
  KIND_DOUBLES,
  POINTS,
  STEP_DOUBLES,
  STEP_INTEGERS,
  TWIG_DOUBLES,
  TWIG_INTEGERS,
  type ShapProgram,
} from './shapProgram.ts';
import type { TreeEnsemble } from './treeEnsemble.ts';

/**
 * Exact SHAP values of tree ensembles: how much each input moved a row's margin away from the mean, such that they add up
 * (Lundberg et al., *Consistent Individualized Feature Attribution for Tree Ensembles*, arXiv 1802.03888; the values are those of its
 * algorithm 2, where an input left out follows the training rows' shares at each node).
 *
 * Its recursion costs depth squared a leaf. Here each value is an integral over a tree instead (Owen, *Multilinear Extensions of
 * Games*, Management Science 18(5), 1972): let each input be known with probability t, independently; then the value of input i is the
 * integral over t from 0 to 1 of the mean with i known less that with i left out. Along a path of d inputs that is a polynomial in t of
 * degree below d, for which Gauss-Legendre quadrature with d / 2 points is exact. At one point t a tree is two sweeps over its nodes:
 *
 * - down: the weight P of the ways that lead to a node. The branch that the row does not take (the cold one) has a share c of the
 *   cover, and gets (1 - t) c P; the one it takes (the hot one) gets the rest.
 * - up: B, the mean below, which is B_hot - (1 - t) c (B_hot - B_cold). The input's value rises by P c (B_hot - B_cold).
 *
 * Where a node above has looked at the same input, and the row took that branch with share r, what is known of the input has
 * grown: by Bayes 1 - t becomes (1 - t) r / f with f = t + (1 - t) r, and the value rises by P c r / f^2 (B_hot - B_cold). If the row did not
 * take that branch, the input is one left out, and both branches just have their shares.
 *
 * Only + - * / on doubles in a fixed order: the bytes are the same everywhere. Nothing is allocated, and no branch depends on the
 * row, since a mispredicted one costs more than the arithmetic of a node: sides are numbers that choose places.
 */
export class TreeShap {
  /** The margin's mean: what the contributions of a row start from. */
  readonly mean: number;
  readonly #program: ShapProgram;
  readonly #row: Float64Array;
  readonly #contributions: Float64Array;
  /** P and B by place. */
  readonly #weights: Float64Array;
  readonly #means: Float64Array;
  /** Of each step: 1 the row went left, 2 right, 0 its value does not matter. State 0 stands for what is above a first step. */
  readonly #states: Uint8Array;

  constructor(ensemble: TreeEnsemble) {
    this.#program = compileShap(ensemble);
    this.mean = this.#program.mean;
    this.#row = new Float64Array(2 * ensemble.inputs);
    this.#contributions = new Float64Array(2 * ensemble.inputs);
    this.#weights = new Float64Array(this.#program.nodes * POINTS);
    this.#means = new Float64Array(this.#program.nodes * POINTS);
    this.#states = new Uint8Array(this.#program.nodes + 1);
    this.#states[0] = 1;
  }

  /**
   * Writes what each input contributed to the margin of the row that begins at `base` of `rows`, one number for each input; with
   * `mean` they add up to the margin. NaN is an undefined value.
   */
  explain(rows: Float32Array, base: number, contributions: Float64Array): void {
    const { inputs, passes, trees } = this.#program;
    for (let input = 0; input < inputs; input++) {
      const value = Math.min(rows[base + input]!, INFINITE_VALUE);
      const isMissing = Number.isNaN(value);
      this.#row[input] = isMissing ? -Infinity : value;
      this.#row[inputs + input] = isMissing ? Infinity : value;
    }
    this.#contributions.fill(0);
    for (let pass = 0; pass < passes; pass++) {
      for (let tree = 0; tree < trees; tree++) this.#addTree(tree, pass);
    }
    for (let input = 0; input < inputs; input++) {
      contributions[input] = this.#contributions[input]! + this.#contributions[inputs + input]!;
    }
  }

  #addTree(tree: number, pass: number): void {
    const { steps, leaves, leafPlaces, leafValues, kinds, kindsPerPass } = this.#program;
    const weights = this.#weights;
    const means = this.#means;
    weights[0] = weights[1] = weights[2] = 1;
    for (let leaf = leaves[tree]!; leaf < leaves[tree + 1]!; leaf++) {
      const place = leafPlaces[leaf]!;
      means[place] = means[place + 1] = means[place + 2] = leafValues[leaf]!;
    }
    const kindBase = pass * kindsPerPass * KIND_DOUBLES;
    this.#down(steps[tree]!, steps[tree + 1]!, kindBase);
    this.#addTwigs(tree, kinds, kindBase + KIND_DOUBLES);
    this.#up(steps[tree]!, steps[tree + 1]!, kindBase);
  }

  #down(first: number, end: number, kindBase: number): void {
    const { stepIntegers, stepDoubles, kinds } = this.#program;
    const row = this.#row;
    const weights = this.#weights;
    const states = this.#states;
    let integers = first * STEP_INTEGERS;
    let doubles = first * STEP_DOUBLES;
    let place = 0;
    for (let state = 1; state <= end - first; state++) {
      const matters = (states[stepIntegers[integers + 4]!]! >> stepIntegers[integers + 5]!) & 1;
      const side = Number(row[stepIntegers[integers]!]! > stepDoubles[doubles]!) & matters;
      const kind = kindBase + stepIntegers[integers + 3]! * matters;
      states[state] = matters << side;
      const share = stepDoubles[doubles + 1 + side]!;
      const hot = stepIntegers[integers + 1 + side]!;
      const cold = stepIntegers[integers + 2 - side]!;
      const weight0 = weights[place]!;
      const weight1 = weights[place + 1]!;
      const weight2 = weights[place + 2]!;
      const cold0 = weight0 * kinds[kind]! * share;
      const cold1 = weight1 * kinds[kind + 1]! * share;
      const cold2 = weight2 * kinds[kind + 2]! * share;
      weights[hot] = weight0 - cold0;
      weights[hot + 1] = weight1 - cold1;
      weights[hot + 2] = weight2 - cold2;
      weights[cold] = cold0;
      weights[cold + 1] = cold1;
      weights[cold + 2] = cold2;
      integers += STEP_INTEGERS;
      doubles += STEP_DOUBLES;
      place += POINTS;
    }
  }

  #up(first: number, end: number, kindBase: number): void {
    const { stepIntegers, stepDoubles, kinds } = this.#program;
    const contributions = this.#contributions;
    const weights = this.#weights;
    const means = this.#means;
    const states = this.#states;
    let integers = end * STEP_INTEGERS;
    let doubles = end * STEP_DOUBLES;
    let place = (end - first) * POINTS;
    for (let state = end - first; state > 0; state--) {
      integers -= STEP_INTEGERS;
      doubles -= STEP_DOUBLES;
      place -= POINTS;
      const way = states[state]!;
      const side = way >> 1;
      const kind = kindBase + stepIntegers[integers + 3]! * (way - side);
      const share = stepDoubles[doubles + 1 + side]!;
      const hot = stepIntegers[integers + 1 + side]!;
      const cold = stepIntegers[integers + 2 - side]!;
      const hot0 = means[hot]!;
      const hot1 = means[hot + 1]!;
      const hot2 = means[hot + 2]!;
      const loss0 = (hot0 - means[cold]!) * share;
      const loss1 = (hot1 - means[cold + 1]!) * share;
      const loss2 = (hot2 - means[cold + 2]!) * share;
      contributions[stepIntegers[integers]!]! +=
        kinds[kind + 3]! * weights[place]! * loss0 +
        kinds[kind + 4]! * weights[place + 1]! * loss1 +
        kinds[kind + 5]! * weights[place + 2]! * loss2;
      means[place] = hot0 - kinds[kind]! * loss0;
      means[place + 1] = hot1 - kinds[kind + 1]! * loss1;
      means[place + 2] = hot2 - kinds[kind + 2]! * loss2;
    }
  }

  /** A twig's three inner nodes at once: the means of the lower two are linear in 1 - t, so nothing of them need be kept. */
  #addTwigs(tree: number, kinds: Float64Array, firstKind: number): void {
    const { twigs, twigIntegers, twigDoubles } = this.#program;
    const row = this.#row;
    const contributions = this.#contributions;
    const weights = this.#weights;
    const means = this.#means;
    const t0 = kinds[firstKind]!;
    const t1 = kinds[firstKind + 1]!;
    const t2 = kinds[firstKind + 2]!;
    const quadrature0 = kinds[firstKind + 3]!;
    const quadrature1 = kinds[firstKind + 4]!;
    const quadrature2 = kinds[firstKind + 5]!;
    for (let twig = twigs[tree]!; twig < twigs[tree + 1]!; twig++) {
      const integers = twig * TWIG_INTEGERS;
      const doubles = twig * TWIG_DOUBLES;
      const place = twigIntegers[integers + 3]!;
      const side = Number(row[twigIntegers[integers]!]! > twigDoubles[doubles]!);
      const left = doubles + 5 + Number(row[twigIntegers[integers + 1]!]! > twigDoubles[doubles + 1]!);
      const right = doubles + 9 + Number(row[twigIntegers[integers + 2]!]! > twigDoubles[doubles + 2]!);
      const hot = left + (right - left) * side;
      const cold = left + right - hot;
      const share = twigDoubles[doubles + 3 + side]!;
      const hotLoss = twigDoubles[hot]!;
      const hotMean = twigDoubles[hot + 2]!;
      const coldLoss = twigDoubles[cold]!;
      const weight0 = quadrature0 * weights[place]!;
      const weight1 = quadrature1 * weights[place + 1]!;
      const weight2 = quadrature2 * weights[place + 2]!;
      const coldWeight = (weight0 * t0 + weight1 * t1 + weight2 * t2) * share;
      contributions[twigIntegers[integers + 1 + side]!]! += hotLoss * (weight0 + weight1 + weight2 - coldWeight);
      contributions[twigIntegers[integers + 2 - side]!]! += coldLoss * coldWeight;
      const difference = (hotMean - twigDoubles[cold + 2]!) * share;
      const slope = (hotLoss - coldLoss) * share;
      const loss0 = difference - t0 * slope;
      const loss1 = difference - t1 * slope;
      const loss2 = difference - t2 * slope;
      contributions[twigIntegers[integers]!]! += weight0 * loss0 + weight1 * loss1 + weight2 * loss2;
      means[place] = hotMean - t0 * (hotLoss + loss0);
      means[place + 1] = hotMean - t1 * (hotLoss + loss1);
      means[place + 2] = hotMean - t2 * (hotLoss + loss2);
    }
  }
}
