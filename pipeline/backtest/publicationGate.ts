import { canonicalJson } from '../../operators/canonicalJson.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../../operators/definitions.ts';
import { deed } from '../../operators/rules/ruleChanges.ts';
import { backtest } from './backtest.ts';
import { capacityExcess, excessText, forcedReason } from './capacityGate.ts';
import { NoHistoryError, type HistoryRows } from './historyFacts.ts';
import type { ReviewSettings } from './reviewSettings.ts';

/** Days of history that a publication is tried on. */
export const GATE_DAYS = 30;

/** Gives what asks the history, until the signal aborts; null: there is none here. */
export type OpenHistory = (signal: AbortSignal) => HistoryRows | null;

/** Alerts a day that the review team gets, before a publication and after. */
export interface AlertsPerDay {
  readonly before: number;
  readonly after: number;
  readonly capacityPerDay: number;
}

export interface GatedReason {
  /** What the ledger is to keep. */
  readonly reason: string;
  /** Null: not known, as where there is no history yet. */
  readonly alerts: AlertsPerDay | null;
}

/**
 * Before a publication or proposal: refuses what, by a backtest over the last days, would give the review team more alerts a day than it
 * has declared to work off (review.capacityPerDay), or of which that cannot be told, unless somebody says why it is to be all the same.
 */
export class PublicationGate {
  readonly #review: ReviewSettings;
  readonly #openHistory: OpenHistory;

  constructor(review: ReviewSettings, openHistory: OpenHistory) {
    this.#review = review;
    this.#openHistory = openHistory;
  }

  /** Whether `pass` has anything to find out: what cannot put more rules to work waits for no history. */
  isAsked(before: CompiledConfiguration | null, after: CompiledConfiguration): boolean {
    return this.#review.capacityPerDay !== null && before !== null && mayAddAlerts(before.definition, after.definition);
  }

  /** Throws with SLUICE_CAPACITY where it must not be. */
  async pass(
    after: CompiledConfiguration,
    { reason, force }: { readonly reason: string; readonly force: string | null },
    signal: AbortSignal,
  ): Promise<GatedReason> {
    const { said, alerts } = await this.#against(after, signal);
    signal.throwIfAborted();
    if (said === null) return { reason, alerts };
    if (force !== null) return { reason: forcedReason(said, force, reason), alerts };
    throw new Error(
      `SLUICE_CAPACITY: ${said}; look at the backtest, and if it must be in force all the same say why in force (--force "...")`,
    );
  }

  /** What stands against it, in words. */
  async #against(
    after: CompiledConfiguration,
    signal: AbortSignal,
  ): Promise<{ readonly said: string | null; readonly alerts: AlertsPerDay | null }> {
    const rows = this.#openHistory(signal);
    if (rows === null)
      return {
        said: 'how many alerts a day this makes cannot be told: Sluice runs without a history',
        alerts: null,
      };
    try {
      const report = await backtest(after, { kind: 'days', days: GATE_DAYS }, this.#review, rows);
      const excess = capacityExcess(report);
      const capacityPerDay = this.#review.capacityPerDay ?? Infinity;
      const alerts = { before: report.alerts.before.perDay, after: report.alerts.after.perDay, capacityPerDay };
      return { said: excess === null ? null : excessText(excess), alerts };
    } catch (error) {
      if (error instanceof NoHistoryError) return { said: null, alerts: null };
      const why = error instanceof Error ? error.message : String(error);
      return { said: `how many alerts a day this makes cannot be told: ${why}`, alerts: null };
    }
  }
}

/**
 * Whether a change may make more payments alerts: a rule counts that did not, for more accounts than before or otherwise, or what
 * decides beside the rules differs. Turning rules off is never held up.
 */
export function mayAddAlerts(before: ConfigurationDefinition, after: ConfigurationDefinition): boolean {
  const isOther = (one: unknown, other: unknown): boolean => canonicalJson(one) !== canonicalJson(other);
  if (isOther(before.policy, after.policy) || isOther(before.lists, after.lists)) return true;
  const features = new Map(after.features.map((feature) => [feature.name, feature]));
  if (before.features.some((feature) => isOther(feature, features.get(feature.name) ?? null))) return true;
  const rules = new Map(before.rules.map((rule) => [rule.id, rule]));
  return after.rules.some((rule) => rule.mode === 'live' && !isWithin(rule, rules.get(rule.id)));
}

/** Whether the rule counts for nothing that it did not count for. */
function isWithin(rule: RuleDefinition, before: RuleDefinition | undefined): boolean {
  if (rule.rollout === 0) return true;
  if (before?.mode !== 'live' || rule.rollout > before.rollout) return false;
  return deed(rule) === deed(before);
}
