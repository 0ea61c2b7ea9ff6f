import type { Fallback } from '../../schemas/types.ts';

/** Fallbacks kept here until the engine, which takes them from the ledger, knows them long since. */
const MAX_GIVEN = 10_000;

/**
 * The fallbacks that this process gives, from the moment a deadline passes: the engine's decision may become durable while the
 * fallback's record is being written, and whoever asks then must hear what the first caller is told. Bounded.
 */
export class GivenFallbacks {
  readonly #given = new Map<string, Promise<Fallback | undefined>>();

  /** `giving` resolves when the record is durable; undefined: it could not be written, and nobody was told. */
  give(transactionId: string, giving: Promise<Fallback | undefined>): void {
    this.#given.set(transactionId, giving);
    if (this.#given.size <= MAX_GIVEN) return;
    for (const oldest of this.#given.keys()) {
      this.#given.delete(oldest);
      return;
    }
  }

  async find(transactionId: string): Promise<Fallback | undefined> {
    return this.#given.get(transactionId);
  }
}
