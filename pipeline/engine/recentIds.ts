import type { Decision } from '../../schemas/types.ts';

/** The part of a decision that a repeated payment is told again. */
export type Answer = Pick<Decision, 'verdict' | 'score' | 'mode'>;

/** The first payment seen with an id, and what was decided on it. Kept small: there may be a million. */
export interface SeenPayment {
  readonly ledgerOffset: number;
  readonly contentHash: string;
  /** Null until it is decided, and after a restart. */
  answer: Answer | null;
}

/**
 * The transaction ids of the last payments, at least `capacity` / 2 and at most `capacity` of them: two generations, of which
 * the older is dropped whole when the newer is full. So what is remembered is a function of the ledger alone.
 */
export class RecentIds {
  #capacity: number;
  #newer = new Map<string, SeenPayment>();
  #older = new Map<string, SeenPayment>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  /** A smaller capacity takes effect as the generations turn over. */
  resize(capacity: number): void {
    this.#capacity = capacity;
  }

  find(transactionId: string): SeenPayment | undefined {
    return this.#newer.get(transactionId) ?? this.#older.get(transactionId);
  }

  add(transactionId: string, seen: SeenPayment): void {
    if (this.#newer.size >= Math.max(1, Math.floor(this.#capacity / 2))) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(transactionId, seen);
  }
}
