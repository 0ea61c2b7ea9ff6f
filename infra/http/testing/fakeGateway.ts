import type { FeatureState } from '../../../operators/features/featureState.ts';
import { StateReporter } from '../../../pipeline/engine/stateReporter.ts';
import type { ExplanationAnswer } from '../../../pipeline/decisionExplainer.ts';
import type { BacktestState } from '../../../pipeline/backtest/backtests.ts';
import type { BacktestSpan } from '../../../pipeline/backtest/historyFacts.ts';
import type { Certificate } from '../../../pipeline/certificate.ts';
import type { ModelGateway } from '../../../pipeline/modelGateway.ts';
import { FakeModels } from './fakeModels.ts';
import type {
  AcceptAnswer,
  Gateway,
  Readiness,
  PostureState,
  PublicationRequest,
  PublicationState,
  Refusal,
  RawInput,
  RuleSetChange,
  Sender,
  StateAnswer,
  TransactionAnswer,
  VerdictReply,
} from '../../../pipeline/gateway.ts';
import type {
  PublicationDetails,
  PublicationPage,
  PublicationSummary,
  RuleSetInForce,
  RuleTest,
} from '../../../pipeline/ruleSetViews.ts';
import type {
  ListChangeRequest,
  ListEntry,
  ListHit,
  ListKeeping,
  ListPage,
  ListSummary,
} from '../../../pipeline/listKeeping.ts';
import type { Snooze, SnoozeEnd, SnoozeKeeping, SnoozePage, SnoozeRequest } from '../../../pipeline/snoozeKeeping.ts';

/** One list in memory, in the order in which entries came. */
class FakeLists implements ListKeeping {
  readonly entries = new Map<string, ListEntry>();

  summaries(): readonly ListSummary[] {
    return [{ name: 'blocked-cards', kind: 'block', entity: 'card', entries: this.entries.size }];
  }

  page(_list: string, after: string | null, limit: number): ListPage | undefined {
    const from = Number(after ?? 0);
    if (Number.isNaN(from)) return undefined;
    const entries = [...this.entries.values()].slice(from, from + limit);
    return { entries, next: from + limit < this.entries.size ? String(from + limit) : null };
  }

  find(_list: string, value: string): ListEntry | undefined {
    return this.entries.get(value);
  }

  check(value: string): readonly ListHit[] {
    const entry = this.entries.get(value);
    return entry === undefined ? [] : [{ list: 'blocked-cards', kind: 'block', entity: 'card', entry }];
  }

  change({ action, reason, expiresAtMs, entries }: ListChangeRequest, { source }: Sender): Promise<AcceptAnswer> {
    for (const entry of entries) {
      const { value } = entry;
      const kept = { value, reason: entry.reason ?? reason, expiresAtMs: entry.expiresAtMs ?? expiresAtMs };
      if (action === 'put') this.entries.set(value, { ...kept, author: source, sinceMs: 1_767_225_600_000 });
      else this.entries.delete(value);
    }
    return Promise.resolve({ kind: 'accepted', ledgerOffset: 7 });
  }
}

/** Snoozes in memory. */
class FakeSnoozes implements SnoozeKeeping {
  readonly held: Snooze[] = [];

  page(): SnoozePage {
    return { snoozes: this.held, next: null };
  }

  add(snooze: SnoozeRequest, { source }: Sender): Promise<AcceptAnswer> {
    this.held.push({ ...snooze, author: source, sinceMs: 1_767_225_600_000 });
    return Promise.resolve({ kind: 'accepted', ledgerOffset: 10 });
  }

  end({ rule }: SnoozeEnd): Promise<AcceptAnswer> {
    const index = this.held.findIndex((each) => each.rule === rule);
    this.held.splice(index, 1);
    return Promise.resolve({ kind: 'accepted', ledgerOffset: 11 });
  }
}

/** A gateway in memory: approves everything, remembers everything it was given. */
export class FakeGateway implements Gateway {
  readonly received: { readonly input: RawInput; readonly sender: Sender }[] = [];
  readonly verdicts = new Map<string, { readonly content: string; readonly reply: VerdictReply }>();
  readonly lists = new FakeLists();
  readonly snoozes = new FakeSnoozes();
  readonly publications: PublicationRequest[] = [];
  readonly backtests: BacktestSpan[] = [];
  readonly changes: RuleSetChange[] = [];
  readonly models: ModelGateway = new FakeModels();
  /** Set to answer every submission with it. */
  nextAnswer: TransactionAnswer | undefined;
  /** Set to hold every submission until it resolves. */
  gate: Promise<void> | undefined;
  isReady = true;
  features: FeatureState | null = null;
  warning: string | null = null;
  failure: Error | undefined;
  #posture: PostureState = {
    riskLevel: 'normal',
    degradation: 'full',
    expiresAtMs: null,
    author: '',
    reason: '',
    sinceMs: null,
  };

  async submitTransaction(input: RawInput, sender: Sender): Promise<TransactionAnswer> {
    this.received.push({ input, sender });
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    if (this.nextAnswer !== undefined) return this.nextAnswer;
    const value = parsed(input);
    const transactionId: unknown =
      typeof value === 'object' && value !== null ? Reflect.get(value, 'transactionId') : undefined;
    if (typeof transactionId !== 'string') {
      return {
        kind: 'rejected',
        refusal: { code: 'SLUICE_INPUT_INVALID', field: 'transactionId', message: 'is required' },
      };
    }
    const content = JSON.stringify(value);
    const known = this.verdicts.get(transactionId);
    if (known === undefined) {
      const reply = approval(transactionId, this.verdicts.size);
      this.verdicts.set(transactionId, { content, reply });
      return { kind: 'verdict', verdict: reply };
    }
    if (known.content === content) return { kind: 'verdict', verdict: { ...known.reply, status: 'duplicate' } };
    return {
      kind: 'conflict',
      refusal: { code: 'SLUICE_TRANSACTION_CONFLICT', field: 'transactionId', message: 'was used for other content' },
    };
  }

  findVerdict(transactionId: string): Promise<VerdictReply | undefined> {
    return Promise.resolve(this.verdicts.get(transactionId)?.reply);
  }

  explain(): Promise<ExplanationAnswer> {
    const message = 'as the test wants it';
    return Promise.resolve({ kind: 'unknown', refusal: { code: 'SLUICE_TRANSACTION_UNKNOWN', field: null, message } });
  }

  submitOutcome(input: RawInput, sender: Sender): Promise<AcceptAnswer> {
    return this.#accept(input, sender);
  }

  submitLabel(input: RawInput, sender: Sender): Promise<AcceptAnswer> {
    return this.#accept(input, sender);
  }

  publish(request: PublicationRequest): Promise<Refusal | null> {
    if (this.publications.length > 0)
      return Promise.resolve({ code: 'SLUICE_PUBLICATION_BUSY', field: null, message: 'one at a time' });
    this.publications.push(request);
    return Promise.resolve(null);
  }

  cancelPublication(): PublicationState {
    this.publications.length = 0;
    return this.publication();
  }

  publication(): PublicationState {
    const stage = this.publications.length > 0 ? 'backfilling' : 'none';
    return {
      stage,
      version: null,
      ledgerOffset: null,
      doneRecords: 1,
      totalRecords: 2,
      heldMs: 0,
      alertsPerDay: null,
      error: null,
    };
  }

  ruleSet(): RuleSetInForce | null {
    return this.isReady
      ? { ...STEP, sinceMs: 1_767_225_600_000, approvals: 1, nextVersion: '2', versions: ['1'], rules: [] }
      : null;
  }

  testRules(change: RuleSetChange): Promise<RuleTest | Refusal> {
    this.changes.push(change);
    return Promise.resolve({ problems: [], changes: [], others: [], diff: '' });
  }

  changeRules(change: RuleSetChange, why: Pick<PublicationRequest, 'reason' | 'force'>): Promise<Refusal | null> {
    this.changes.push(change);
    return this.publish({ content: '{}', replaces: null, ...why });
  }

  startBacktest(_what: RuleSetChange | { readonly content: string }, span: BacktestSpan): Promise<Refusal | null> {
    if (this.backtests.length > 0)
      return Promise.resolve({ code: 'SLUICE_BACKTEST_BUSY', field: null, message: 'one at a time' });
    this.backtests.push(span);
    return Promise.resolve(null);
  }

  backtest(): BacktestState {
    const stage = this.backtests.length > 0 ? 'deciding' : 'none';
    return { stage, startedMs: null, elapsedMs: null, error: null, report: null };
  }

  cancelBacktest(): BacktestState {
    this.backtests.length = 0;
    return this.backtest();
  }

  certificate(): Promise<Certificate | undefined> {
    return Promise.resolve(undefined);
  }

  publicationHistory(options: Parameters<Gateway['publicationHistory']>[0]): Promise<PublicationPage> {
    return Promise.resolve({ publications: [SUMMARY].slice(0, options.limit), next: options.before });
  }

  publicationDetails(ledgerOffset: number): Promise<PublicationDetails | undefined> {
    const configuration = { ruleSetVersion: '1', latenessMs: 0, recentIds: 1, features: [], rules: [], lists: [] };
    const level = { challenge: 1, review: 2, decline: 3 };
    const policy = { thresholds: { normal: level, elevated: level, lockdown: level }, maxReasons: 1 };
    return Promise.resolve(
      ledgerOffset === SUMMARY.ledgerOffset
        ? { ...SUMMARY, configuration: { ...configuration, policy }, diff: '' }
        : undefined,
    );
  }

  proposals(): Promise<readonly PublicationSummary[]> {
    return Promise.resolve([SUMMARY]);
  }

  answerProposal(
    { ledgerOffset }: Parameters<Gateway['answerProposal']>[0],
    { source }: Sender,
  ): Promise<Refusal | null> {
    const known = ledgerOffset === SUMMARY.ledgerOffset;
    if (known && source !== SUMMARY.author) return Promise.resolve(null);
    const code = known ? 'SLUICE_PROPOSAL_OWN' : 'SLUICE_PROPOSAL_UNKNOWN';
    return Promise.resolve({ code, field: null, message: 'cannot be answered' });
  }

  posture(): PostureState {
    return this.#posture;
  }

  setPosture(posture: Parameters<Gateway['setPosture']>[0], sender: Sender): Promise<AcceptAnswer> {
    this.#posture = { ...posture, author: sender.source, sinceMs: 1_767_225_600_000 };
    return Promise.resolve({ kind: 'accepted', ledgerOffset: 8 });
  }

  async state(): Promise<StateAnswer> {
    const report = await new StateReporter(() => ({ features: this.features, refusedIds: 0 })).report();
    if (report !== null) return { kind: 'state', report };
    const refusal = { code: 'SLUICE_NOT_READY', field: null, message: 'no rule set is in force yet' };
    return { kind: 'unavailable', refusal, retryAfterSeconds: 1 };
  }

  readiness(): Readiness {
    return this.isReady
      ? { ready: true, warning: this.warning, posture: { riskLevel: 'normal', degradation: 'full' } }
      : { ready: false, reason: 'the engine is 120 records behind the ledger' };
  }

  #accept(input: RawInput, sender: Sender): Promise<AcceptAnswer> {
    this.received.push({ input, sender });
    const value = parsed(input);
    const id: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'transactionId') : undefined;
    if (typeof id !== 'string') {
      return Promise.resolve({
        kind: 'rejected',
        refusal: { code: 'SLUICE_INPUT_INVALID', field: 'transactionId', message: 'is required' },
      });
    }
    return Promise.resolve(
      this.verdicts.has(id)
        ? { kind: 'accepted', ledgerOffset: 9 }
        : {
            kind: 'unknownTransaction',
            refusal: { code: 'SLUICE_TRANSACTION_UNKNOWN', field: 'transactionId', message: 'is not known' },
          },
    );
  }
}

const STEP = { version: '1', sha256: 'a'.repeat(64), ledgerOffset: 5, author: 'analyst', reason: '' };
const SUMMARY: PublicationSummary = {
  ...STEP,
  ...{ step: 'propose', effect: 'open', replaces: '', proposalOffset: null, timeMs: 1_767_225_600_000 },
  changes: [{ rule: 'r', from: null, to: { version: 1, mode: 'shadow', rollout: 100 }, fields: [] }],
  others: [],
};

export function approval(transactionId: string, ledgerOffset: number): VerdictReply {
  return {
    transactionId,
    verdict: 'approve',
    score: 12,
    status: 'new',
    mode: 'full',
    degraded: [],
    reasons: [],
    ruleSet: '2026-11.1',
    model: { id: 'default', version: '1' },
    ledgerOffset,
  };
}

function parsed(input: RawInput): unknown {
  if (input.format === 'json') return input.value;
  if (input.format === 'avro') return { transactionId: `avro-${input.bytes.length}` };
  try {
    return JSON.parse(input.bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
