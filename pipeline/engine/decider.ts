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
import type { ModelShare } from './engineModels.ts';
import { ModelLane } from './modelLane.ts';
import type { WaitingPayment, WaitingPayments } from './waitingPayments.ts';

/** The models that can score the configuration's features. */
export interface DecidingModels {
  readonly champion: Scorer | null;
  /** The challenger that scores a share of the accounts in its place. */
  readonly share: ModelShare | null;
}

/**
 * The dear half of the engine: rules and model over the payments that wait, under one configuration and the same models. Each
 * payment is decided with lists and posture as of its own engine time.
 */
export class Decider {
  readonly #configuration: CompiledConfiguration;
  readonly #champion: ModelLane | null;
  readonly #challenger: ModelLane | null;
  readonly #share: ModelShare | null;
  readonly #context: EvaluationContext;
  readonly #lists: ListState;
  readonly #rules = emptyRuleResults();
  readonly #listHits: ListDefinition[] = [];
  /** Features of a row. */
  readonly #width: number;

  constructor(configuration: CompiledConfiguration, models: DecidingModels, lists: ListState, maxBatch: number) {
    this.#configuration = configuration;
    const lane = (scorer: Scorer | null): ModelLane | null =>
      scorer === null ? null : new ModelLane(configuration, scorer, maxBatch);
    this.#share = models.share;
    this.#champion = lane(models.champion);
    this.#challenger = lane(models.share?.scorer ?? null);
    this.#lists = lists;
    this.#width = configuration.catalogue.names.length;
    // The bare payment only stands in until the first one is evaluated.
    this.#context = bareContext({ lists });
  }

  /** Decisions on all waiting payments, in order. */
  async decide(waiting: WaitingPayments): Promise<Decision[]> {
    const probabilities = new Float64Array(waiting.payments.length).fill(NaN);
    await this.#score(waiting, probabilities);
    const decisions: Decision[] = [];
    for (const payment of waiting.payments) {
      const probability = probabilities[payment.row] ?? NaN;
      const lane = Number.isNaN(probability) ? null : this.#laneOf(payment);
      const input = this.#evaluate(payment, waiting.features, probability, lane);
      decisions.push(this.#record(payment, input, probability, lane));
    }
    return decisions;
  }

  /** Sets a payment's probability, by row; it stays NaN where the model is left out. */
  async #score(waiting: WaitingPayments, probabilities: Float64Array): Promise<void> {
    const full = waiting.payments.filter((payment) => payment.degradation === 'full');
    for (const lane of [this.#champion, this.#challenger]) {
      if (lane === null) continue;
      const own = this.#challenger === null ? full : full.filter((payment) => this.#laneOf(payment) === lane);
      if (own.length > 0) await lane.score(waiting, own, probabilities);
    }
  }

  /** The model that scores this payment's account. */
  #laneOf({ transaction }: WaitingPayment): ModelLane | null {
    return this.#share?.has(transaction) === true ? this.#challenger : this.#champion;
  }

  /** Rules and lists on one payment; what they found stays in #context, #rules and #listHits until the next. */
  #evaluate(payment: WaitingPayment, features: Float64Array, probability: number, lane: ModelLane | null): PolicyInput {
    const { ruleSet, lists } = this.#configuration;
    const context = this.#context;
    context.tx = payment.transaction;
    context.features = features;
    context.featureBase = payment.row * this.#width;
    context.modelProbability = probability;
    context.modelScore = lane === null ? NaN : lane.scorer.score(probability);
    this.#lists.timeMs = payment.engineTimeMs;
    ruleSet.evaluate(context, this.#rules);
    lists.find(payment.transaction, this.#lists, this.#listHits);
    return {
      transaction: payment.transaction,
      listHits: this.#listHits,
      firedRules: this.#rules.live,
      modelScore: context.modelScore,
      modelReasons: NO_REASONS,
      riskLevel: payment.riskLevel,
    };
  }

  #record(payment: WaitingPayment, input: PolicyInput, probability: number, lane: ModelLane | null): Decision {
    const { policy, catalogue, definition, sha256 } = this.#configuration;
    const scorer = lane === null ? null : lane.scorer;
    const { features, featureBase } = this.#context;
    const decided = policy.decide(input);
    const isApproved = decided.verdict === 'approve' && decided.letThrough === null;
    const explained = lane === null || isApproved ? null : lane.explain(payment.row, features, featureBase);
    // The model's reasons change what is said, never the verdict: most payments are approved and need none.
    const { verdict, score, reasons, letThrough, points } =
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
      letThrough,
      rulesFired: [...this.#rules.fired],
      rulePoints: points.total,
      groupScores: points.groups,
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
