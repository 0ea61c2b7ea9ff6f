import { greatestContributions, type FeatureContribution } from '../../models/featureContribution.ts';
import { OcclusionExplainer } from '../../models/occlusion.ts';
import type { Scorer } from '../../models/scorer.ts';
import type { TreeShap } from '../../models/trees/treeShap.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import type { Explanation, Reason } from '../../schemas/types.ts';
import { modelReasons } from './modelReasons.ts';
import type { WaitingPayment, WaitingPayments } from './waitingPayments.ts';

/** How many features a verdict by the model names. */
const MODEL_REASONS = 3;

/** Why the model scored a payment as it did. */
export interface ExplainedScore {
  readonly explanation: Explanation;
  /** The reason features that raised the score most, greatest first. */
  readonly reasons: readonly Reason[];
}

/** Explains one model's scores under one configuration: by its trees if they can be read, else by occlusion. */
export class ModelExplainer {
  readonly #configuration: CompiledConfiguration;
  readonly #scorer: Scorer;
  readonly #trees: TreeShap | null;
  readonly #occlusion: OcclusionExplainer | null;
  /** By row of the payments that wait. */
  #occluded: ReadonlyMap<number, ExplainedScore> = NOTHING_OCCLUDED;
  readonly #row: Float32Array;
  readonly #contributions: Float64Array;
  /** The input of each reason feature. */
  readonly #reasonInputs: readonly { readonly feature: string; readonly input: number }[];

  constructor(configuration: CompiledConfiguration, scorer: Scorer) {
    const { inputs, reasonFeatures } = scorer.metadata;
    this.#configuration = configuration;
    this.#scorer = scorer;
    this.#trees = scorer.treeShap;
    this.#occlusion = this.#trees === null ? new OcclusionExplainer(scorer) : null;
    this.#row = new Float32Array(inputs.length);
    this.#contributions = new Float64Array(inputs.length);
    this.#reasonInputs = reasonFeatures
      .map((feature) => ({ feature, input: inputs.indexOf(feature) }))
      .filter(({ input }) => input >= 0);
  }

  /**
   * What must be done before payments are decided. Occlusion scores variants of those that the model alone would stop: all together,
   * because every call of the model costs a turn of the event loop, which under load means a wait behind the requests that
   * have come in meanwhile. Trees need nothing.
   */
  async prepare(
    waiting: WaitingPayments,
    scored: readonly WaitingPayment[],
    probabilities: Float64Array,
  ): Promise<void> {
    this.#occluded = NOTHING_OCCLUDED;
    if (this.#occlusion === null) return;
    const { thresholds } = this.#configuration.definition.policy;
    const flagged = scored.filter(({ row, riskLevel }) => {
      const probability = probabilities[row] ?? NaN;
      return !Number.isNaN(probability) && this.#scorer.score(probability) >= thresholds[riskLevel].challenge;
    });
    if (flagged.length === 0) return;
    const width = this.#row.length;
    const rows = new Float32Array(flagged.length * width);
    flagged.forEach(({ row }, index) => {
      const base = row * this.#configuration.catalogue.names.length;
      rows.set(waiting.features.subarray(base, base + width), index * width);
    });
    const scores = flagged.map(({ row }) => probabilities[row] ?? NaN);
    const explained = await this.#occlusion.explain(rows, scores, MODEL_REASONS);
    this.#occluded = new Map(
      flagged.map(({ row }, index) => [row, this.#explained(OCCLUSION, explained[index] ?? [])]),
    );
  }

  /** Of a scored payment: its row of those that wait, and where its features begin. Null where there is no explanation. */
  explain(row: number, features: Float64Array, base: number): ExplainedScore | null {
    if (this.#trees === null) return this.#occluded.get(row) ?? null;
    this.#row.set(features.subarray(base, base + this.#row.length));
    this.#trees.explain(this.#row, 0, this.#contributions);
    const explanation: Explanation = {
      method: 'treeShap',
      mean: this.#trees.mean,
      contributions: Array.from(this.#contributions),
    };
    const named = this.#reasonInputs.map(({ feature, input }) => ({
      feature,
      contribution: this.#contributions[input] ?? NaN,
      value: this.#row[input] ?? NaN,
    }));
    return this.#explained(explanation, greatestContributions(named, MODEL_REASONS));
  }

  #explained(explanation: Explanation, named: readonly FeatureContribution[]): ExplainedScore {
    return { explanation, reasons: modelReasons(named, this.#configuration.catalogue, this.#scorer.metadata) };
  }
}

const OCCLUSION: Explanation = { method: 'occlusion', mean: null, contributions: [] };
const NOTHING_OCCLUDED: ReadonlyMap<number, ExplainedScore> = new Map();
