import { SHAP_BASE64 } from './shapBytes.ts';
import { INPUT } from './shapMemory.ts';
import { compileShap } from './shapProgram.ts';
import type { TreeEnsemble } from './treeEnsemble.ts';

const shapModule = new WebAssembly.Module(Buffer.from(SHAP_BASE64, 'base64'));
const INPUT_DOUBLES = INPUT.bytes / Float64Array.BYTES_PER_ELEMENT;
const CONTRIBUTION_DOUBLE = INPUT.contribution / Float64Array.BYTES_PER_ELEMENT;

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
 * The sweeps are WebAssembly (assembly/shap.ts), four points at a time in two vectors of two doubles. Only + - * / on doubles in a
 * fixed order: the bytes are the same everywhere. Nothing is allocated, and no branch depends on the row, since a mispredicted one
 * costs more than the arithmetic of a node: sides are numbers that choose addresses.
 */
export class TreeShap {
  /** The margin's mean: what the contributions of a row start from. */
  readonly mean: number;
  readonly #inputs: number;
  /** Value and contribution of each input, twice. */
  readonly #doubles: Float64Array;
  readonly #run: () => void;

  constructor(ensemble: TreeEnsemble) {
    const { memory, inputs, mean } = compileShap(ensemble);
    this.mean = mean;
    this.#inputs = ensemble.inputs;
    this.#doubles = new Float64Array(memory.buffer, inputs, 2 * ensemble.inputs * INPUT_DOUBLES);
    this.#run = new WebAssembly.Instance<{ readonly explain: () => void }>(shapModule, {
      env: { memory },
    }).exports.explain;
  }

  /**
   * Writes what each input contributed to the margin of the row that begins at `base` of `rows`, one number for each input; with
   * `mean` they add up to the margin. NaN is an undefined value.
   */
  explain(rows: Float32Array, base: number, contributions: Float64Array): void {
    const inputs = this.#inputs;
    const doubles = this.#doubles;
    // NaN is not below any threshold and goes to the right, negative infinity to the left.
    for (let input = 0; input < inputs; input++) {
      const value = rows[base + input]!;
      this.#begin(input * INPUT_DOUBLES, value);
      this.#begin((inputs + input) * INPUT_DOUBLES, Number.isNaN(value) ? -Infinity : value);
    }
    this.#run();
    for (let input = 0; input < inputs; input++) {
      const first = input * INPUT_DOUBLES + CONTRIBUTION_DOUBLE;
      const second = first + inputs * INPUT_DOUBLES;
      contributions[input] = doubles[first]! + doubles[first + 1]! + (doubles[second]! + doubles[second + 1]!);
    }
  }

  #begin(at: number, value: number): void {
    const doubles = this.#doubles;
    doubles[at] = value;
    doubles[at + CONTRIBUTION_DOUBLE] = 0;
    doubles[at + CONTRIBUTION_DOUBLE + 1] = 0;
  }
}
