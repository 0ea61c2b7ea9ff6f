/**
 * What a gateway, or an analyst keeping lists, can ask of a running Sluice, whatever the transport. infra/http puts it
 * on HTTP; pipeline/ingest.ts answers it.
 */
import type { RuleDefinition } from '../operators/definitions.ts';
import type { AlertsPerDay } from './backtest/publicationGate.ts';
import type { BacktestState } from './backtest/backtests.ts';
import type { BacktestSpan } from './backtest/historyFacts.ts';
import type { Certificate } from './certificate.ts';
import type { StateReport } from './engine/stateReporter.ts';
import type { ListKeeping } from './listKeeping.ts';
import type { SnoozeKeeping } from './snoozeKeeping.ts';
import type { ExplanationAnswer } from './decisionExplainer.ts';
import type { ModelGateway } from './modelGateway.ts';
import type { Degradation, DecisionMode, Reason, RiskLevel, RuleMode, Verdict } from '../schemas/types.ts';
import type {
  PublicationDetails,
  PublicationPage,
  PublicationSummary,
  RuleSetInForce,
  RuleTest,
} from './ruleSetViews.ts';

/** Input as it came. `jsonText` and `avro` are the bytes received; `json` is one element of an already parsed batch. */
export type RawInput =
  | { readonly format: 'jsonText'; readonly bytes: Buffer }
  | { readonly format: 'json'; readonly value: unknown }
  | { readonly format: 'avro'; readonly bytes: Buffer };

export interface Sender {
  /** The API key's id, or import:NAME. */
  readonly source: string;
  readonly contentType: string;
}

/** A verdict as the gateway sees it (DESIGN section 4). Fields of a reason that are null are left out in JSON. */
export interface VerdictReply {
  readonly transactionId: string;
  readonly verdict: Verdict;
  readonly score: number;
  /** duplicate: this transaction id was decided before, and this is that verdict. */
  readonly status: 'new' | 'duplicate';
  readonly mode: DecisionMode;
  readonly degraded: readonly string[];
  readonly reasons: readonly Reason[];
  readonly ruleSet: string;
  readonly model: { readonly id: string; readonly version: string } | null;
  /** Null for a fallback verdict whose payment could not be written in time. */
  readonly ledgerOffset: number | null;
}

/** Why an input was not accepted. `field` names the field at fault; `message` never repeats its value. */
export interface Refusal {
  readonly code: string;
  readonly field: string | null;
  readonly message: string;
}

export type TransactionAnswer =
  | { readonly kind: 'verdict'; readonly verdict: VerdictReply }
  /** 409: the id was used for other content. */
  | { readonly kind: 'conflict'; readonly refusal: Refusal }
  /** 400: a dead letter was written. */
  | { readonly kind: 'rejected'; readonly refusal: Refusal }
  /** 503 with Retry-After: no verdict was given. Sending the same payment again is always safe. */
  | { readonly kind: 'unavailable'; readonly refusal: Refusal; readonly retryAfterSeconds: number };

export type AcceptAnswer =
  | { readonly kind: 'accepted'; readonly ledgerOffset: number }
  | { readonly kind: 'rejected'; readonly refusal: Refusal }
  | { readonly kind: 'unknownTransaction'; readonly refusal: Refusal }
  | { readonly kind: 'unavailable'; readonly refusal: Refusal; readonly retryAfterSeconds: number };

export interface PostureState {
  readonly riskLevel: RiskLevel;
  readonly degradation: Degradation;
  readonly expiresAtMs: number | null;
  readonly author: string;
  readonly reason: string;
  /** When it was set; null when none ever was. */
  readonly sinceMs: number | null;
}

export type StateAnswer =
  | { readonly kind: 'state'; readonly report: StateReport }
  | { readonly kind: 'unavailable'; readonly refusal: Refusal; readonly retryAfterSeconds: number };

export interface PublicationRequest {
  /** The whole configuration as JSON: catalogue, rules, lists, policy. */
  readonly content: string;
  /** SHA-256 of the configuration that this one was made from: refused when another is in force. Null: whatever is. */
  readonly replaces: string | null;
  readonly reason: string;
  /** Why it is to be published though the review team could not work off its alerts, or though that cannot be told. */
  readonly force?: string | null;
}

/** A change of the rules in force: of how one counts, of what they say, or back to a version that decided before. */
export type RuleSetChange =
  | {
      readonly kind: 'set';
      readonly rule: string;
      /** Null: as it is. */
      readonly mode: RuleMode | null;
      readonly rollout: number | null;
    }
  | { readonly kind: 'rules'; readonly rules: readonly RuleDefinition[]; readonly removed: readonly string[] }
  /** Null: the version before the one in force. */
  | { readonly kind: 'rollback'; readonly version: string | null };

/** How far the publication that was asked for last has come. */
export interface PublicationState {
  /**
   * backtesting: whether the review team can work off its alerts is being found out. backfilling: the state of a new catalogue is being built from the ledger, while decisions go on under the old one.
   * published: in force from `ledgerOffset` on. proposed: waits for a second person; `ledgerOffset` is what it is called by.
   * rejected: a proposal was. failed: nothing changed; `error` says why.
   */
  readonly stage:
    'none' | 'backtesting' | 'backfilling' | 'publishing' | 'published' | 'proposed' | 'rejected' | 'failed';
  readonly version: string | null;
  readonly ledgerOffset: number | null;
  /** Ledger records that the new state has taken in, and how many there are. */
  readonly doneRecords: number;
  readonly totalRecords: number;
  /** The longest time for which it has held decisions up so far, milliseconds. */
  readonly heldMs: number;
  /** What its backtest found; null where none was needed, or there is no history yet. */
  readonly alertsPerDay: AlertsPerDay | null;
  readonly error: string | null;
}

/** Ready: the engine has caught up with the ledger. The reason says what is missing, the warning what somebody must mend. */
export type Readiness =
  | {
      readonly ready: true;
      readonly warning: string | null;
      readonly posture: Pick<PostureState, 'riskLevel' | 'degradation'>;
    }
  | { readonly ready: false; readonly reason: string };

export interface Gateway {
  /** Which models score, and changes of that. */
  readonly models: ModelGateway;
  submitTransaction(input: RawInput, sender: Sender): Promise<TransactionAnswer>;
  findVerdict(transactionId: string): Promise<VerdictReply | undefined>;
  /** Why a decided payment has its score. */
  explain(transactionId: string): Promise<ExplanationAnswer>;
  submitOutcome(input: RawInput, sender: Sender): Promise<AcceptAnswer>;
  submitLabel(input: RawInput, sender: Sender): Promise<AcceptAnswer>;
  readonly lists: ListKeeping;
  readonly snoozes: SnoozeKeeping;
  setPosture(
    posture: {
      readonly riskLevel: RiskLevel;
      readonly degradation: Degradation;
      readonly expiresAtMs: number | null;
      readonly reason: string;
    },
    sender: Sender,
  ): Promise<AcceptAnswer>;
  /** Begins to publish a configuration; a refusal when it cannot be. */
  publish(request: PublicationRequest, sender: Sender): Promise<Refusal | null>;
  publication(): PublicationState;
  /** Null: none is yet. */
  ruleSet(): RuleSetInForce | null;
  /** What a change would do; a refusal when it names what there is not. */
  testRules(change: RuleSetChange): Promise<RuleTest | Refusal>;
  /** Begins to publish a change of what is in force, as `publish` does. */
  changeRules(
    change: RuleSetChange,
    why: Pick<PublicationRequest, 'reason' | 'force'>,
    sender: Sender,
  ): Promise<Refusal | null>;
  /** Begins to find out what a change, or a configuration as JSON, would have changed over a span of history. */
  startBacktest(what: RuleSetChange | { readonly content: string }, span: BacktestSpan): Promise<Refusal | null>;
  backtest(): BacktestState;
  cancelBacktest(): BacktestState;
  /** Everything that the first decision on a payment came from; undefined when there is none. */
  certificate(transactionId: string): Promise<Certificate | undefined>;
  /** Steps of configurations into force, newest first, from before a ledger offset; of one rule: those that changed it. */
  publicationHistory(options: {
    readonly before: number | null;
    readonly limit: number;
    readonly rule: string | null;
  }): Promise<PublicationPage>;
  publicationDetails(ledgerOffset: number): Promise<PublicationDetails | undefined>;
  /** Those that wait for a second person. */
  proposals(): Promise<readonly PublicationSummary[]>;
  /** Begins to put a proposal into force, or ends it. */
  answerProposal(
    proposal: { readonly ledgerOffset: number; readonly answer: 'approve' | 'reject'; readonly reason: string },
    sender: Sender,
  ): Promise<Refusal | null>;
  /** Gives up a publication that is not in the ledger yet. */
  cancelPublication(): PublicationState;
  /** The posture as the engine has it now: normal and full unless one was set. */
  posture(): PostureState;
  /** What the feature windows hold: looks at every key, a few at a time. */
  state(): Promise<StateAnswer>;
  readiness(): Readiness;
}
