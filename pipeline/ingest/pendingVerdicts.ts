import type { Decision } from '../../schemas/types.ts';

/** A payment on its way: appended or about to be, not yet decided. */
export interface PendingVerdict {
  readonly contentHash: string;
  /** Resolves with the first decision on this id once it is durable; undefined when the payment could not be appended. */
  readonly decided: Promise<Decision | undefined>;
}

interface Entry extends PendingVerdict {
  readonly settle: (decision: Decision | undefined) => void;
}

/** The payments on their way, by transaction id: callers wait here, and retries find the first attempt. Bounded. */
export class PendingVerdicts {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get full(): boolean {
    return this.#entries.size >= this.#limit;
  }

  find(transactionId: string): PendingVerdict | undefined {
    return this.#entries.get(transactionId);
  }

  /** Must be called before the append, since the decision may come before the append's own answer. */
  open(transactionId: string, contentHash: string): PendingVerdict {
    let settle: (decision: Decision | undefined) => void = () => undefined;
    const decided = new Promise<Decision | undefined>((resolve) => {
      settle = resolve;
    });
    const entry = { contentHash, decided, settle };
    this.#entries.set(transactionId, entry);
    return entry;
  }

  /** The decision is durable, or (undefined) the payment could not be appended. Unknown ids are ignored. */
  settle(transactionId: string, decision: Decision | undefined): void {
    const entry = this.#entries.get(transactionId);
    if (entry === undefined) return;
    this.#entries.delete(transactionId);
    entry.settle(decision);
  }
}
