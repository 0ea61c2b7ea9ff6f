import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../../operators/savedState.ts';
import { codecs } from '../../schemas/codec.ts';
import type { Degradation, Posture, RiskLevel } from '../../schemas/types.ts';
import { loadRecord, saveRecord } from './savedRecords.ts';

/** Author of the records by which an engine that fell behind leaves the model out. No API key can have this id. */
export const OVERLOAD_AUTHOR = 'sluice:overload';

/**
 * What people set last, which ends by itself at its expiry by the engine's time, and beside it what overload asks for: the
 * two never undo each other.
 */
export class PostureState implements SavedState {
  #posture: Posture | null = null;
  #overload: Degradation = 'full';

  apply(posture: Posture): void {
    if (posture.author === OVERLOAD_AUTHOR) this.#overload = posture.degradation;
    else this.#posture = posture;
  }

  /** What overload has left out. */
  get overload(): Degradation {
    return this.#overload;
  }

  /** What people set, if it is in force at `timeMs`; null: normal and full. */
  at(timeMs: number): Posture | null {
    const posture = this.#posture;
    return posture === null || (posture.expiresAtMs !== null && posture.expiresAtMs <= timeMs) ? null : posture;
  }

  riskLevel(timeMs: number): RiskLevel {
    return this.at(timeMs)?.riskLevel ?? 'normal';
  }

  /** The further down the ladder of the two. */
  degradation(timeMs: number): Degradation {
    const set = this.at(timeMs)?.degradation ?? 'full';
    return LADDER.indexOf(set) >= LADDER.indexOf(this.#overload) ? set : this.#overload;
  }

  save(output: StateOutput): void {
    saveRecord(output, codecs.posture, this.#posture);
    output.number(LADDER.indexOf(this.#overload));
  }

  load(input: StateInput): void {
    this.#posture = loadRecord(input, codecs.posture);
    const overload = LADDER[input.number()];
    if (overload === undefined) throw new SavedStateError('a posture that there is not');
    this.#overload = overload;
  }
}

/** From the whole decision down. Below it is the fallback, which ingest gives without the engine. */
export const LADDER: readonly Degradation[] = ['full', 'noModel', 'rulesOnly'];
