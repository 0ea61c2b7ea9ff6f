/** One row that is not what it was. */
export interface Finding {
  /** ledger, decisions, seals, ids, or history.TABLE. */
  readonly store: string;
  /** Null: of the store as a whole. */
  readonly ledgerOffset: number | null;
  readonly transactionId: string | null;
  readonly kind: 'changed' | 'missing' | 'added';
  /** What differs, in words. */
  readonly detail: string;
}

/** What a check has to say of one store. */
export interface StoreReport {
  readonly store: string;
  readonly rows: number;
  readonly findings: number;
}

/** Findings that are named, for each store; more are only counted. */
export const MAX_NAMED = 20;

/** What a check finds, by store. Bounded, however much was changed. */
export class Findings {
  readonly named: Finding[] = [];
  readonly #rows = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }

  has(store: string): boolean {
    return this.#counts.has(store);
  }

  checked(store: string, rows: number): void {
    this.#rows.set(store, (this.#rows.get(store) ?? 0) + rows);
  }

  add(finding: Finding): void {
    const count = (this.#counts.get(finding.store) ?? 0) + 1;
    this.#counts.set(finding.store, count);
    if (count <= MAX_NAMED) this.named.push(finding);
  }

  stores(): StoreReport[] {
    const names = new Set([...this.#rows.keys(), ...this.#counts.keys()]);
    return [...names].map((store) => ({
      store,
      rows: this.#rows.get(store) ?? 0,
      findings: this.#counts.get(store) ?? 0,
    }));
  }
}
