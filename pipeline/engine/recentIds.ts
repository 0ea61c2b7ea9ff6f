import type { SavedState, StateInput, StateOutput } from '../../operators/savedState.ts';
import { loadTexts, saveTexts } from '../../operators/savedTexts.ts';
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
export class RecentIds implements SavedState {
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

  /** Without the answers: those are stored with the decisions. */
  save(output: StateOutput): void {
    output.number(this.#capacity);
    for (const generation of [this.#newer, this.#older]) {
      saveTexts(output, [...generation.keys()]);
      saveTexts(
        output,
        Array.from(generation.values(), ({ contentHash }) => contentHash),
      );
      output.array(Float64Array.from(generation.values(), ({ ledgerOffset }) => ledgerOffset));
    }
  }

  load(input: StateInput): void {
    this.#capacity = input.number();
    this.#newer = loadGeneration(input);
    this.#older = loadGeneration(input);
  }
}

function loadGeneration(input: StateInput): Map<string, SeenPayment> {
  const ids = loadTexts(input);
  const hashes = loadTexts(input);
  const offsets = input.float64Array();
  const generation = new Map<string, SeenPayment>();
  for (const [index, id] of ids.entries())
    generation.set(id, { ledgerOffset: offsets[index]!, contentHash: hashes[index]!, answer: null });
  return generation;
}
