import { createHash } from 'node:crypto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { scoreOf, type ModelMetadata } from './modelPackage.ts';
import { readTrees, type TreesRead } from './trees/readTrees.ts';

/** A model file that is not what model.json says, or that cannot be run on the catalogue's features. */
export class ModelError extends Error {
  readonly code: 'SLUICE_MODEL_HASH' | 'SLUICE_MODEL_SHAPE' | 'SLUICE_MODEL_UNREADABLE';
  constructor(code: ModelError['code'], message: string) {
    super(message);
    this.name = 'ModelError';
    this.code = code;
  }
}

/**
 * A loaded model. One thread and sequential execution: only then are a row's score bytes the same in every batch size
 * (measured: with two threads 53 of 4,096 rows differed), and a decision must not depend on who else was waiting.
 */
export class Scorer {
  readonly metadata: ModelMetadata;
  /** What the model's scores are explained by, or why by occlusion. */
  readonly trees: TreesRead;
  readonly #session: InferenceSession;
  readonly #feed: Record<string, Tensor> = {};

  private constructor(metadata: ModelMetadata, trees: TreesRead, session: InferenceSession) {
    this.metadata = metadata;
    this.trees = trees;
    this.#session = session;
  }

  /** Loads and checks a model by running it once. Throws ModelError. */
  static async load(metadata: ModelMetadata, model: Uint8Array): Promise<Scorer> {
    const sha256 = createHash('sha256').update(model).digest('hex');
    if (sha256 !== metadata.sha256) {
      throw new ModelError('SLUICE_MODEL_HASH', `model.onnx has SHA-256 ${sha256}, model.json says ${metadata.sha256}`);
    }
    const session = await openSession(model);
    const scorer = new Scorer(metadata, readTrees(model, metadata), session);
    await scorer.#checkShape();
    return scorer;
  }

  /**
   * Probabilities of fraud for `rows` rows of features, row-major, metadata.inputs.length each, NaN where undefined.
   * `features` may be longer; it is not kept.
   */
  async probabilities(features: Float32Array, rows: number): Promise<Float32Array> {
    const width = this.metadata.inputs.length;
    this.#feed[this.metadata.input] = new Tensor('float32', features.subarray(0, rows * width), [rows, width]);
    const outputs = await this.#session.run(this.#feed, [this.metadata.output]);
    const data = outputs[this.metadata.output]?.data;
    if (!(data instanceof Float32Array)) {
      throw new ModelError('SLUICE_MODEL_SHAPE', `output '${this.metadata.output}' is not a float tensor`);
    }
    if (data.length === rows) return data;
    if (data.length !== rows * 2) {
      throw new ModelError(
        'SLUICE_MODEL_SHAPE',
        `output '${this.metadata.output}' has ${String(data.length / rows)} columns, expected 1 or 2`,
      );
    }
    const probabilities = new Float32Array(rows);
    for (let row = 0; row < rows; row++) probabilities[row] = data[row * 2 + this.metadata.fraudColumn] ?? NaN;
    return probabilities;
  }

  /** The score, 0 to 1000, of a probability. */
  score(probability: number): number {
    return scoreOf(this.metadata.calibration, probability);
  }

  async close(): Promise<void> {
    await this.#session.release();
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
