/**
 * Decides when the engine's lag asks for a posture record. Hysteresis: degrade above `degradeAtRecords`, restore only below
 * `restoreAtRecords`, so that it does not flap; at most one change per `minIntervalMs`.
 */
export class OverloadGuard {
  readonly #settings: OverloadSettings;
  #degraded = false;
  #changedAtMs = -Infinity;

  constructor(settings: OverloadSettings) {
    this.#settings = settings;
  }

  observe(lagRecords: number, nowMs: number): 'degrade' | 'restore' | 'keep' {
    if (nowMs - this.#changedAtMs < this.#settings.minIntervalMs) return 'keep';
    if (!this.#degraded && lagRecords > this.#settings.degradeAtRecords) return this.#change(true, nowMs);
    if (this.#degraded && lagRecords < this.#settings.restoreAtRecords) return this.#change(false, nowMs);
    return 'keep';
  }

  #change(degraded: boolean, nowMs: number): 'degrade' | 'restore' {
    this.#degraded = degraded;
    this.#changedAtMs = nowMs;
    return degraded ? 'degrade' : 'restore';
  }
}

export interface OverloadSettings {
  readonly degradeAtRecords: number;
  readonly restoreAtRecords: number;
  readonly minIntervalMs: number;
}
