import { setImmediate } from 'node:timers/promises';
import type { CompiledConfiguration } from '../operators/configuration.ts';
import { codecs } from '../schemas/codec.ts';
import type { Decision } from '../schemas/types.ts';
import { FiringWatch, RECENT_MINUTES, type FiringExcess, type FiringLimits } from './engine/firingWatch.ts';
import type { PublicationRequest, Refusal, RuleSetChange } from './gateway.ts';
import type { DecisionStore, Logger, Telemetry } from './ports.ts';
import type { PlannedChange } from './ruleSets.ts';

/** Author of the publications that put a rule into shadow. No API key can have this id. */
export const FIRING_AUTHOR = 'sluice:firing-limit';

export interface FiringGuardServices {
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'firingAlert' | 'gauge'>;
  readonly decisions: Pick<DecisionStore, 'read' | 'lastOffset'>;
  readonly configuration: () => CompiledConfiguration | null;
  readonly plan: (change: RuleSetChange) => Promise<PlannedChange | Refusal>;
  readonly request: (publication: PublicationRequest, author: string) => Promise<Refusal | null>;
}

/** Offsets of stored decisions that a start reads to know what is usual. */
const READ_BACK_OFFSETS = 50_000;
const READ_OFFSETS = 64;

/**
 * Says when a rule fires far more often than usual, and puts it into shadow where that is asked for: by a publication like any other,
 * made of the rule set in force. So it takes effect at one offset, replays give the same, a second instance's has no effect, and
 * people undo it as they undo a publication.
 */
export class FiringGuard {
  readonly #services: FiringGuardServices;
  readonly #limits: FiringLimits;
  readonly #watch = new FiringWatch();
  readonly #alerted = new Set<string>();
  /** Rules whose shadow was asked for, until they are no longer over: a second person may take a while. */
  readonly #asked = new Set<string>();
  #configuration: CompiledConfiguration | null = null;
  #excesses: readonly FiringExcess[] = [];
  #reading: Promise<void> = Promise.resolve();
  #isReading = false;
  #demoting: Promise<void> = Promise.resolve();
  #isDemoting = false;

  constructor(services: FiringGuardServices, limits: FiringLimits) {
    this.#services = services;
    this.#limits = limits;
  }

  /** What is wrong now, for people; null: nothing. */
  get warning(): string | null {
    return this.#excesses.length === 0 ? null : this.#excesses.map(excessText).join('; ');
  }

  observe(decision: Decision): void {
    const configuration = this.#services.configuration();
    if (configuration !== this.#configuration) {
      this.#configuration = configuration;
      this.#watch.rulesAre(configuration?.definition.rules ?? []);
    }
    this.#watch.observe(decision);
  }

  /**
   * Begins to read the newest stored decisions back, those of the rule set in force, so that a start forgets little of what is usual.
   * What is decided meanwhile is counted too, in whatever order it comes.
   */
  readBack(signal: AbortSignal): void {
    this.#isReading = true;
    this.#reading = this.#readBack(signal)
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#services.logger.warn({ why }, 'how often rules usually fire could not be read back: it is learnt anew');
      })
      .finally(() => {
        this.#isReading = false;
      });
  }

  /** Looks once a minute of the engine's time; not at what is read back, which was so long ago. */
  check(): void {
    if (this.#isReading || !this.#watch.isDue) return;
    const { logger, telemetry } = this.#services;
    this.#excesses = this.#watch.check(this.#limits);
    telemetry.gauge('rulesOverLimit', this.#excesses.length);
    const over = new Set(this.#excesses.map(({ rule }) => rule));
    for (const told of [this.#alerted, this.#asked]) for (const rule of told) if (!over.has(rule)) told.delete(rule);
    for (const excess of this.#excesses) {
      if (this.#alerted.has(excess.rule)) continue;
      this.#alerted.add(excess.rule);
      telemetry.firingAlert(excess.rule);
      logger.warn({ ...excess, times: Math.round(excess.times) }, excessText(excess));
    }
    const next = this.#excesses.find(({ rule }) => this.#isLive(rule) && !this.#asked.has(rule));
    if (!this.#limits.demote || next === undefined || this.#isDemoting) return;
    this.#isDemoting = true;
    this.#demoting = this.#demote(next)
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        logger.warn({ rule: next.rule, why }, `rule ${next.rule} could not be put into shadow: ${why}`);
      })
      .finally(() => {
        this.#isDemoting = false;
      });
  }

  /** Resolves when nothing is being read or asked for. */
  async settled(): Promise<void> {
    await this.#reading;
    await this.#demoting;
  }

  async #readBack(signal: AbortSignal): Promise<void> {
    const { decisions, configuration } = this.#services;
    const sha256 = configuration()?.sha256;
    const end = decisions.lastOffset() + 1;
    for (let from = Math.max(0, end - READ_BACK_OFFSETS); from < end && !signal.aborted; from += READ_OFFSETS) {
      for (const { value } of await decisions.read(from, Math.min(end, from + READ_OFFSETS))) {
        const decoded = codecs.decision.tryDecode(value);
        if (decoded.ok && decoded.value.ruleSetSha256 === sha256) this.observe(decoded.value);
      }
      // Payments have their turn.
      await setImmediate();
    }
  }

  #isLive(rule: string): boolean {
    const { rules = [] } = this.#services.configuration()?.definition ?? {};
    return rules.some(({ id, mode }) => id === rule && mode === 'live');
  }

  /** One at a time: the next minute asks for what is still over the limit, or was refused because people were publishing. */
  async #demote(excess: FiringExcess): Promise<void> {
    const { plan, request, logger } = this.#services;
    const { rule } = excess;
    const planned = await plan({ kind: 'set', rule, mode: 'shadow', rollout: null });
    const reason = excessText(excess);
    const refusal = 'code' in planned ? planned : await request({ ...planned, reason }, FIRING_AUTHOR);
    if (refusal === null) {
      this.#asked.add(rule);
      logger.warn({ rule }, `rule ${rule} is put into shadow, or proposed for it: ${reason}`);
    } else logger.warn({ rule, code: refusal.code }, `rule ${rule} could not be put into shadow: ${refusal.message}`);
  }
}

function excessText({ rule, times, recentFirings, recentPayments, usualFirings, usualPayments }: FiringExcess): string {
  return (
    `rule ${rule} fires ${Math.round(times)} times as often as usual: on ${recentFirings} of ${recentPayments} payments in ` +
    `${RECENT_MINUTES} minutes, before on ${usualFirings} of ${usualPayments}`
  );
}
