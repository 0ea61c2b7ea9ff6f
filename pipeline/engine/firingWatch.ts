import type { RuleDefinition } from '../../operators/definitions.ts';
import { canonicalJson } from '../../operators/canonicalJson.ts';
import type { Decision } from '../../schemas/types.ts';

/** When a rule is said to fire too often, and what then happens. */
export interface FiringLimits {
  /** How many times its usual share of payments. */
  readonly times: number;
  /** Firings in the recent minutes below which nothing is said: few may be chance. */
  readonly minFirings: number;
  /** Put the rule into shadow by a publication. */
  readonly demote: boolean;
}

/** A rule that fires far more often than it usually does. */
export interface FiringExcess {
  readonly rule: string;
  readonly recentFirings: number;
  readonly recentPayments: number;
  readonly usualFirings: number;
  readonly usualPayments: number;
  /** How many times its usual share it has now. */
  readonly times: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** What is held against what is usual: this and the last minutes of the engine's time. */
export const RECENT_MINUTES = 10;
/** What is usual: the hours before that. Bounds memory, with the number of rules: 168 x 500 numbers. */
export const USUAL_HOURS = 168;
/** Payments from which on a share is usual. */
export const MIN_USUAL_PAYMENTS = 1_000;

interface Span {
  payments: number;
  readonly firings: Map<string, number>;
}

/**
 * Counts which live rules fire, by the engine's time, and says which do so far more often than they usually do. Decisions may come in
 * any order. What it says follows from the decisions it was told, and so from the ledger; it changes no decision itself.
 */
export class FiringWatch {
  readonly #minutes = new Map<number, Span>();
  readonly #hours = new Map<number, Span>();
  /** Each rule as it is in force, and since which minute. */
  #rules = new Map<string, { readonly content: string; readonly sinceMinute: number }>();
  #minute = -1;
  #checkedMinute = -1;

  /** The rules in force from now on. What a changed rule did before says nothing about it. */
  rulesAre(rules: readonly RuleDefinition[]): void {
    const known = this.#rules;
    this.#rules = new Map(
      rules.map((rule) => {
        const content = contentOf(rule);
        const was = known.get(rule.id);
        if (was?.content === content) return [rule.id, was];
        for (const span of [...this.#minutes.values(), ...this.#hours.values()]) span.firings.delete(rule.id);
        // Before the first decision, all that is to come is of the rules as they are.
        return [rule.id, { content, sinceMinute: this.#minute < 0 ? -1 : this.#minute + 1 }];
      }),
    );
  }

  observe({ status, engineTimeMs, rulesFired }: Pick<Decision, 'status' | 'engineTimeMs' | 'rulesFired'>): void {
    if (status !== 'new') return;
    const minute = Math.floor(engineTimeMs / MINUTE_MS);
    if (minute > this.#minute) this.#moveTo(minute);
    const hour = Math.floor(engineTimeMs / HOUR_MS);
    const isRecent = minute > this.#minute - RECENT_MINUTES;
    if (!isRecent && hour <= this.#hour - USUAL_HOURS) return;
    const span = isRecent ? spanOf(this.#minutes, minute) : spanOf(this.#hours, hour);
    span.payments += 1;
    for (const { rule, mode, snoozed } of rulesFired)
      if (mode === 'live' && !snoozed && this.#rules.has(rule))
        span.firings.set(rule, (span.firings.get(rule) ?? 0) + 1);
  }

  /** Whether a minute of the engine's time has gone by since the last question. */
  get isDue(): boolean {
    return this.#minute > this.#checkedMinute;
  }

  /** Rules over the limit now, in the order of their ids. */
  check({ times, minFirings }: FiringLimits): readonly FiringExcess[] {
    this.#checkedMinute = this.#minute;
    const recent = sumOf(this.#minutes.values());
    const found: FiringExcess[] = [];
    for (const [rule, recentFirings] of [...recent.firings].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const known = this.#rules.get(rule);
      if (known === undefined || recentFirings < minFirings) continue;
      // A rule that was changed within the recent minutes has no usual share, nor has one before there were enough payments.
      const firstHour = Math.ceil((known.sinceMinute * MINUTE_MS) / HOUR_MS);
      let usualPayments = 0;
      let usualFirings = 0;
      for (const [hour, { payments, firings }] of this.#hours) {
        if (hour < firstHour) continue;
        usualPayments += payments;
        usualFirings += firings.get(rule) ?? 0;
      }
      if (usualPayments < MIN_USUAL_PAYMENTS) continue;
      // One more than were seen: a rule that never fired in 1,000 payments may well fire in one of 1,000.
      const factor = (recentFirings * (usualPayments + 1)) / ((usualFirings + 1) * recent.payments);
      if (factor < times) continue;
      const counts = { recentFirings, recentPayments: recent.payments, usualFirings, usualPayments };
      found.push({ rule, ...counts, times: factor });
    }
    return found;
  }

  get #hour(): number {
    return Math.floor((this.#minute * MINUTE_MS) / HOUR_MS);
  }

  /** Minutes that are no longer recent join their hours; hours that are too old are forgotten. */
  #moveTo(minute: number): void {
    this.#minute = minute;
    for (const [old, span] of this.#minutes) {
      if (old > minute - RECENT_MINUTES) continue;
      this.#minutes.delete(old);
      const hour = spanOf(this.#hours, Math.floor((old * MINUTE_MS) / HOUR_MS));
      hour.payments += span.payments;
      for (const [rule, firings] of span.firings) hour.firings.set(rule, (hour.firings.get(rule) ?? 0) + firings);
    }
    for (const hour of this.#hours.keys()) if (hour <= this.#hour - USUAL_HOURS) this.#hours.delete(hour);
  }
}

/** What decides how often a rule fires and counts; not its texts, owner or examples. */
function contentOf({ when, params, mode, rollout }: RuleDefinition): string {
  return canonicalJson({ when, params, mode, rollout });
}

function spanOf(spans: Map<number, Span>, place: number): Span {
  const known = spans.get(place);
  if (known !== undefined) return known;
  const span = { payments: 0, firings: new Map<string, number>() };
  spans.set(place, span);
  return span;
}

function sumOf(spans: Iterable<Span>): Span {
  const sum: Span = { payments: 0, firings: new Map() };
  for (const { payments, firings } of spans) {
    sum.payments += payments;
    for (const [rule, count] of firings) sum.firings.set(rule, (sum.firings.get(rule) ?? 0) + count);
  }
  return sum;
}
