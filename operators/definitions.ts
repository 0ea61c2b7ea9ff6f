/**
 * What a deployment declares, after parsing: the shapes of features.yaml, rules/*.yaml and sluice.yaml's lists and policy.
 * A rule-set publication carries a ConfigurationDefinition whole, as canonical JSON, so that a ledger explains itself.
 */
import type { RiskLevel, RuleMode, Verdict } from '../schemas/types.ts';
import type { Aggregate } from './features/aggregates.ts';

export type EntityName = 'account' | 'card' | 'device' | 'ip' | 'merchant' | 'terminal' | 'payee';

/** One line of the feature catalogue. Durations are milliseconds here and `10m`, `7d` in YAML. */
export interface FeatureDefinition {
  readonly name: string;
  readonly aggregate: Aggregate;
  /** The window's key: one entity or a tuple. Absent for `ratio` and `expression`. */
  readonly entity?: readonly EntityName[];
  /**
   * The field aggregated: amountMinor for numbers (netAmountMinor: less refunds); for first and last a number attribute too; for distinct,
   * seenBefore and topShare any entity or string field.
   */
  readonly of?: string;
  /** CEL, for `expression`. */
  readonly expression?: string;
  /** For `ratio`: names of features declared above. */
  readonly numerator?: string;
  readonly denominator?: string;
  readonly windowMs?: number;
  readonly delayMs?: number;
  /** CEL over tx, and over what became known of it: label ('none', 'fraud', 'genuine'), outcome ('none', 'declined' and so on), reversed. */
  readonly where?: string;
  /** Whether the payment being decided counts; by default as aggregateTraits has it. */
  readonly includeCurrent?: boolean;
  /** The value when no event is in the window; by default as aggregateTraits has it (for ratio and expression NaN). */
  readonly whenEmpty?: number;
  /** What the feature says, for analysts and reasons. */
  readonly text?: LocalizedText;
}

export interface LocalizedText {
  readonly en: string;
  readonly zh: string;
}

export interface RuleDefinition {
  readonly id: string;
  readonly version: number;
  readonly owner: string;
  /** CEL over tx, f, m, p and list(name, value). */
  readonly when: string;
  readonly params: Readonly<Record<string, number | string | boolean | readonly string[]>>;
  readonly then: { readonly verdict: Verdict; readonly score: number; readonly code: string };
  readonly text: LocalizedText;
  /** The group that its score counts in; a rule of a group may leave its verdict at approve: then it only adds points. */
  readonly group?: string;
  readonly mode: RuleMode;
  /** Percent of accounts for which the rule counts, sticky by account (by card, else by transaction, where there is none). */
  readonly rollout: number;
  readonly examples: readonly RuleExample[];
}

/** `given` fills tx, f, m and lists; what it leaves out is null or NaN. Runs as a test. */
export interface RuleExample {
  readonly given: {
    readonly tx?: Readonly<Record<string, unknown>>;
    readonly f?: Readonly<Record<string, number>>;
    readonly m?: { readonly score: number };
    readonly lists?: Readonly<Record<string, readonly string[]>>;
  };
  readonly expect: 'fires' | 'silent';
}

/** What of a payment a list is about. Lists of `ip` take addresses and CIDR blocks, lists of `bin` prefixes and ranges. */
export type ListEntity = EntityName | 'bin' | 'country' | 'mcc' | `attributes.${string}`;

export interface ListDefinition {
  readonly name: string;
  /** block: decline; allow: approve, over rules and model, but not over block; watch: only rules read it. */
  readonly kind: 'block' | 'allow' | 'watch';
  readonly entity: ListEntity;
  /** What people enter is hashed before it is kept, as gateways hash what they send: see listValue.ts. */
  readonly hashed?: 'sha256';
  readonly text: LocalizedText;
}

/** Model score (0 to 1000) from which a verdict is given, per risk level. */
export interface Thresholds {
  readonly challenge: number;
  readonly review: number;
  readonly decline: number;
}

export interface PolicyDefinition {
  readonly thresholds: Readonly<Record<RiskLevel, Thresholds>>;
  /** At most so many reasons in a verdict. */
  readonly maxReasons: number;
  /** Rules whose scores add up. */
  readonly ruleGroups?: readonly RuleGroupDefinition[];
  /** Absent: every decline is one. */
  readonly letThrough?: LetThroughDefinition;
}

/** Rules that each say a little: their scores add up to the group's points. See rules/ruleGroups.ts. */
export interface RuleGroupDefinition {
  readonly id: string;
  /** Percent. */
  readonly weight: number;
  /** At most so many points. */
  readonly cap: number;
  readonly text: LocalizedText;
}

/** Which payments that rules or model would decline are approved all the same, so that their labels tell how good declines are. */
export interface LetThroughDefinition {
  /** Percent of accounts, sticky. */
  readonly percent: number;
  /** The greatest amount, in minor units, by currency. Payments in other currencies are never let through. */
  readonly maxAmountMinor: Readonly<Record<string, number>>;
  /** Another salt chooses other accounts. */
  readonly salt: string;
}

export interface ConfigurationDefinition {
  readonly ruleSetVersion: string;
  /** Events later than this are flagged and counted at engine time minus this. */
  readonly latenessMs: number;
  /** How many recent transaction ids are kept to recognise retries. */
  readonly recentIds: number;
  /** People, beside its author, who must agree before another configuration takes this one's place. Default 0. */
  readonly approvals?: 0 | 1;
  readonly features: readonly FeatureDefinition[];
  readonly rules: readonly RuleDefinition[];
  readonly lists: readonly ListDefinition[];
  readonly policy: PolicyDefinition;
}

/** One fault in what a user wrote. `path` leads to it inside the file's document, for the line number. */
export interface ConfigurationProblem {
  /** Stable code, e.g. SLUICE_RULE_TYPE. */
  readonly code: string;
  readonly section: 'features' | 'rules' | 'lists' | 'policy' | 'settings' | 'model';
  /** Index of the feature, rule or list in its section. */
  readonly index?: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] };
