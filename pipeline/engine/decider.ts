import { bareContext } from '../../operators/cel/bareContext.ts';
import type { EvaluationContext } from '../../operators/cel/context.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import type { ListDefinition } from '../../operators/definitions.ts';
import type { ListState } from '../../operators/lists/listState.ts';
import type { PolicyInput } from '../../operators/policy.ts';
import { emptyRuleResults } from '../../operators/rules/ruleSet.ts';
import type { Scorer } from '../../models/scorer.ts';
import type { Decision, DecisionMode, Reason } from '../../schemas/types.ts';
import { copyFeatures } from './copyFeatures.ts';
import { ModelExplainer } from './modelExplainer.ts';
import type { WaitingPayment, WaitingPayments } from './waitingPayments.ts';

/**
 * The dear half of the engine: rules and model over the payments that wait, under one configuration and one model. Each
 * payment is decided with lists and posture as of its own engine time.
 */
export class Decider {
  readonly #configuration: CompiledConfiguration;
  readonly #scorer: Scorer | null;
  readonly #explainer: ModelExplainer | null;
  readonly #context: EvaluationContext;
  readonly #lists: ListState;
  readonly #rules = emptyRuleResults();
  readonly #listHits: ListDefinition[] = [];
  readonly #modelRows: Float32Array;
  /** Features of a row, and how many of them, from the first on, the model takes. */
  readonly #width: number;
  readonly #modelWidth: number;

  constructor(configuration: CompiledConfiguration, scorer: Scorer | null, lists: ListState, maxBatch: number) {
    this.#configuration = configuration;
    this.#scorer = scorer;
    this.#explainer = scorer === null ? null : new ModelExplainer(configuration, scorer);
    this.#lists = lists;
    this.#width = configuration.catalogue.names.length;
    this.#modelWidth = scorer?.metadata.inputs.length ?? 0;
    this.#modelRows = new Float32Array(maxBatch * this.#modelWidth);
    // The bare payment only stands in until the first one is evaluated.
    this.#context = bareContext({ lists });
  }

  /** Decisions on all waiting payments, in order. */
  async decide(waiting: WaitingPayments): Promise<Decision[]> {
    const probabilities = await this.#score(waiting);
    await this.#explainer?.prepare(waiting, probabilities);
    const decisions: Decision[] = [];
    for (const payment of waiting.payments) {
      const probability = probabilities[payment.row] ?? NaN;
      const input = this.#evaluate(payment, waiting.features, probability);
      decisions.push(this.#record(payment, input, probability));
    }
    return decisions;
  }

  /** The model's probability by row; NaN where the model is left out. */
  async #score(waiting: WaitingPayments): Promise<Float64Array> {
    const probabilities = new Float64Array(waiting.payments.length).fill(NaN);
    const scorer = this.#scorer;
    if (scorer === null) return probabilities;
    const scored = waiting.payments.filter((payment) => payment.degradation === 'full');
    if (scored.length === 0) return probabilities;
    scored.forEach((payment, index) => {
      const base = payment.row * this.#width;
      this.#modelRows.set(waiting.features.subarray(base, base + this.#modelWidth), index * this.#modelWidth);
    });
    const results = await scorer.probabilities(this.#modelRows, scored.length);
    scored.forEach((payment, index) => {
      probabilities[payment.row] = results[index] ?? NaN;
    });
    return probabilities;
  }

  /** Rules and lists on one payment; what they found stays in #context, #rules and #listHits until the next. */
  #evaluate(payment: WaitingPayment, features: Float64Array, probability: number): PolicyInput {
    const { ruleSet, lists } = this.#configuration;
    const context = this.#context;
    context.tx = payment.transaction;
    context.features = features;
    context.featureBase = payment.row * this.#width;
    context.modelProbability = probability;
    context.modelScore = this.#scorer === null || Number.isNaN(probability) ? NaN : this.#scorer.score(probability);
    this.#lists.timeMs = payment.engineTimeMs;
    ruleSet.evaluate(context, this.#rules);
    lists.find(payment.transaction, this.#lists, this.#listHits);
    return {
      listHits: this.#listHits,
      firedRules: this.#rules.live,
      modelScore: context.modelScore,
      modelReasons: NO_REASONS,
      riskLevel: payment.riskLevel,
    };
  }

  #record(payment: WaitingPayment, input: PolicyInput, probability: number): Decision {
    const { policy, catalogue, definition, sha256 } = this.#configuration;
    const scorer = Number.isNaN(probability) ? null : this.#scorer;
    const { features, featureBase } = this.#context;
    const decided = policy.decide(input);
    const explainer = scorer === null || decided.verdict === 'approve' ? null : this.#explainer;
    const explained = explainer === null ? null : explainer.explain(payment.row, features, featureBase);
    // The model's reasons change what is said, never the verdict: most payments are approved and need none.
    const { verdict, score, reasons } =
      explained === null ? decided : policy.decide({ ...input, modelReasons: explained.reasons });
    return {
      ledgerOffset: payment.ledgerOffset,
      transactionId: payment.transaction.transactionId,
      status: 'new',
      originalOffset: null,
      contentHash: payment.contentHash,
      engineTimeMs: payment.engineTimeMs,
      late: payment.isLate,
      verdict,
      score,
      modelScore: scorer === null ? null : probability,
      mode: modeOf(payment, scorer),
      riskLevel: payment.riskLevel,
      degraded: this.#degraded(scorer),
      reasons,
      rulesFired: [...this.#rules.fired],
      ruleErrors: [...this.#rules.errors],
      ruleSet: definition.ruleSetVersion,
      ruleSetSha256: sha256,
      modelId: scorer?.metadata.id ?? null,
      modelVersion: scorer?.metadata.version ?? null,
      modelSha256: scorer?.metadata.sha256 ?? null,
      catalogueSha256: catalogue.sha256,
      explanation: explained?.explanation ?? null,
      features: copyFeatures(features, featureBase, this.#width),
    };
  }

  #degraded(scorer: Scorer | null): readonly string[] {
    const failed = this.#rules.errors.map((error) => error.rule);
    return scorer === null ? ['model', ...failed] : failed;
  }
}

function modeOf(payment: WaitingPayment, scorer: Scorer | null): DecisionMode {
  if (scorer !== null) return 'full';
  return payment.degradation === 'rulesOnly' ? 'rulesOnly' : 'noModel';
}

const NO_REASONS: readonly Reason[] = [];
