import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Timer } from '../ports.ts';

interface Due {
  readonly atMs: number;
  readonly onTime: () => void;
}

/** Turns of the event loop in which everything has settled that waits for nothing outside this thread. */
const SETTLING_TURNS = 4;

/** Time that passes only when a test says so: a clock and the timers on it. */
export class ManualTime {
  nowMs: number;
  readonly #timers = new Set<Due>();
  readonly #work = new Set<Promise<unknown>>();

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  readonly clock: Clock = () => this.nowMs;

  readonly timer: Timer = (delayMs, onTime) => {
    const due = { atMs: this.nowMs + delayMs, onTime };
    this.#timers.add(due);
    return () => this.#timers.delete(due);
  };

  /** Resolves when so much time has passed. */
  after(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.timer(delayMs, resolve);
    });
  }

  /** Work of other threads, which takes none of this time: nothing has settled before it is done. */
  async work<T>(promise: Promise<T>): Promise<T> {
    this.#work.add(promise);
    try {
      return await promise;
    } finally {
      this.#work.delete(promise);
    }
  }

  /** Lets time pass, timer by timer, and what each of them sets off settle before the next. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs;
    await this.#settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.#fire(next);
      await this.#settle();
    }
    this.nowMs = endMs;
  }

  /** Lets so much time pass in which nobody has a turn, as when the event loop is stuck: then all that is due comes at once. */
  async stick(durationMs: number): Promise<void> {
    this.nowMs += durationMs;
    for (let next = this.#next(this.nowMs); next !== undefined; next = this.#next(this.nowMs)) this.#fire(next);
    await this.#settle();
  }

  #next(endMs: number): Due | undefined {
    const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }

  #fire(due: Due): void {
    this.#timers.delete(due);
    due.onTime();
  }

  async #settle(): Promise<void> {
    do {
      await Promise.allSettled(this.#work);
      for (let turn = 0; turn < SETTLING_TURNS; turn++) await nextTurn();
    } while (this.#work.size > 0);
  }
}
