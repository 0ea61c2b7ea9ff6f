import type { Scorer } from './scorer.ts';

/** How much one feature moved a payment's probability of fraud. */
export interface FeatureContribution {
  readonly feature: string;
  /** Probability with the feature as it is, less the probability with the feature at its training median. */
  readonly contribution: number;
  /** The feature's value. */
  readonly value: number;
}

/**
 * Explains one score by occlusion: each of the model's reason features in turn is put to its training median, all variants
 * are scored in one batch, and what the probability loses is the feature's contribution. Features that raised the
 * probability come first, at most `limit`. Deterministic, because a row's score does not depend on its batch.
 */
export class OcclusionExplainer {
  readonly #scorer: Scorer;
  readonly #features: readonly { readonly name: string; readonly index: number; readonly baseline: number }[];
  readonly #rows: Float32Array;

  constructor(scorer: Scorer) {
    this.#scorer = scorer;
    const { inputs, reasonFeatures, baselines } = scorer.metadata;
    this.#features = reasonFeatures
      .map((name) => ({ name, index: inputs.indexOf(name), baseline: baselines[name] ?? NaN }))
      .filter((feature) => feature.index >= 0);
    this.#rows = new Float32Array(this.#features.length * inputs.length);
  }

  async explain(row: Float32Array, probability: number, limit: number): Promise<readonly FeatureContribution[]> {
    if (this.#features.length === 0) return [];
    const width = row.length;
    this.#features.forEach((feature, variant) => {
      this.#rows.set(row, variant * width);
      this.#rows[variant * width + feature.index] = feature.baseline;
    });
    const occluded = await this.#scorer.probabilities(this.#rows, this.#features.length);
    return this.#features
      .map((feature, variant) => ({
        feature: feature.name,
        contribution: probability - (occluded[variant] ?? probability),
        value: row[feature.index] ?? NaN,
      }))
      .filter((contribution) => contribution.contribution > 0)
      .sort((a, b) => b.contribution - a.contribution || (a.feature < b.feature ? -1 : 1))
      .slice(0, limit);
  }
}
