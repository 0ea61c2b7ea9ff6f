import type { Degradation, Posture, RiskLevel } from '../../schemas/types.ts';

/** The last posture record, which ends by itself at its expiry, by the engine's time. */
export class PostureState {
  #posture: Posture | null = null;

  apply(posture: Posture): void {
    this.#posture = posture;
  }

  /** The posture in force at `timeMs`; null: normal and full. */
  at(timeMs: number): Posture | null {
    const posture = this.#posture;
    return posture === null || (posture.expiresAtMs !== null && posture.expiresAtMs <= timeMs) ? null : posture;
  }

  riskLevel(timeMs: number): RiskLevel {
    return this.at(timeMs)?.riskLevel ?? 'normal';
  }

  degradation(timeMs: number): Degradation {
    return this.at(timeMs)?.degradation ?? 'full';
  }
}
