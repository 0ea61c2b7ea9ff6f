import type { ListDefinition } from '../operators/definitions.ts';
import type { ListState } from '../operators/lists/listState.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import { codecs } from '../schemas/codec.ts';
import { parseJson } from '../schemas/parse.ts';
import type { DeadLetterSubject, Fallback } from '../schemas/types.ts';
import type {
  AcceptAnswer,
  Gateway,
  Readiness,
  PostureState,
  PublicationRequest,
  PublicationState,
  RawInput,
  Refusal,
  RuleSetChange,
  Sender,
  StateAnswer,
  TransactionAnswer,
  VerdictReply,
} from './gateway.ts';
import { maskCardNumbers } from './cardNumbers.ts';
import type { StateReport } from './engine/stateReporter.ts';
import type { ExplanationAnswer } from './decisionExplainer.ts';
import type { ModelGateway } from './modelGateway.ts';
import { appendEvent } from './ingest/appendEvent.ts';
import { deadLetterOf } from './ingest/deadLetter.ts';
import type { IngestContext, IngestServices } from './ingest/ingestContext.ts';
import { ListDesk, type ListDeskServices } from './ingest/listDesk.ts';
import { SnoozeDesk } from './ingest/snoozeDesk.ts';
import { UNKNOWN_TRANSACTION } from './ingest/referToPayment.ts';
import type { ListKeeping } from './listKeeping.ts';
import { withDeadline } from './ingest/withDeadline.ts';
import type { Chain, Outcome } from './outcome.ts';
import type { BacktestState, Backtests } from './backtest/backtests.ts';
import type { BacktestSpan } from './backtest/historyFacts.ts';
import type { Certificate } from './certificate.ts';
import type { Publications } from './publications.ts';
import type { RuleSets } from './ruleSets.ts';
import type {
  PublicationDetails,
  PublicationPage,
  PublicationSummary,
  RuleSetInForce,
  RuleTest,
} from './ruleSetViews.ts';
import type { SnoozeKeeping } from './snoozeKeeping.ts';
import { labelTopology, outcomeTopology, paymentTopology } from './topology.ts';
import { replyOfDecision, replyOfFallback } from './verdictReply.ts';

/** What ingest reads of the engine: never more than a look at its state as of now. */
export interface EngineView {
  readonly lists: ListState;
  readonly declaredLists: readonly ListDefinition[];
  /** Ids of all rules in force. */
  readonly rules: readonly string[];
  readonly ruleSet: string;
  readonly publications: Pick<Publications, 'request' | 'ask' | 'cancel' | 'approve' | 'reject'>;
  readonly backtests: Backtests;
  readonly ruleSets: RuleSets;
  readonly models: ModelGateway;
  explain(transactionId: string): Promise<ExplanationAnswer>;
  certify(transactionId: string): Promise<Certificate | undefined>;
  posture(): PostureState;
  /** Resolves once the engine has taken the record at an offset. */
  taken(ledgerOffset: number): Promise<void>;
  /** Null: there is no feature state yet. */
  stateReport(): Promise<StateReport | null>;
  fallback(transactionId: string): Fallback | undefined;
  readiness(): Readiness;
}

/** Answers gateways and analysts: runs the topologies, and deals with every outcome they can have. */
export class Ingest implements Gateway {
  readonly lists: ListKeeping;
  readonly snoozes: SnoozeKeeping;
  readonly #services: IngestServices;
  readonly #engine: EngineView;

  constructor(services: IngestServices, engine: EngineView) {
    this.#services = services;
    this.#engine = engine;
    const desk: ListDeskServices = {
      lists: () => engine.lists,
      declared: () => engine.declaredLists,
      cardKey: services.cardKey,
      clock: services.clock,
      append: (event, sender) => this.#steer(this.#context(sender), { kind: 'listChange', event }),
    };
    this.lists = new ListDesk(desk);
    this.snoozes = new SnoozeDesk(desk, () => engine.rules);
  }

  get models(): ModelGateway {
    return this.#engine.models;
  }

  async submitTransaction(input: RawInput, sender: Sender): Promise<TransactionAnswer> {
    const notReady = this.#notReady();
    if (notReady !== null) return notReady;
    const context = this.#context(sender);
    const outcome = await paymentTopology.run(context, input);
    switch (outcome.kind) {
      case 'ok':
        return {
          kind: 'verdict',
          verdict:
            outcome.value.kind === 'decision'
              ? replyOfDecision(outcome.value.decision, 'new')
              : replyOfFallback(outcome.value.fallback, this.#engine.ruleSet, 'new'),
        };
      case 'duplicate': {
        this.#services.telemetry.repeated('duplicate');
        const fallback = await this.#fallback(outcome.decision.transactionId);
        return {
          kind: 'verdict',
          verdict:
            fallback === undefined
              ? replyOfDecision(outcome.decision, 'duplicate')
              : replyOfFallback(fallback, this.#engine.ruleSet, 'duplicate'),
        };
      }
      case 'fallbackGiven':
        this.#services.telemetry.repeated('duplicate');
        return { kind: 'verdict', verdict: replyOfFallback(outcome.fallback, this.#engine.ruleSet, 'duplicate') };
      case 'conflict':
        this.#services.telemetry.repeated('conflict');
        await this.#bury(context, 'transaction', input, outcome.refusal, outcome.transactionId);
        return { kind: 'conflict', refusal: outcome.refusal };
      case 'reject':
        await this.#bury(context, 'transaction', input, outcome.refusal, outcome.transactionId);
        return { kind: 'rejected', refusal: outcome.refusal };
      case 'retry':
        this.#services.telemetry.rejected(outcome.refusal.code);
        return { kind: 'unavailable', refusal: outcome.refusal, retryAfterSeconds: outcome.retryAfterSeconds };
    }
  }

  async findVerdict(transactionId: string): Promise<VerdictReply | undefined> {
    const stored = await this.#services.decisions.find(transactionId);
    const fallback = await this.#fallback(transactionId);
    if (fallback !== undefined) return replyOfFallback(fallback, this.#engine.ruleSet, 'new');
    return stored === undefined ? undefined : replyOfDecision(codecs.decision.decode(stored), 'new');
  }

  explain(transactionId: string): Promise<ExplanationAnswer> {
    return this.#engine.explain(transactionId);
  }

  async submitOutcome(input: RawInput, sender: Sender): Promise<AcceptAnswer> {
    return this.#accept('outcome', outcomeTopology, input, sender);
  }

  async submitLabel(input: RawInput, sender: Sender): Promise<AcceptAnswer> {
    return this.#accept('label', labelTopology, input, sender);
  }

  async setPosture(posture: Parameters<Gateway['setPosture']>[0], sender: Sender): Promise<AcceptAnswer> {
    const context = this.#context(sender);
    const parsed = parseJson('posture', {
      eventTimeMs: context.acceptedAtMs,
      ...posture,
      reason: maskCardNumbers(posture.reason),
      author: sender.source,
    });
    if (!parsed.ok) return { kind: 'rejected', refusal: parsed };
    if (posture.expiresAtMs !== null && posture.expiresAtMs <= context.acceptedAtMs)
      return { kind: 'rejected', refusal: refusal('SLUICE_POSTURE_EXPIRED', 'expiresAtMs', 'is in the past') };
    return this.#steer(context, { kind: 'posture', event: parsed.value });
  }

  async publish(request: PublicationRequest, sender: Sender): Promise<Refusal | null> {
    const notReady = this.#notReadyToChange();
    if (notReady !== null) return notReady;
    const { reason, force = null } = request;
    const masked = { reason: maskCardNumbers(reason), force: force === null ? null : maskCardNumbers(force) };
    return this.#engine.publications.request({ ...request, ...masked }, sender.source);
  }

  ruleSet(): RuleSetInForce | null {
    return this.#engine.ruleSets.inForce();
  }

  testRules(change: RuleSetChange): Promise<RuleTest | Refusal> {
    return this.#engine.ruleSets.test(change);
  }

  async changeRules(
    change: RuleSetChange,
    why: Pick<PublicationRequest, 'reason' | 'force'>,
    sender: Sender,
  ): Promise<Refusal | null> {
    const planned = this.#notReadyToChange() ?? (await this.#engine.ruleSets.plan(change));
    return 'code' in planned ? planned : this.publish({ ...planned, ...why }, sender);
  }

  async startBacktest(what: RuleSetChange | { readonly content: string }, span: BacktestSpan): Promise<Refusal | null> {
    const { ruleSets, backtests } = this.#engine;
    const planned = this.#notReadyToChange() ?? ('content' in what ? what : await ruleSets.plan(what));
    if ('code' in planned) return planned;
    const compiled = await ruleSets.compile(planned.content);
    return 'code' in compiled ? compiled : backtests.start(compiled, span);
  }

  backtest(): BacktestState {
    return this.#engine.backtests.state();
  }

  cancelBacktest(): BacktestState {
    return this.#engine.backtests.cancel();
  }

  certificate(transactionId: string): Promise<Certificate | undefined> {
    return this.#engine.certify(transactionId);
  }

  publicationHistory(options: Parameters<Gateway['publicationHistory']>[0]): Promise<PublicationPage> {
    return this.#engine.ruleSets.history(options);
  }

  publicationDetails(ledgerOffset: number): Promise<PublicationDetails | undefined> {
    return this.#engine.ruleSets.details(ledgerOffset);
  }

  proposals(): Promise<readonly PublicationSummary[]> {
    return this.#engine.ruleSets.proposals();
  }

  async answerProposal(
    { ledgerOffset, answer, reason }: Parameters<Gateway['answerProposal']>[0],
    { source }: Sender,
  ): Promise<Refusal | null> {
    const notReady = this.#notReadyToChange();
    if (notReady !== null) return notReady;
    const { publications } = this.#engine;
    const why = maskCardNumbers(reason);
    return answer === 'approve'
      ? publications.approve(ledgerOffset, why, source)
      : publications.reject(ledgerOffset, why, source);
  }

  publication(): PublicationState {
    return this.#engine.publications.ask();
  }

  cancelPublication(): PublicationState {
    return this.#engine.publications.cancel();
  }

  posture(): PostureState {
    return this.#engine.posture();
  }

  async state(): Promise<StateAnswer> {
    const report = await this.#engine.stateReport();
    if (report !== null) return { kind: 'state', report };
    const message = 'no rule set is in force yet';
    return { kind: 'unavailable', refusal: refusal('SLUICE_NOT_READY', null, message), retryAfterSeconds: 1 };
  }

  readiness(): Readiness {
    return this.#engine.readiness();
  }

  /** Until the engine has caught up a retry could not be told from a new payment. */
  #notReady(): Extract<TransactionAnswer, { readonly kind: 'unavailable' }> | null {
    const readiness = this.#engine.readiness();
    if (readiness.ready) return null;
    const message = `not ready: ${readiness.reason}`;
    this.#services.telemetry.rejected('SLUICE_NOT_READY');
    return { kind: 'unavailable', refusal: refusal('SLUICE_NOT_READY', null, message), retryAfterSeconds: 1 };
  }

  #notReadyToChange(): Refusal | null {
    if (this.#engine.readiness().ready) return null;
    return refusal('SLUICE_NOT_READY', null, 'not ready: try again in a moment');
  }

  #context(sender: Sender): IngestContext {
    return { services: this.#services, sender, acceptedAtMs: this.#services.clock() };
  }

  async #accept(
    subject: 'outcome' | 'label',
    topology: Chain<IngestContext, RawInput, number>,
    input: RawInput,
    sender: Sender,
  ): Promise<AcceptAnswer> {
    const notReady = this.#notReady();
    if (notReady !== null) return notReady;
    const context = this.#context(sender);
    const outcome = await topology.run(context, input);
    if (outcome.kind === 'reject') {
      await this.#bury(context, subject, input, outcome.refusal, outcome.transactionId);
      const kind = outcome.refusal.code === UNKNOWN_TRANSACTION ? 'unknownTransaction' : 'rejected';
      return { kind, refusal: outcome.refusal };
    }
    return this.#answerAppend(outcome);
  }

  /** Writes what changes decisions, and waits until the engine has taken it: whoever looks then sees it. */
  async #steer(context: IngestContext, event: LedgerEvent): Promise<AcceptAnswer> {
    const answer = this.#answerAppend(await appendEvent(context, event));
    if (answer.kind === 'accepted') {
      const taken = this.#engine.taken(answer.ledgerOffset).then(() => undefined);
      await withDeadline(taken, MAX_STEERING_WAIT_MS);
    }
    return answer;
  }

  #answerAppend(outcome: Outcome<number>): AcceptAnswer {
    switch (outcome.kind) {
      case 'ok':
        return { kind: 'accepted', ledgerOffset: outcome.value };
      case 'retry':
        this.#services.telemetry.rejected(outcome.refusal.code);
        return { kind: 'unavailable', refusal: outcome.refusal, retryAfterSeconds: outcome.retryAfterSeconds };
      case 'reject':
      case 'conflict':
        return { kind: 'rejected', refusal: outcome.refusal };
      case 'duplicate':
        return { kind: 'accepted', ledgerOffset: outcome.decision.ledgerOffset };
      case 'fallbackGiven':
        return { kind: 'accepted', ledgerOffset: outcome.fallback.transactionOffset };
    }
  }

  /** What the gateway was told at a deadline stands, whatever was decided later. */
  async #fallback(transactionId: string): Promise<Fallback | undefined> {
    return (await this.#services.fallbacks.find(transactionId)) ?? this.#engine.fallback(transactionId);
  }

  /** Keeps what was refused. When even that cannot be written the metric and the caller's error reply remain. */
  async #bury(
    context: IngestContext,
    subject: DeadLetterSubject,
    input: RawInput,
    why: Refusal,
    transactionId: string | null,
  ): Promise<void> {
    this.#services.telemetry.rejected(why.code);
    const event = deadLetterOf(context.sender, context.acceptedAtMs, subject, input, why, transactionId);
    await appendEvent(context, { kind: 'deadLetter', event });
  }
}

/** An engine that is far behind takes longer; what was written holds all the same. */
const MAX_STEERING_WAIT_MS = 5_000;

function refusal(code: string, field: string | null, message: string): Refusal {
  return { code, field, message };
}
