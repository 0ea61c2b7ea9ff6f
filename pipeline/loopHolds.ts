import { setImmediate } from 'node:timers/promises';
import type { Steps } from '../operators/steps.ts';

/** What a run of steps may hold the event loop for, at the end of which others have their turn. */
const TURN_MS = 2;

/** How long pieces of work hold the event loop, and every decision with it. */
export class LoopHolds {
  #longestMs = 0;

  /** To a tenth of a millisecond. */
  get longestMs(): number {
    return Math.round(this.#longestMs * 10) / 10;
  }

  note(durationMs: number): void {
    this.#longestMs = Math.max(this.#longestMs, durationMs);
  }

  /** Times work that waits for nothing outside this thread, so that nothing else has a turn until it ends. */
  async time<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const startMs = performance.now();
    const result = await work();
    this.note(performance.now() - startMs);
    return result;
  }

  /** Runs all steps, a few at a time. */
  async inTurns<Result>(steps: Steps<Result>): Promise<Result> {
    for (;;) {
      const startMs = performance.now();
      let step = steps.next();
      while (step.done !== true && performance.now() - startMs < TURN_MS) step = steps.next();
      this.note(performance.now() - startMs);
      if (step.done === true) return step.value;
      await setImmediate();
    }
  }
}
