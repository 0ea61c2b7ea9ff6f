import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../schemas/packageRoot.ts';
import { modelMetadataSchema, type ModelMetadata } from '../modelPackage.ts';
import { Scorer } from '../scorer.ts';
import { readTrees } from './readTrees.ts';
import { writeModel, type EnsembleNode } from './testing/onnxWriter.ts';
import { randomEnsemble, randomNumbers, randomRow } from './randomEnsemble.ts';
import { marginOf } from './testing/treeOracle.ts';
import { LEAF, type TreeEnsemble } from './treeEnsemble.ts';

const modelFolder = join(packageRoot, 'config/default/model');
const shipped = modelMetadataSchema.parse(JSON.parse(readFileSync(join(modelFolder, 'model.json'), 'utf8')));
const shippedOnnx = readFileSync(join(modelFolder, 'model.onnx'));

function metadataOf(model: Uint8Array, inputs: number, fraudColumn = 1): ModelMetadata {
  const sha256 = createHash('sha256').update(model).digest('hex');
  return { ...shipped, sha256, inputs: Array.from({ length: inputs }, (_, input) => `f${input}`), fraudColumn };
}

/** The attributes of an ensemble, with a mode for each inner node. */
function ensembleNode(
  ensemble: TreeEnsemble,
  operator: EnsembleNode['operator'],
  modeOf: (node: number) => string,
): EnsembleNode {
  const nodes = Array.from(ensemble.feature.keys());
  const treeOf = (node: number): number => ensemble.roots.filter((root) => root <= node).length - 1;
  const isLeaf = (node: number): boolean => ensemble.feature[node] === LEAF;
  const leaves = nodes.filter(isLeaf);
  const prefix = operator === 'TreeEnsembleClassifier' ? 'class' : 'target';
  return {
    operator,
    inputs: ensemble.inputs,
    packed: false,
    attributes: {
      nodes_treeids: nodes.map(treeOf),
      nodes_nodeids: nodes,
      nodes_featureids: nodes.map((node) => Math.max(0, ensemble.feature[node] ?? 0)),
      nodes_modes: nodes.map((node) => (isLeaf(node) ? 'LEAF' : modeOf(node))),
      nodes_values: { floats: Array.from(ensemble.threshold) },
      nodes_truenodeids: Array.from(ensemble.left),
      nodes_falsenodeids: Array.from(ensemble.right),
      nodes_missing_value_tracks_true: Array.from(ensemble.missingGoesLeft),
      nodes_hitrates: { floats: Array.from(ensemble.cover) },
      [`${prefix}_treeids`]: leaves.map(treeOf),
      [`${prefix}_nodeids`]: leaves,
      [`${prefix}_ids`]: leaves.map(() => 0),
      [`${prefix}_weights`]: { floats: leaves.map((leaf) => ensemble.value[leaf] ?? NaN) },
      ...(prefix === 'class' ? { classlabels_int64s: [0, 1] } : { n_targets: 1 }),
      base_values: { floats: [ensemble.base] },
      post_transform: prefix === 'class' ? 'LOGISTIC' : 'NONE',
    },
  };
}

function sigmoid(margin: number): number {
  return 1 / (1 + Math.exp(-margin));
}

function someEnsemble(random: () => number): TreeEnsemble {
  const ensemble = randomEnsemble({ inputs: 6, trees: 4, depth: 5, leafChance: 0.2, emptyChance: 0 }, random);
  // ONNX Runtime compares with infinity as with any other number, but for GTE and LT none is below it.
  return { ...ensemble, threshold: ensemble.threshold.map((threshold) => Math.min(threshold, 9)) };
}

describe('trees read out of model.onnx', () => {
  it("give ONNX Runtime's probability, whatever the comparison, with its undefined values", async () => {
    const modes = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT'];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.constantFrom<EnsembleNode['operator']>('TreeEnsembleClassifier', 'TreeEnsembleRegressor'),
        fc.integer({ min: 0, max: 1 }),
        fc.boolean(),
        async (seed, operator, fraudColumn, packed) => {
          const random = randomNumbers(seed);
          const ensemble = someEnsemble(random);
          // ONNX Runtime takes one mode for a whole ensemble the fast way, and several another.
          const only = random() < 0.5 ? Math.floor(random() * modes.length) : null;
          const chosen = Array.from(ensemble.feature, () => modes[only ?? Math.floor(random() * 4)] ?? '');
          const node = ensembleNode(ensemble, operator, (each) => chosen[each] ?? '');
          const model = writeModel({ ...node, packed });
          const scorer = await Scorer.load(metadataOf(model, ensemble.inputs, fraudColumn), model);
          if (!scorer.trees.ok) throw new Error(scorer.trees.why);
          for (let each = 0; each < 20; each++) {
            const row = randomRow(ensemble.inputs, random);
            const [probability = NaN] = await scorer.probabilities(row, 1);
            const margin = marginOf(scorer.trees.ensemble, row);
            const expected = operator === 'TreeEnsembleRegressor' ? margin : sigmoid(margin);
            expect(Math.abs(expected - probability)).toBeLessThan(1e-6);
          }
          await scorer.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are the shipped model, with the covers of its training rows', async () => {
    const scorer = await Scorer.load(shipped, shippedOnnx);
    if (!scorer.trees.ok) throw new Error(scorer.trees.why);
    const { ensemble } = scorer.trees;
    const random = randomNumbers(7);
    for (let each = 0; each < 50; each++) {
      const row = randomRow(shipped.inputs.length, random);
      const [probability = NaN] = await scorer.probabilities(row, 1);
      expect(Math.abs(sigmoid(marginOf(ensemble, row)) - probability)).toBeLessThan(1e-6);
    }
    const covers = ensemble.roots.map((root) => ensemble.cover[root] ?? NaN);
    expect(Math.min(...covers)).toBeGreaterThan(100_000);
    expect(Math.max(...covers)).toBe(Math.min(...covers));
    await scorer.close();
  });

  it('are refused, with the reason, where they cannot explain the score', () => {
    const ensemble = someEnsemble(randomNumbers(3));
    const node = ensembleNode(ensemble, 'TreeEnsembleClassifier', () => 'BRANCH_LEQ');
    const why = (attributes: EnsembleNode['attributes'], inputs = ensemble.inputs): string => {
      const model = writeModel({ ...node, attributes: { ...node.attributes, ...attributes } });
      const read = readTrees(model, metadataOf(model, inputs));
      return read.ok ? 'nothing' : read.why;
    };
    const ones = { floats: Array.from(ensemble.cover, () => 1) };
    const [first] = ensemble.roots;
    expect(why({})).toBe('nothing');
    expect(why({ nodes_hitrates: ones })).toMatch(/nodes_hitrates do not say/);
    expect(why({ nodes_hitrates: { floats: [] } })).toMatch(/nodes_hitrates has 0 entries/);
    expect(why({ nodes_modes: Array.from(ensemble.feature, () => 'BRANCH_EQ') })).toMatch(
      /BRANCH_EQ are not explained/,
    );
    expect(why({ nodes_truenodeids: Array.from(ensemble.left, () => first ?? 0) })).toMatch(/do not make trees/);
    expect(why({ post_transform: 'PROBIT' })).toMatch(/PROBIT/);
    expect(why({}, 1)).toMatch(/looks at input \d of 1/);
    expect(readTrees(shippedOnnx, { ...shipped, input: 'other' })).toMatchObject({ ok: false });
    expect(readTrees(new Uint8Array(0), shipped)).toEqual({ ok: false, why: 'the model is no tree ensemble' });
  });

  it('of a damaged file are refused or trees, and nothing worse', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.integer({ min: 1, max: 255 }), fc.boolean(), (place, change, cut) => {
        const damaged = Buffer.from(shippedOnnx);
        damaged[place] = (damaged[place] ?? 0) ^ change;
        const read = readTrees(cut ? damaged.subarray(0, place) : damaged, shipped);
        expect(read.ok || read.why.length > 0).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
