/** The definitions, as slow and plain as they come. */
import { LEAF, type TreeEnsemble } from '../treeEnsemble.ts';

/** What the trees give for a row. */
export function marginOf(ensemble: TreeEnsemble, row: Float32Array): number {
  return meanKnowing(ensemble, row, () => true);
}

/**
 * The margin's mean where only some inputs are known: at a node whose input is not known both branches count, by their share
 * of the cover (EXPVALUE, algorithm 1 of arXiv 1802.03888).
 */
export function meanKnowing(ensemble: TreeEnsemble, row: Float32Array, isKnown: (input: number) => boolean): number {
  const below = (node: number): number => {
    const feature = at(ensemble.feature, node);
    if (feature === LEAF) return at(ensemble.value, node);
    const left = at(ensemble.left, node);
    const right = at(ensemble.right, node);
    const value = at(row, feature);
    if (isKnown(feature)) {
      const goesLeft = Number.isNaN(value)
        ? at(ensemble.missingGoesLeft, node) === 1
        : value <= at(ensemble.threshold, node);
      return below(goesLeft ? left : right);
    }
    const both = at(ensemble.cover, left) + at(ensemble.cover, right);
    const share = both === 0 ? 0.5 : at(ensemble.cover, left) / both;
    return share * below(left) + (1 - share) * below(right);
  };
  return ensemble.roots.reduce((sum, root) => sum + below(root), ensemble.base);
}

/** Shapley's formula, over all subsets of the inputs. */
export function shapleyValues(ensemble: TreeEnsemble, row: Float32Array): readonly number[] {
  const { inputs } = ensemble;
  const means = Array.from({ length: 2 ** inputs }, (_, known) =>
    meanKnowing(ensemble, row, (input) => ((known >> input) & 1) === 1),
  );
  return Array.from({ length: inputs }, (_, input) =>
    means.reduce((sum, mean, known) => {
      if (((known >> input) & 1) === 1) return sum;
      const size = known.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(inputs - size - 1)) / factorial(inputs);
      return sum + weight * ((means[known | (1 << input)] ?? NaN) - mean);
    }, 0),
  );
}

function factorial(number: number): number {
  return number <= 1 ? 1 : number * factorial(number - 1);
}

function at(values: Float32Array | Float64Array | Int32Array | Uint8Array, index: number): number {
  return values[index] ?? NaN;
}
