import type { MappedRow } from './csvMapper.ts';

/** One record of an import, in the order of the ledger. */
export type ImportEvent =
  | {
      readonly kind: 'transaction';
      readonly value: Readonly<Record<string, unknown>>;
      /** Whether a label or outcome may follow: the payment's offset is then remembered. */
      readonly isFollowed: boolean;
    }
  | {
      readonly kind: 'label' | 'outcome';
      readonly value: Readonly<Record<string, unknown>>;
      readonly transactionId: string;
    };

/**
 * Payments in the file's order, each label put before the first payment whose time is not before the label's: it is known
 * then. Labels known after the last payment follow at the end. The order is a function of the file alone, which is what
 * lets an interrupted import go on where it stopped.
 */
export async function* mergeLabels(rows: AsyncIterable<MappedRow>): AsyncGenerator<ImportEvent, void, undefined> {
  const waiting = new LabelQueue();
  for await (const { transaction, label } of rows) {
    const { eventTimeMs, transactionId } = transaction;
    if (typeof eventTimeMs === 'number') {
      for (let due = waiting.takeUntil(eventTimeMs); due !== undefined; due = waiting.takeUntil(eventTimeMs)) yield due;
    }
    yield { kind: 'transaction', value: transaction, isFollowed: label !== null };
    if (label === null || typeof eventTimeMs !== 'number' || typeof transactionId !== 'string') continue;
    const { delayMs, ...known } = label;
    const value = { transactionId, eventTimeMs: eventTimeMs + delayMs, ...known };
    waiting.add(eventTimeMs + delayMs, { kind: 'label', transactionId, value });
  }
  for (let due = waiting.takeUntil(Infinity); due !== undefined; due = waiting.takeUntil(Infinity)) yield due;
}

/** Labels by the time they become known. The delay is the same for all, so they come nearly in order: an insertion sort. */
class LabelQueue {
  #entries: { readonly timeMs: number; readonly event: ImportEvent }[] = [];
  #taken = 0;

  add(timeMs: number, event: ImportEvent): void {
    let place = this.#entries.length;
    while (place > this.#taken && (this.#entries[place - 1]?.timeMs ?? 0) > timeMs) place--;
    this.#entries.splice(place, 0, { timeMs, event });
  }

  takeUntil(timeMs: number): ImportEvent | undefined {
    const first = this.#entries[this.#taken];
    if (first === undefined || first.timeMs > timeMs) return undefined;
    this.#taken++;
    if (this.#taken > 1024 && this.#taken * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#taken);
      this.#taken = 0;
    }
    return first.event;
  }
}
