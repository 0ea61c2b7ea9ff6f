import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';

const PAGE_SIZE = 4_096;

interface Page {
  readonly timesMs: Float64Array;
  newestMs: number;
}

/** The time under which each payment stands in the reservoir, by ledger offset, so that a label finds its payment. */
export class OffsetTimes implements SavedState {
  readonly #pages = new Map<number, Page>();
  /** Oldest page that may be there. */
  #oldest = 0;
  #newest = -1;

  get byteLength(): number {
    return this.#pages.size * PAGE_SIZE * 8;
  }

  set(ledgerOffset: number, timeMs: number): void {
    const number = Math.floor(ledgerOffset / PAGE_SIZE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = { timesMs: new Float64Array(PAGE_SIZE).fill(Number.NaN), newestMs: timeMs };
      this.#pages.set(number, page);
      if (this.#newest < 0) this.#oldest = number;
      this.#newest = number;
    }
    page.timesMs[ledgerOffset - number * PAGE_SIZE] = timeMs;
    if (timeMs > page.newestMs) page.newestMs = timeMs;
  }

  /** NaN when the offset is no payment that is still held. */
  get(ledgerOffset: number): number {
    const number = Math.floor(ledgerOffset / PAGE_SIZE);
    return this.#pages.get(number)?.timesMs[ledgerOffset - number * PAGE_SIZE] ?? Number.NaN;
  }

  /** Forgets the oldest pages whose payments are all at or before this time. */
  dropUntil(timeMs: number): void {
    while (this.#oldest < this.#newest) {
      const page = this.#pages.get(this.#oldest);
      if (page !== undefined && page.newestMs > timeMs) return;
      this.#pages.delete(this.#oldest);
      this.#oldest += 1;
    }
  }

  save(output: StateOutput): void {
    output.number(this.#oldest);
    output.number(this.#newest);
    output.array(Float64Array.from(this.#pages.keys()));
    output.array(Float64Array.from(this.#pages.values(), ({ newestMs }) => newestMs));
    for (const { timesMs } of this.#pages.values()) output.array(timesMs);
  }

  load(input: StateInput): void {
    this.#oldest = input.number();
    this.#newest = input.number();
    const numbers = input.float64Array();
    const newestMs = input.float64Array();
    this.#pages.clear();
    for (const [index, number] of numbers.entries()) {
      const timesMs = input.float64Array();
      if (timesMs.length !== PAGE_SIZE) throw new SavedStateError(`a page of ${timesMs.length} offset times`);
      this.#pages.set(number, { timesMs, newestMs: newestMs[index] ?? Number.NaN });
    }
  }
}
