import { greatestContributions, type FeatureContribution } from './featureContribution.ts';
import type { Scorer } from './scorer.ts';

/** Variants scored in one go: some milliseconds, for which the event loop is held. */
const MAX_BATCH_ROWS = 512;

/**
 * Explains scores of models that have no trees to explain them by (see trees/treeShap.ts), by occlusion: each of the model's reason features in turn is put to its training median, all variants
 * are scored in batches, and what the probability loses is the feature's contribution. Features that raised the
 * probability come first, at most `limit`. Deterministic, because a row's score does not depend on its batch.
 */
export class OcclusionExplainer {
  readonly #scorer: Scorer;
  readonly #features: readonly { readonly name: string; readonly index: number; readonly baseline: number }[];
  /** Payments explained in one batch. */
  readonly #batchPayments: number;
  readonly #rows: Float32Array;

  constructor(scorer: Scorer) {
    this.#scorer = scorer;
    const { inputs, reasonFeatures, baselines } = scorer.metadata;
    this.#features = reasonFeatures
      .map((name) => ({ name, index: inputs.indexOf(name), baseline: baselines[name] ?? NaN }))
      .filter((feature) => feature.index >= 0);
    this.#batchPayments = Math.max(1, Math.floor(MAX_BATCH_ROWS / Math.max(1, this.#features.length)));
    this.#rows = new Float32Array(this.#batchPayments * this.#features.length * inputs.length);
  }

  /** `rows`: the payments' features, row-major; `probabilities`: the score of each. One list for each payment. */
  async explain(
    rows: Float32Array,
    probabilities: readonly number[],
    limit: number,
  ): Promise<readonly (readonly FeatureContribution[])[]> {
    const width = this.#scorer.metadata.inputs.length;
    const explained: (readonly FeatureContribution[])[] = [];
    for (let first = 0; first < probabilities.length; first += this.#batchPayments) {
      const batch = probabilities.slice(first, first + this.#batchPayments);
      const variants = await this.#occlude(rows.subarray(first * width), batch.length);
      batch.forEach((probability, payment) => {
        const row = rows.subarray((first + payment) * width, (first + payment + 1) * width);
        const occluded = variants.subarray(payment * this.#features.length);
        explained.push(this.#contributions(row, probability, occluded, limit));
      });
    }
    return explained;
  }

  /** Probabilities of the first `payments` rows with one feature after the other left out. */
  async #occlude(rows: Float32Array, payments: number): Promise<Float32Array> {
    const width = this.#scorer.metadata.inputs.length;
    let base = 0;
    for (let payment = 0; payment < payments; payment++) {
      const row = rows.subarray(payment * width, (payment + 1) * width);
      for (const feature of this.#features) {
        this.#rows.set(row, base);
        this.#rows[base + feature.index] = feature.baseline;
        base += width;
      }
    }
    return base === 0 ? new Float32Array(0) : this.#scorer.probabilities(this.#rows, base / width);
  }

  #contributions(
    row: Float32Array,
    probability: number,
    occluded: Float32Array,
    limit: number,
  ): readonly FeatureContribution[] {
    const contributions = this.#features.map((feature, variant) => ({
      feature: feature.name,
      contribution: probability - (occluded[variant] ?? probability),
      value: row[feature.index] ?? NaN,
    }));
    return greatestContributions(contributions, limit);
  }
}
