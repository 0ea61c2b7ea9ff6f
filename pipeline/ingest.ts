import { maxListEntries, type ListState } from '../operators/lists/listState.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import { codecs } from '../schemas/codec.ts';
import { parseJson } from '../schemas/parse.ts';
import type { DeadLetterSubject, Fallback } from '../schemas/types.ts';
import type {
  AcceptAnswer,
  Gateway,
  Readiness,
  ListEntry,
  ListSummary,
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
import { appendEvent } from './ingest/appendEvent.ts';
import { deadLetterOf } from './ingest/deadLetter.ts';
import type { IngestContext, IngestServices } from './ingest/ingestContext.ts';
import { UNKNOWN_TRANSACTION } from './ingest/referToPayment.ts';
import type { Chain, Outcome } from './outcome.ts';
import { withoutCardNumber } from './toTransaction.ts';
import type { Publications } from './publications.ts';
import type { RuleSets } from './ruleSets.ts';
import type {
  PublicationDetails,
  PublicationPage,
  PublicationSummary,
  RuleSetInForce,
  RuleTest,
} from './ruleSetViews.ts';
import { labelTopology, outcomeTopology, paymentTopology } from './topology.ts';
import { replyOfDecision, replyOfFallback } from './verdictReply.ts';

/** What ingest reads of the engine: never more than a look at its state as of now. */
export interface EngineView {
  readonly lists: ListState;
  readonly declaredLists: readonly {
    readonly name: string;
    readonly kind: ListSummary['kind'];
    readonly entity: string;
  }[];
  readonly ruleSet: string;
  readonly publications: Pick<Publications, 'request' | 'ask' | 'cancel' | 'approve' | 'reject'>;
  readonly ruleSets: RuleSets;
  posture(): PostureState;
  /** Null: there is no feature state yet. */
  stateReport(): Promise<StateReport | null>;
  fallback(transactionId: string): Fallback | undefined;
  readiness(): Readiness;
}

/** Answers gateways and analysts: runs the topologies, and deals with every outcome they can have. */
export class Ingest implements Gateway {
  readonly #services: IngestServices;
  readonly #engine: EngineView;

  constructor(services: IngestServices, engine: EngineView) {
    this.#services = services;
    this.#engine = engine;
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

  async submitOutcome(input: RawInput, sender: Sender): Promise<AcceptAnswer> {
    return this.#accept('outcome', outcomeTopology, input, sender);
  }

  async submitLabel(input: RawInput, sender: Sender): Promise<AcceptAnswer> {
    return this.#accept('label', labelTopology, input, sender);
  }

  lists(): readonly ListSummary[] {
    return this.#engine.declaredLists.map(({ name, kind, entity }) => ({
      name,
      kind,
      entity,
      entries: this.#engine.lists.count(name),
    }));
  }

  listEntries(
    list: string,
    { after, limit }: { readonly after: string | null; readonly limit: number },
  ): readonly ListEntry[] | undefined {
    if (!this.#isDeclared(list)) return undefined;
    const cursor = after === null ? null : this.#engine.lists.cursorOf(list, this.#tokenised(after));
    return this.#engine.lists.page(list, cursor, limit).entries.map(toListEntry);
  }

  listEntry(list: string, value: string): ListEntry | undefined {
    const entry = this.#engine.lists.get(list, this.#tokenised(value));
    return entry === undefined ? undefined : toListEntry(entry);
  }

  async changeList(change: Parameters<Gateway['changeList']>[0], sender: Sender): Promise<AcceptAnswer> {
    const context = this.#context(sender);
    const value = this.#tokenised(change.value);
    const parsed = parseJson('listChange', {
      eventTimeMs: context.acceptedAtMs,
      list: change.list,
      value,
      action: change.action,
      expiresAtMs: change.expiresAtMs,
      author: sender.source,
      reason: maskCardNumbers(change.reason),
    });
    if (!parsed.ok) return { kind: 'rejected', refusal: parsed };
    if (!this.#isDeclared(change.list)) {
      return { kind: 'rejected', refusal: refusal('SLUICE_LIST_UNKNOWN', 'list', 'sluice.yaml declares no such list') };
    }
    if (change.action === 'put' && this.#isFull(change.list, value)) {
      const message = `the list holds its most, ${String(maxListEntries)} entries; take some off first`;
      return { kind: 'rejected', refusal: refusal('SLUICE_LIST_FULL', 'list', message) };
    }
    return this.#appendEvent(context, { kind: 'listChange', event: parsed.value });
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
    return this.#appendEvent(context, { kind: 'posture', event: parsed.value });
  }

  async publish(request: PublicationRequest, sender: Sender): Promise<Refusal | null> {
    const notReady = this.#notReadyToChange();
    if (notReady !== null) return notReady;
    return this.#engine.publications.request({ ...request, reason: maskCardNumbers(request.reason) }, sender.source);
  }

  ruleSet(): RuleSetInForce | null {
    return this.#engine.ruleSets.inForce();
  }

  testRules(change: RuleSetChange): Promise<RuleTest | Refusal> {
    return this.#engine.ruleSets.test(change);
  }

  async changeRules(change: RuleSetChange, reason: string, sender: Sender): Promise<Refusal | null> {
    const planned = this.#notReadyToChange() ?? (await this.#engine.ruleSets.plan(change));
    return 'code' in planned ? planned : this.publish({ ...planned, reason }, sender);
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

  #isDeclared(list: string): boolean {
    return this.#engine.declaredLists.some(({ name }) => name === list);
  }

  #isFull(list: string, value: string): boolean {
    const { lists } = this.#engine;
    return lists.get(list, value) === undefined && lists.count(list) >= maxListEntries;
  }

  /** A card number is only ever known here by its token. */
  #tokenised(value: string): string {
    return withoutCardNumber(value, this.#services.cardKey);
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

  async #appendEvent(context: IngestContext, event: LedgerEvent): Promise<AcceptAnswer> {
    return this.#answerAppend(await appendEvent(context, event));
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

function refusal(code: string, field: string | null, message: string): Refusal {
  return { code, field, message };
}

function toListEntry(entry: {
  readonly value: string;
  readonly expiresAtMs: number | null;
  readonly author: string;
  readonly reason: string;
  readonly addedAtMs: number;
}): ListEntry {
  const { value, expiresAtMs, author, reason, addedAtMs } = entry;
  return { value, expiresAtMs, author, reason, sinceMs: addedAtMs };
}
