import type { RuleMode } from '../../schemas/types.ts';
import type { BacktestVerdict } from './verdictSql.ts';

/** Money by currency, in minor units. */
export type Amounts = Readonly<Record<string, number>>;

/** Payments by what they are known to be by now. */
export interface LabelCounts {
  readonly fraud: number;
  readonly genuine: number;
  readonly unlabelled: number;
}

/** Payments with one verdict before and one after. */
export interface VerdictFlow extends LabelCounts {
  readonly before: BacktestVerdict;
  readonly after: BacktestVerdict;
  readonly payments: number;
  readonly amountMinor: Amounts;
}

/** How well not approving tells fraud. Shares are null where there is nothing to divide by. */
export interface Quality extends LabelCounts {
  /** Frauds among the labelled ones. */
  readonly precision: number | null;
  /** Frauds among all: what precision is at least, if everything unlabelled is genuine. */
  readonly precisionAtLeast: number | null;
  /** Of the labelled frauds. */
  readonly recall: number | null;
}

/** What the change does with one currency's money, minor units. Stopped: approved before, and not after; freed: the other way. */
export interface MoneyLine {
  readonly currency: string;
  readonly fraudStopped: number;
  readonly fraudLetThrough: number;
  readonly genuineStopped: number;
  readonly genuineFreed: number;
  readonly unlabelledStopped: number;
  readonly unlabelledFreed: number;
}

export interface AlertLoad {
  readonly alerts: number;
  /** Over the span's days, at least one: of less than a day no daily rate can be told. */
  readonly perDay: number;
  /** The UTC day with the most. */
  readonly busiestDay: string | null;
  readonly onBusiestDay: number;
  /** UTC days on which there were more than the capacity. */
  readonly daysOverCapacity: number | null;
}

/** A rule in one of the two rule sets. */
export interface RuleOutcome extends LabelCounts {
  readonly version: number;
  readonly mode: RuleMode;
  readonly rollout: number;
  readonly hits: number;
  /** It failed to evaluate, and so did not fire. */
  readonly failed: number;
  /** History does not hold what it reads. */
  readonly unknown: number;
}

/** Null where the rule set does not have the rule. */
export interface RuleLine {
  readonly rule: string;
  readonly before: RuleOutcome | null;
  readonly after: RuleOutcome | null;
}

/** One payment whose verdict changes. */
export interface BacktestExample {
  readonly ledgerOffset: number;
  readonly transactionId: string;
  readonly eventTimeMs: number;
  readonly amountMinor: number;
  readonly currency: string;
  readonly label: 'fraud' | 'genuine' | 'unlabelled';
  readonly before: BacktestVerdict;
  readonly after: BacktestVerdict;
  /** What each verdict came from: `rule:card-velocity`, `model:812`, `list:blocked-cards`. */
  readonly becauseBefore: readonly string[];
  readonly becauseAfter: readonly string[];
}

/** What publishing a rule set would have changed, had it decided over the span instead of the one in force. */
export interface BacktestReport {
  readonly before: { readonly version: string; readonly sha256: string };
  readonly after: { readonly version: string; readonly sha256: string };
  readonly span: {
    readonly fromOffset: number;
    readonly toOffset: number;
    readonly payments: number;
    readonly firstTimeMs: number;
    readonly lastTimeMs: number;
    readonly days: number;
  };
  readonly changed: number;
  /** Payments of which one of the two verdicts cannot be told from history. */
  readonly unknown: number;
  readonly labels: LabelCounts;
  readonly flows: readonly VerdictFlow[];
  readonly quality: {
    readonly before: Quality;
    readonly after: Quality;
    /** Approved before, not after. Recall: of the frauds approved before. */
    readonly newlyStopped: Quality;
    /** Not approved before, approved after. */
    readonly newlyApproved: LabelCounts;
  };
  readonly money: readonly MoneyLine[];
  readonly alerts: {
    /** Verdicts that are work for the review team. */
    readonly verdicts: readonly BacktestVerdict[];
    readonly capacityPerDay: number | null;
    readonly before: AlertLoad;
    readonly after: AlertLoad;
  };
  readonly rules: readonly RuleLine[];
  readonly examples: readonly BacktestExample[];
  /** Payments decided by the rule set in force, and on how many of them its verdict comes out as it was recorded. */
  readonly check: { readonly payments: number; readonly equal: number };
  /** What history cannot tell, in sentences. */
  readonly notes: readonly string[];
}
