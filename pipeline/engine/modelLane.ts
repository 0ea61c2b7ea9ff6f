import type { Scorer } from '../../models/scorer.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import { ModelExplainer, type ExplainedScore } from './modelExplainer.ts';
import type { WaitingPayment, WaitingPayments } from './waitingPayments.ts';

/** One of the models that score verdicts, over those of the waiting payments that are its to score. */
export class ModelLane {
  readonly scorer: Scorer;
  readonly #explainer: ModelExplainer;
  readonly #rows: Float32Array;
  /** How many of a payment's features, from the first on, the model takes. */
  readonly #width: number;

  constructor(configuration: CompiledConfiguration, scorer: Scorer, maxBatch: number) {
    this.scorer = scorer;
    this.#explainer = new ModelExplainer(configuration, scorer);
    this.#width = scorer.metadata.inputs.length;
    this.#rows = new Float32Array(maxBatch * this.#width);
  }

  /** Sets the probability of each of `own`, by its row. */
  async score(waiting: WaitingPayments, own: readonly WaitingPayment[], probabilities: Float64Array): Promise<void> {
    const width = this.#width;
    own.forEach(({ row }, index) => {
      const base = row * waiting.width;
      this.#rows.set(waiting.features.subarray(base, base + width), index * width);
    });
    const scored = await this.scorer.probabilities(this.#rows, own.length);
    own.forEach(({ row }, index) => {
      probabilities[row] = scored[index] ?? NaN;
    });
    await this.#explainer.prepare(waiting, own, probabilities);
  }

  /** Why a payment has its score: its row of those that wait, and where its features begin. */
  explain(row: number, features: Float64Array, base: number): ExplainedScore | null {
    return this.#explainer.explain(row, features, base);
  }
}
