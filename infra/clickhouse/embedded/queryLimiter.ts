import { exception } from './exception.ts';

/** How many requests may use the engine's threads at once, and how many may wait for that. */
export class QueryLimiter {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** Waits for a place; call the result once to give it back. Throws code 202 when too many wait already. */
  async enter(): Promise<() => void> {
    if (this.#running < this.#maxRunning) {
      this.#running += 1;
    } else {
      if (this.#waiting.length >= this.#maxWaiting)
        throw exception(
          'TOO_MANY_SIMULTANEOUS_QUERIES',
          `Too many simultaneous queries. Maximum: ${String(this.#maxRunning)} running, ${String(this.#maxWaiting)} waiting`,
        );
      // The place is handed on, so #running stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    let isGiven = true;
    return () => {
      if (!isGiven) return;
      isGiven = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    };
  }
}
