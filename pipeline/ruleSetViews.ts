import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';
import type { RuleChange } from '../operators/rules/ruleChanges.ts';
import type { PublicationEntry } from './engine/publicationLog.ts';
import type { Refusal } from './gateway.ts';

/** The rule set in force. */
export interface RuleSetInForce {
  readonly version: string;
  readonly sha256: string;
  /** From which it decides. */
  readonly ledgerOffset: number;
  readonly author: string;
  readonly reason: string;
  readonly sinceMs: number;
  /** People, beside its author, who must agree to a change. */
  readonly approvals: number;
  /** That the next change gets. */
  readonly nextVersion: string;
  /** That were in use before, in any step. */
  readonly versions: readonly string[];
  readonly rules: readonly RuleDefinition[];
}

/** One step of a configuration on its way into force: who, when, why, and what it changes of what was in force then. */
export interface PublicationSummary extends Omit<PublicationEntry, 'eventTimeMs'> {
  readonly timeMs: number;
  readonly changes: readonly RuleChange[];
  /** What else differs, in words. */
  readonly others: readonly string[];
}

export interface PublicationPage {
  readonly publications: readonly PublicationSummary[];
  /** Give it as `before` for the next page; null: this is the last. */
  readonly next: number | null;
}

export interface PublicationDetails extends PublicationSummary {
  readonly configuration: ConfigurationDefinition;
  /** Of the rules, unified. */
  readonly diff: string;
}

/** What a change would do. With problems it would be refused. */
export interface RuleTest {
  readonly problems: readonly Refusal[];
  readonly changes: readonly RuleChange[];
  readonly others: readonly string[];
  readonly diff: string;
}
