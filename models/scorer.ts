import { createHash } from 'node:crypto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { scoreOf, type ModelMetadata } from './modelPackage.ts';
import { onnxNodes } from './trees/onnxGraph.ts';
import { readTrees, type TreesRead } from './trees/readTrees.ts';
import { TreeShap } from './trees/treeShap.ts';

/**
 * Operators whose results for a row are computed from that row alone, in an order that other rows do not change. Matrix products are
 * not among them: ONNX Runtime's sum a single row in another order than the rows of a block (a logistic regression of scikit-learn's
 * gave other last bits alone than among 64).
 */
const ROW_BY_ROW = new Set([
  'TreeEnsembleClassifier',
  'TreeEnsembleRegressor',
  'TreeEnsemble',
  'Identity',
  'Cast',
  'Imputer',
  'Mul',
  'Normalizer',
  'Reshape',
  'ZipMap',
]);

/** A model file that is not what model.json says, or that cannot be run on the catalogue's features. */
export class ModelError extends Error {
  readonly code: 'SLUICE_MODEL_HASH' | 'SLUICE_MODEL_SHAPE' | 'SLUICE_MODEL_UNREADABLE' | 'SLUICE_MODEL_UNSTABLE';
  constructor(code: ModelError['code'], message: string) {
    super(message);
    this.name = 'ModelError';
    this.code = code;
  }
}

/**
 * A loaded model. A decision must not depend on who else was waiting: one thread and sequential execution (measured: with two
 * threads 53 of 4,096 rows of a tree ensemble had other bytes in another batch size), and a model that does more than trees is asked
 * for one row at a time.
 */
export class Scorer {
  readonly metadata: ModelMetadata;
  /** What the model's scores are explained by, or why by occlusion. */
  readonly trees: TreesRead;
  /** Whether rows are scored in one call; else one after the other, which takes longer. */
  readonly scoresTogether: boolean;
  readonly #session: InferenceSession;
  #treeShap: TreeShap | null = null;

  private constructor(metadata: ModelMetadata, model: Uint8Array, session: InferenceSession) {
    this.metadata = metadata;
    this.trees = readTrees(model, metadata);
    this.scoresTogether = onnxNodes(model).every(({ operator }) => ROW_BY_ROW.has(operator));
    this.#session = session;
  }

  /** Loads and checks a model by running it once. Throws ModelError. */
  static async load(metadata: ModelMetadata, model: Uint8Array): Promise<Scorer> {
    const sha256 = createHash('sha256').update(model).digest('hex');
    if (sha256 !== metadata.sha256) {
      throw new ModelError('SLUICE_MODEL_HASH', `model.onnx has SHA-256 ${sha256}, model.json says ${metadata.sha256}`);
    }
    const session = await openSession(model);
    const scorer = new Scorer(metadata, model, session);
    await scorer.#checkShape();
    return scorer;
  }

  /**
   * Probabilities of fraud for `rows` rows of features, row-major, metadata.inputs.length each, NaN where undefined.
   * `features` may be longer; it is not kept.
   */
  async probabilities(features: Float32Array, rows: number): Promise<Float32Array> {
    if (this.scoresTogether || rows === 1) return this.#run(features, 0, rows);
    const alone: Promise<Float32Array>[] = [];
    // All are asked for at once, since each answer takes a turn of the event loop.
    for (let row = 0; row < rows; row++) alone.push(this.#run(features, row, 1));
    const probabilities = new Float32Array(rows);
    for (const [row, [probability = NaN]] of (await Promise.all(alone)).entries()) probabilities[row] = probability;
    return probabilities;
  }

  /** What explains its scores, if its trees can be read. Made when first asked for, which takes some 20 ms. */
  get treeShap(): TreeShap | null {
    if (this.#treeShap === null && this.trees.ok) this.#treeShap = new TreeShap(this.trees.ensemble);
    return this.#treeShap;
  }

  /** The score, 0 to 1000, of a probability. */
  score(probability: number): number {
    return scoreOf(this.metadata.calibration, probability);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** Of `rows` rows from `firstRow` on, in one call. */
  async #run(features: Float32Array, firstRow: number, rows: number): Promise<Float32Array> {
    const { input, output, inputs, fraudColumn } = this.metadata;
    const width = inputs.length;
    const values = features.subarray(firstRow * width, (firstRow + rows) * width);
    const outputs = await this.#session.run({ [input]: new Tensor('float32', values, [rows, width]) }, [output]);
    const data = outputs[output]?.data;
    if (!(data instanceof Float32Array))
      throw new ModelError('SLUICE_MODEL_SHAPE', `output '${output}' is not a float tensor`);
    if (data.length === rows) return data;
    if (data.length !== rows * 2) {
      const columns = String(data.length / rows);
      throw new ModelError('SLUICE_MODEL_SHAPE', `output '${output}' has ${columns} columns, expected 1 or 2`);
    }
    const probabilities = new Float32Array(rows);
    for (let row = 0; row < rows; row++) probabilities[row] = data[row * 2 + fraudColumn] ?? NaN;
    return probabilities;
  }

  async #checkShape(): Promise<void> {
    const { input, output, inputs } = this.metadata;
    if (!this.#session.inputNames.includes(input)) {
      throw new ModelError(
        'SLUICE_MODEL_SHAPE',
        `no input '${input}'; the model has ${this.#session.inputNames.join(', ')}`,
      );
    }
    if (!this.#session.outputNames.includes(output)) {
      throw new ModelError(
        'SLUICE_MODEL_SHAPE',
        `no output '${output}'; the model has ${this.#session.outputNames.join(', ')}`,
      );
    }
    try {
      await this.probabilities(new Float32Array(inputs.length), 1);
    } catch (error) {
      if (error instanceof ModelError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ModelError(
        'SLUICE_MODEL_SHAPE',
        `the model does not take ${String(inputs.length)} features: ${reason}`,
      );
    }
  }
}

async function openSession(model: Uint8Array): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError('SLUICE_MODEL_UNREADABLE', `not a model that ONNX Runtime can open: ${reason}`);
  }
}
