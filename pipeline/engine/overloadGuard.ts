import type { Degradation } from '../../schemas/types.ts';
import { LADDER } from './postureState.ts';

/**
 * Decides when the engine is to take a step of the degradation ladder, which a posture record then makes so. It is behind when
 * too many records wait for it, or when it takes too long over its batches (a slow model). Hysteresis, so that it does not
 * flap: up again only when neither is so by a wide margin, and a step up that does not hold makes the next one wait twice as
 * long. What is left out now is the ledger's to say, so that it survives a restart.
 */
export class OverloadGuard {
  readonly #settings: OverloadSettings;
  /** When the batch that the engine is at began; null: it waits for records. */
  #batchSinceMs: number | null = null;
  #lastBatchMs = 0;
  /** Since when every batch took too long; null: the last one did not. */
  #slowSinceMs: number | null = null;
  #changedAtMs = -Infinity;
  #raisedAtMs: number | null = null;
  #relapses = 0;

  constructor(settings: OverloadSettings) {
    this.#settings = settings;
  }

  /** The engine begins with a batch. */
  begins(nowMs: number): void {
    this.#batchSinceMs = nowMs;
  }

  /** It has decided so many payments. A batch without any says nothing of how long payments take. */
  ends(nowMs: number, payments: number): void {
    const durationMs = nowMs - (this.#batchSinceMs ?? nowMs);
    this.#batchSinceMs = null;
    if (payments > 0) this.#lastBatchMs = durationMs;
  }

  /** What to leave out from here on, in place of what `inForce` leaves out; null: no change. */
  next(lagRecords: number, inForce: Degradation, nowMs: number): Degradation | null {
    const { degradeAtRecords, restoreAtRecords, minIntervalMs, slowBatchMs } = this.#settings;
    // That the batch under way has not taken long yet does not make the last one a fast one.
    const batchMs = Math.max(this.#lastBatchMs, nowMs - (this.#batchSinceMs ?? nowMs));
    if (batchMs <= slowBatchMs) this.#slowSinceMs = null;
    else this.#slowSinceMs ??= nowMs;
    const isSlow = this.#slowSinceMs !== null && nowMs - this.#slowSinceMs >= SUSTAINED_MS;
    const waitedMs = nowMs - this.#changedAtMs;
    if (waitedMs < minIntervalMs) return null;
    const rung = LADDER.indexOf(inForce);
    if (lagRecords > degradeAtRecords || isSlow) return this.#step(LADDER[rung + 1], nowMs, 'down');
    const isWell = lagRecords < restoreAtRecords && this.#slowSinceMs === null;
    if (!isWell || waitedMs < minIntervalMs * (1 << this.#relapses)) return null;
    return this.#step(LADDER[rung - 1], nowMs, 'up');
  }

  #step(to: Degradation | undefined, nowMs: number, direction: 'up' | 'down'): Degradation | null {
    if (to === undefined) return null;
    if (direction === 'up') this.#raisedAtMs = nowMs;
    else if (this.#raisedAtMs !== null) {
      const isRelapse = nowMs - this.#raisedAtMs < RELAPSE_INTERVALS * this.#settings.minIntervalMs;
      this.#relapses = isRelapse ? Math.min(this.#relapses + 1, MAX_RELAPSES) : 0;
      this.#raisedAtMs = null;
    }
    this.#changedAtMs = nowMs;
    return to;
  }
}

export interface OverloadSettings {
  readonly degradeAtRecords: number;
  readonly restoreAtRecords: number;
  readonly minIntervalMs: number;
  /** A batch that takes longer leaves payments no time: half the deadline. */
  readonly slowBatchMs: number;
}

/** Batches must have been slow for so long: one stall of the machine is no overload. */
const SUSTAINED_MS = 250;
/** A step down within so many intervals of the last step up shows that it was too early. */
const RELAPSE_INTERVALS = 10;
/** The longest wait is 2^6 intervals: about a minute. */
const MAX_RELAPSES = 6;
