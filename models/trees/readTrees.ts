import type { ModelMetadata } from '../modelPackage.ts';
import { onnxNodes, type OnnxAttribute, type OnnxNode } from './onnxGraph.ts';
import { LEAF, type TreeEnsemble } from './treeEnsemble.ts';

/** Nodes of all trees. TreeSHAP then takes some milliseconds a payment, and reasons are rare. */
export const MAX_NODES = 500_000;
/** Inner nodes on a path. */
export const MAX_DEPTH = 48;
/** Operators that may stand between the trees and the probability: they keep its order. Mul is LightGBM's, by one. */
const HARMLESS = new Set(['Identity', 'Cast', 'Mul', 'Normalizer', 'ZipMap', 'Sigmoid', 'Reshape']);
/** Rates are 32-bit floats: an inner node's may differ so much from its children's, relatively. */
const COVER_TOLERANCE = 1e-4;

export type TreesRead =
  | { readonly ok: true; readonly ensemble: TreeEnsemble }
  /** Why there are no trees to explain by, in words that end a sentence. */
  | { readonly ok: false; readonly why: string };

/**
 * The trees of a model whose probability is made by one tree ensemble on the raw features (ai.onnx.ml, TreeEnsembleClassifier and
 * TreeEnsembleRegressor), with what training says of each node's cover, which this format calls nodes_hitrates. `model` must be
 * one that ONNX Runtime has opened.
 */
export function readTrees(model: Uint8Array, metadata: ModelMetadata): TreesRead {
  try {
    const nodes = onnxNodes(model);
    const isTree = ({ operator }: OnnxNode): boolean => operator.startsWith('TreeEnsemble');
    const [trees, ...more] = nodes.filter(isTree);
    if (trees === undefined) return { ok: false, why: 'the model is no tree ensemble' };
    const other = nodes.find((node) => !isTree(node) && !HARMLESS.has(node.operator));
    if (other !== undefined) return { ok: false, why: `the model also computes ${other.operator}` };
    if (more.length > 0 || trees.inputs[0] !== metadata.input) {
      return { ok: false, why: 'the model is more than one tree ensemble on the features themselves' };
    }
    return { ok: true, ensemble: new EnsembleReader(trees, metadata).read() };
  } catch (error) {
    if (error instanceof UnsuitableTrees || error instanceof RangeError) return { ok: false, why: error.message };
    throw error;
  }
}

class UnsuitableTrees extends Error {}

class EnsembleReader {
  readonly #attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly #metadata: ModelMetadata;
  /** class or target: of a classifier or a regressor. */
  readonly #prefix: string;
  readonly #nodes = new Map<string, number>();
  readonly #count: number;

  constructor({ operator, attributes }: OnnxNode, metadata: ModelMetadata) {
    if (operator !== 'TreeEnsembleClassifier' && operator !== 'TreeEnsembleRegressor') {
      throw new UnsuitableTrees(`trees are read of TreeEnsembleClassifier and TreeEnsembleRegressor, not ${operator}`);
    }
    this.#prefix = operator === 'TreeEnsembleClassifier' ? 'class' : 'target';
    this.#attributes = attributes;
    this.#metadata = metadata;
    this.#count = this.#integers('nodes_nodeids').length;
    if (this.#count === 0 || this.#count > MAX_NODES) {
      throw new UnsuitableTrees(`the trees have ${this.#count} nodes; up to ${MAX_NODES} are explained`);
    }
  }

  read(): TreeEnsemble {
    const ensemble = this.#structure();
    checkTrees(ensemble);
    const sign = this.#leaves(ensemble.value);
    this.#covers(ensemble);
    return { ...ensemble, base: sign * this.#base() };
  }

  #structure(): TreeEnsemble {
    const trees = this.#column('nodes_treeids');
    const ids = this.#column('nodes_nodeids');
    const roots: number[] = [];
    for (let node = 0; node < this.#count; node++) {
      if (trees[node] !== trees[node - 1]) roots.push(node);
      this.#nodes.set(`${trees[node]} ${ids[node]}`, node);
    }
    const child = (column: string): Int32Array =>
      Int32Array.from(this.#column(column), (id, node) => this.#nodes.get(`${trees[node]} ${id}`) ?? LEAF);
    const isTrue = child('nodes_truenodeids');
    const isFalse = child('nodes_falsenodeids');
    const thresholds = this.#floats('nodes_values', this.#count);
    const modes = this.#attribute('nodes_modes').texts;
    const missing = this.#attributes.get('nodes_missing_value_tracks_true')?.integers ?? [];
    const ensemble = {
      inputs: this.#metadata.inputs.length,
      roots: Int32Array.from(roots),
      feature: Int32Array.from(this.#column('nodes_featureids')),
      threshold: Float64Array.from(thresholds),
      missingGoesLeft: new Uint8Array(this.#count),
      left: isTrue,
      right: isFalse,
      cover: Float64Array.from(this.#floats('nodes_hitrates', this.#count)),
      value: new Float64Array(this.#count),
      base: 0,
    };
    for (let node = 0; node < this.#count; node++) {
      const mode = modes[node] ?? '';
      if (mode === 'LEAF') {
        ensemble.feature[node] = LEAF;
        continue;
      }
      const branch = BRANCHES[mode];
      if (branch === undefined) throw new UnsuitableTrees(`nodes of mode ${mode} are not explained`);
      const threshold = thresholds[node] ?? NaN;
      ensemble.threshold[node] = branch.isStrict ? nextBelow(threshold) : threshold;
      if (Number.isNaN(ensemble.threshold[node])) throw new UnsuitableTrees('a threshold is no number');
      const missingIsTrue = missing[node] === 1;
      ensemble.missingGoesLeft[node] = Number(missingIsTrue !== branch.isTrueAbove);
      if (branch.isTrueAbove) [isTrue[node], isFalse[node]] = [isFalse[node] ?? LEAF, isTrue[node] ?? LEAF];
    }
    return ensemble;
  }

  /** Adds the leaves' weights to `values`; returns with which sign they count for fraud. */
  #leaves(values: Float64Array): number {
    const { fraudColumn } = this.#metadata;
    const prefix = this.#prefix;
    const trees = this.#integers(`${prefix}_treeids`);
    const ids = this.#integers(`${prefix}_nodeids`);
    const outputs = this.#integers(`${prefix}_ids`);
    const weights = this.#floats(`${prefix}_weights`, ids.length);
    const several = new Set(outputs).size > 1;
    const transform = this.#attributes.get('post_transform')?.text ?? 'NONE';
    if (transform !== 'LOGISTIC' && transform !== 'NONE') {
      throw new UnsuitableTrees(`margins that go through ${transform} are not explained`);
    }
    if (several && (transform === 'LOGISTIC' || prefix === 'target')) {
      throw new UnsuitableTrees('the trees have an output of their own for each class');
    }
    if ((this.#attributes.get('aggregate_function')?.text ?? 'SUM') !== 'SUM') {
      throw new UnsuitableTrees('the trees are not added up');
    }
    if (!weights.every(Number.isFinite)) throw new UnsuitableTrees('a weight is not finite');
    // Weights of one class only are the second column's margin, whatever the class.
    const sign = !several && prefix === 'class' && fraudColumn === 0 ? -1 : 1;
    weights.forEach((weight, index) => {
      if (several && outputs[index] !== fraudColumn) return;
      const node = this.#nodes.get(`${trees[index]} ${ids[index]}`);
      if (node === undefined) throw new UnsuitableTrees('a weight belongs to no node');
      values[node] = (values[node] ?? 0) + sign * weight;
    });
    return sign;
  }

  #base(): number {
    const bases = this.#attributes.get('base_values')?.floats ?? [];
    return (bases.length === 1 ? bases[0] : bases[this.#metadata.fraudColumn]) ?? 0;
  }

  /** Inner nodes get their children's sum; what the file says of them must be that, or it says nothing about cover. */
  #covers({ roots, feature, left, right, cover }: TreeEnsemble): void {
    const add = (node: number): number => {
      if (feature[node] === LEAF) return cover[node] ?? NaN;
      const sum = add(left[node] ?? LEAF) + add(right[node] ?? LEAF);
      const stated = cover[node] ?? NaN;
      if (!(Math.abs(stated - sum) <= COVER_TOLERANCE * sum)) {
        throw new UnsuitableTrees('its nodes_hitrates do not say how many training rows came to each node');
      }
      cover[node] = sum;
      return sum;
    };
    for (const root of roots) add(root);
    if (cover.some((rows) => !(rows >= 0 && Number.isFinite(rows)))) {
      throw new UnsuitableTrees('a node has a cover below zero');
    }
  }

  /** One integer for each node. */
  #column(name: string): readonly number[] {
    const column = this.#integers(name);
    if (column.length !== this.#count) throw new UnsuitableTrees(`${name} has ${column.length} entries`);
    return column;
  }

  #integers(name: string): readonly number[] {
    return this.#attribute(name).integers;
  }

  #floats(name: string, count: number): readonly number[] {
    const { floats } = this.#attribute(name);
    if (floats.length !== count) throw new UnsuitableTrees(`${name} has ${floats.length} entries, not ${count}`);
    return floats;
  }

  #attribute(name: string): OnnxAttribute {
    const attribute = this.#attributes.get(name);
    if (attribute === undefined) throw new UnsuitableTrees(`the trees have no ${name}`);
    return attribute;
  }
}

/** What a node's comparison is: which side of the threshold is true, and whether the threshold itself lies above it. */
const BRANCHES: Readonly<Record<string, { readonly isTrueAbove: boolean; readonly isStrict: boolean }>> = {
  BRANCH_LEQ: { isTrueAbove: false, isStrict: false },
  BRANCH_LT: { isTrueAbove: false, isStrict: true },
  BRANCH_GT: { isTrueAbove: true, isStrict: false },
  BRANCH_GTE: { isTrueAbove: true, isStrict: true },
};

/** The greatest 32-bit float below `value`, itself one: features are 32-bit floats, so `x < value` is `x <= nextBelow(value)`. */
function nextBelow(value: number): number {
  const float = Float32Array.of(value === 0 ? 0 : value);
  const bits = new Int32Array(float.buffer);
  const present = bits[0] ?? 0;
  if (value === 0) bits[0] = 0x80000001 | 0;
  else bits[0] = present + (value > 0 ? -1 : 1);
  return float[0] ?? NaN;
}

/** Every node must be reached once: ONNX Runtime would not tell trees from graphs. */
function checkTrees({ inputs, roots, feature, left, right }: TreeEnsemble): void {
  const isReached = new Uint8Array(feature.length);
  const visit = (node: number, depth: number): void => {
    if (node === LEAF || isReached[node] === 1) throw new UnsuitableTrees('the nodes do not make trees');
    isReached[node] = 1;
    const input = feature[node] ?? LEAF;
    if (input === LEAF) return;
    if (input < 0 || input >= inputs) throw new UnsuitableTrees(`a node looks at input ${input} of ${inputs}`);
    if (depth === MAX_DEPTH) throw new UnsuitableTrees(`the trees are deeper than ${MAX_DEPTH}`);
    visit(left[node] ?? LEAF, depth + 1);
    visit(right[node] ?? LEAF, depth + 1);
  };
  for (const root of roots) visit(root, 0);
  if (isReached.includes(0)) throw new UnsuitableTrees('the nodes do not make trees');
}
