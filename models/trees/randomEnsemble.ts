import { LEAF, type TreeEnsemble } from './treeEnsemble.ts';

/** What trees are drawn: `random` gives numbers in [0, 1). */
export interface EnsembleShape {
  readonly inputs: number;
  readonly trees: number;
  readonly depth: number;
  /** Chance that a node above the depth is a leaf all the same. */
  readonly leafChance: number;
  /** Chance that no training row came to a leaf. */
  readonly emptyChance: number;
}

/** An ensemble of random trees, for tests and benchmarks; thresholds are whole numbers from 0 to 9, a few infinite. */
export function randomEnsemble(shape: EnsembleShape, random: () => number): TreeEnsemble {
  const { inputs, trees, depth, leafChance, emptyChance } = shape;
  const roots: number[] = [];
  const feature: number[] = [];
  const threshold: number[] = [];
  const missingGoesLeft: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const cover: number[] = [];
  const value: number[] = [];
  const below = (number: number): number => Math.floor(random() * number);
  const add = (above: number): number => {
    const node = feature.length;
    const isLeaf = above === depth || (above > 0 && random() < leafChance);
    feature.push(isLeaf ? LEAF : below(inputs));
    threshold.push(random() < 0.05 ? Infinity : below(10));
    missingGoesLeft.push(below(2));
    value.push(isLeaf ? random() * 4 - 2 : 0);
    cover.push(isLeaf && random() >= emptyChance ? 1 + below(1_000) : 0);
    left.push(0);
    right.push(0);
    if (!isLeaf) {
      const [first, second] = [add(above + 1), add(above + 1)];
      left[node] = first;
      right[node] = second;
      cover[node] = (cover[first] ?? 0) + (cover[second] ?? 0);
    }
    return node;
  };
  for (let tree = 0; tree < trees; tree++) roots.push(add(0));
  return {
    inputs,
    roots: Int32Array.from(roots),
    feature: Int32Array.from(feature),
    threshold: Float64Array.from(threshold),
    missingGoesLeft: Uint8Array.from(missingGoesLeft),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    cover: Float64Array.from(cover),
    value: Float64Array.from(value),
    base: random() - 0.5,
  };
}

/** A row for it: whole numbers, halves, undefined and infinite values. */
export function randomRow(inputs: number, random: () => number): Float32Array {
  return Float32Array.from({ length: inputs }, () => {
    const kind = random();
    if (kind < 0.15) return NaN;
    if (kind < 0.2) return kind < 0.175 ? Infinity : -Infinity;
    return Math.floor(random() * 22) / 2 - 0.5;
  });
}

/** Marsaglia's xorshift: the same numbers for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
