/**
 * Trees that add up to a margin. The nodes of all trees lie in one numbering, the parallel arrays have one place for each.
 * The margin is what a classifier's trees give before the logistic function: log-odds. Of trees that end in no function (random
 * forests) it is the probability itself.
 */
export interface TreeEnsemble {
  /** Values in a row. */
  readonly inputs: number;
  /** First node of each tree. */
  readonly roots: Int32Array;
  /** The input that an inner node looks at; LEAF at a leaf. */
  readonly feature: Int32Array;
  /** Not above it: left. Infinity where the node only tells whether there is a value. */
  readonly threshold: Float64Array;
  /** 1: an undefined value goes left. */
  readonly missingGoesLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Training rows that came to the node; of an inner node: those of its children. */
  readonly cover: Float64Array;
  /** What a leaf adds to the margin. */
  readonly value: Float64Array;
  /** Added to the trees' sum. */
  readonly base: number;
}

export const LEAF = -1;
