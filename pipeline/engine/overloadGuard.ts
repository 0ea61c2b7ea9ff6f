/**
 * Decides when the engine's lag asks for a posture record. Hysteresis: degrade above `degradeAtRecords`, restore only below
 * `restoreAtRecords`, so that it does not flap; at most one change per `minIntervalMs`. Whether the model is left out now
 * is the ledger's to say, so that it survives a restart.
 */
export class OverloadGuard {
  readonly #settings: OverloadSettings;
  #changedAtMs = -Infinity;

  constructor(settings: OverloadSettings) {
    this.#settings = settings;
  }

  observe(lagRecords: number, isOverloaded: boolean, nowMs: number): 'degrade' | 'restore' | 'keep' {
    const { degradeAtRecords, restoreAtRecords, minIntervalMs } = this.#settings;
    if (nowMs - this.#changedAtMs < minIntervalMs) return 'keep';
    const isWrong = isOverloaded ? lagRecords < restoreAtRecords : lagRecords > degradeAtRecords;
    if (!isWrong) return 'keep';
    this.#changedAtMs = nowMs;
    return isOverloaded ? 'restore' : 'degrade';
  }
}

export interface OverloadSettings {
  readonly degradeAtRecords: number;
  readonly restoreAtRecords: number;
  readonly minIntervalMs: number;
}
