import { OcclusionExplainer } from '../models/occlusion.ts';
import { readModelMetadata, scoreOf } from '../models/modelPackage.ts';
import { Scorer } from '../models/scorer.ts';
import type { CompiledConfiguration } from '../operators/configuration.ts';
import { codecs } from '../schemas/codec.ts';
import type { Decision, Verdict } from '../schemas/types.ts';
import type { ModelRoster } from './engine/modelRoster.ts';
import type { Refusal } from './gateway.ts';
import type { DecisionStore, ModelStore } from './ports.ts';

/** What one feature did to a payment's score. */
export interface ExplainedFeature {
  readonly feature: string;
  /** Null: undefined. */
  readonly value: number | null;
  /** The training median; null: most payments have none. */
  readonly usual: number | null;
  readonly contribution: number;
  readonly text: { readonly en: string; readonly zh: string };
}

/** Why a stored decision has its score: computed again, and checked against what is stored. */
export interface DecisionExplanation {
  readonly transactionId: string;
  readonly ledgerOffset: number;
  readonly verdict: Verdict;
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly probability: number;
  /** 0 to 1000, of the model alone. */
  readonly score: number;
  /** treeShap: contributions and mean add up to the margin. occlusion: what the probability loses without the feature; `why` says why. */
  readonly method: 'treeShap' | 'occlusion';
  readonly why: string | null;
  readonly mean: number | null;
  readonly margin: number | null;
  /** The greatest first, whatever their sign. */
  readonly features: readonly ExplainedFeature[];
}

export type ExplanationAnswer =
  | { readonly kind: 'explained'; readonly explanation: DecisionExplanation }
  /** unknown: no such payment. none: it cannot be explained; the refusal says why. */
  | { readonly kind: 'unknown' | 'none'; readonly refusal: Refusal };

export interface DecisionExplainerServices {
  readonly decisions: Pick<DecisionStore, 'find'>;
  readonly models: Pick<ModelStore, 'get'>;
  roster(): ModelRoster;
  configuration(): CompiledConfiguration | null;
}

/**
 * Explains any stored decision that a model scored, approved ones too, from the features that it holds and the very model that scored it.
 * One that the model does not score again to the last bit is not explained: its record or the model is not what it was.
 */
export class DecisionExplainer {
  readonly #services: DecisionExplainerServices;
  /** Of the last explanation: people look at payments of one model. */
  #scorer: Scorer | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(services: DecisionExplainerServices) {
    this.#services = services;
  }

  /** One after the other. */
  explain(transactionId: string): Promise<ExplanationAnswer> {
    const answer = this.#last.then(() => this.#explain(transactionId));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#scorer?.close();
    this.#scorer = null;
  }

  async #explain(transactionId: string): Promise<ExplanationAnswer> {
    const stored = await this.#services.decisions.find(transactionId);
    if (stored === undefined) {
      const message = 'no verdict is known for this transaction id';
      return { kind: 'unknown', refusal: { code: 'SLUICE_TRANSACTION_UNKNOWN', field: 'transactionId', message } };
    }
    const decision = codecs.decision.decode(stored);
    const { modelScore } = decision;
    if (modelScore === null)
      return none('SLUICE_EXPLANATION_NONE', `no model scored this payment: its mode is ${decision.mode}`);
    const scorer = await this.#scorerOf(decision);
    if ('kind' in scorer) return scorer;
    const row = Float32Array.from(decision.features.slice(0, scorer.metadata.inputs.length));
    const [probability = NaN] = await scorer.probabilities(row, 1);
    if (probability !== modelScore) {
      const message = `the model gives ${probability} for the features that the decision holds, and the decision says ${modelScore}: one of them is not what it was`;
      return none('SLUICE_EXPLANATION_DIFFERENT', message);
    }
    return { kind: 'explained', explanation: await this.#explanation(decision, scorer, row, probability) };
  }

  async #explanation(
    decision: Decision,
    scorer: Scorer,
    row: Float32Array,
    probability: number,
  ): Promise<DecisionExplanation> {
    const { metadata, trees, treeShap } = scorer;
    const { id, version, sha256, inputs } = metadata;
    const contributions = new Float64Array(inputs.length);
    let mean: number | null = null;
    if (treeShap !== null) {
      treeShap.explain(row, 0, contributions);
      mean = treeShap.mean;
    } else {
      const [occluded = []] = await new OcclusionExplainer(scorer).explain(row, [probability], inputs.length);
      for (const { feature, contribution } of occluded) contributions[inputs.indexOf(feature)] = contribution;
    }
    const catalogue = this.#services.configuration()?.catalogue ?? null;
    const features = inputs.map((feature, input) => ({
      feature,
      value: numberOrNull(row[input] ?? NaN),
      usual: metadata.baselines[feature] ?? null,
      contribution: contributions[input] ?? 0,
      text: catalogue?.definitions[catalogue.names.indexOf(feature)]?.text ?? { en: feature, zh: feature },
    }));
    return {
      transactionId: decision.transactionId,
      ledgerOffset: decision.ledgerOffset,
      verdict: decision.verdict,
      model: { id, version, sha256 },
      probability,
      score: scoreOf(metadata.calibration, probability),
      method: trees.ok ? 'treeShap' : 'occlusion',
      why: trees.ok ? null : trees.why,
      mean,
      margin: mean === null ? null : contributions.reduce((sum, each) => sum + each, mean),
      features: features
        .filter(({ contribution }) => contribution !== 0)
        .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.feature < b.feature ? -1 : 1)),
    };
  }

  async #scorerOf({ modelId, modelVersion, modelSha256 }: Decision): Promise<Scorer | ExplanationAnswer> {
    const name = `${modelId ?? ''}@${modelVersion ?? ''}`;
    const known = this.#services.roster().find(modelId ?? '', modelVersion ?? '');
    if (known?.promotion.sha256 !== modelSha256)
      return none('SLUICE_MODEL_UNKNOWN', `the model ${name} that scored it is not known any more`);
    const metadata = readModelMetadata(known.promotion.metadata);
    if (this.#scorer?.metadata.sha256 === metadata.sha256 && this.#scorer.metadata.version === metadata.version)
      return this.#scorer;
    const onnx = await this.#services.models.get(metadata.sha256);
    if (onnx === undefined) {
      const message = `the file of ${name} (SHA-256 ${metadata.sha256}) is not in the data folder's models/, or is damaged`;
      return none('SLUICE_MODEL_MISSING', message);
    }
    await this.#scorer?.close();
    this.#scorer = null;
    this.#scorer = await Scorer.load(metadata, onnx);
    return this.#scorer;
  }
}

function none(code: string, message: string): ExplanationAnswer {
  return { kind: 'none', refusal: { code, field: null, message } };
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
