import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import type { BlockStore } from './blockStore.ts';

const PAGE_OFFSETS = 4_096;
const HEADER_DOUBLES = 4;
/** Bytes of a stored page: four doubles, then for each offset its position less the page's base, plus one; 0 for none. */
export const OFFSET_PAGE_BYTES = HEADER_DOUBLES * 8 + PAGE_OFFSETS * 4;

/** Offsets of which some event is not sealed yet. */
interface OpenPage {
  number: number;
  /** An event's time while it is in the head; -1 - position once it is sealed; NaN for none. */
  readonly values: Float64Array;
  unsealed: number;
}

/**
 * Where the event of a ledger offset is, so that what becomes known of a payment finds it. Pages whose events are all sealed go to the
 * store; so memory holds the pages that reach into the head, and what becomes known of one payment reads one page.
 */
export class OffsetIndex implements SavedState {
  readonly #store: BlockStore;
  readonly #open: OpenPage[] = [];
  readonly #spare: OpenPage[] = [];
  readonly #stored = new StoredPage();
  #storedNumber = -1;
  #lastOffset = -1;
  /** Oldest page in the store, -1 for none; what is in it is below `#oldestBound`; the page that follows it. */
  #oldest = -1;
  #oldestBound = 0;
  #oldestNext = -1;

  constructor(store: BlockStore) {
    this.#store = store;
  }

  get byteLength(): number {
    const pages = this.#open.length + this.#spare.length;
    return pages * PAGE_OFFSETS * 8 + (1 + this.waitingBlocks) * OFFSET_PAGE_BYTES;
  }

  /** Bytes of the pages that the store holds, with the room of those that were left out. */
  get storedBytes(): number {
    return this.#oldest < 0 ? 0 : (this.#open[0]!.number - this.#oldest - this.waitingBlocks) * OFFSET_PAGE_BYTES;
  }

  /** As BlockStore has it. */
  get waitingBlocks(): number {
    return this.#store.waitingBlocks;
  }

  /** byteLength when the head has so many events, nearly all of the ledger's records being events. */
  static bytesOf(headEvents: number): number {
    return (Math.ceil(headEvents / PAGE_OFFSETS) + 1) * PAGE_OFFSETS * 8 + OFFSET_PAGE_BYTES;
  }

  /** storedBytes of so many sealed events. */
  static storedBytesOf(events: number): number {
    return Math.ceil(events / PAGE_OFFSETS) * OFFSET_PAGE_BYTES;
  }

  /** An event that is now in the head. Offsets rise. */
  add(ledgerOffset: number, timeMs: number): void {
    if (ledgerOffset <= this.#lastOffset)
      throw new Error(`SLUICE_STATE_INPUT: offset ${ledgerOffset} does not follow ${this.#lastOffset}`);
    this.#lastOffset = ledgerOffset;
    const number = Math.floor(ledgerOffset / PAGE_OFFSETS);
    let page = this.#open.at(-1);
    if (page?.number !== number) {
      page = this.#spare.pop() ?? { number, values: new Float64Array(PAGE_OFFSETS), unsealed: 0 };
      page.number = number;
      page.values.fill(Number.NaN);
      this.#open.push(page);
    }
    page.values[ledgerOffset % PAGE_OFFSETS] = timeMs;
    page.unsealed += 1;
  }

  /** The event is now in a sealed block, as the position-th of all events. */
  seal(ledgerOffset: number, position: number): void {
    const page = this.#openPage(Math.floor(ledgerOffset / PAGE_OFFSETS));
    if (page === null) throw new Error(`SLUICE_STATE_OFFSET: no event in the head has offset ${ledgerOffset}`);
    page.values[ledgerOffset % PAGE_OFFSETS] = -1 - position;
    page.unsealed -= 1;
    while (this.#open.length > 1 && this.#open[0]!.unsealed === 0) this.#close(position + 1);
  }

  /** The event's time when it is in the head, -1 - its position when it is sealed, NaN when there is none. */
  find(ledgerOffset: number): number {
    if (!(ledgerOffset >= 0 && ledgerOffset <= this.#lastOffset)) return Number.NaN;
    const number = Math.floor(ledgerOffset / PAGE_OFFSETS);
    const page = this.#openPage(number);
    if (page !== null) return page.values[ledgerOffset % PAGE_OFFSETS]!;
    if (this.#oldest < 0 || number < this.#oldest || !this.#load(number)) return Number.NaN;
    const delta = this.#stored.deltas[ledgerOffset % PAGE_OFFSETS]!;
    return delta === 0 ? Number.NaN : -this.#stored.base - delta;
  }

  /** Drops the oldest pages whose events all come before this position. */
  dropBefore(position: number): void {
    let isDropped = false;
    while (this.#oldest >= 0 && this.#oldestBound <= position) {
      isDropped = true;
      this.#oldest = this.#oldestNext;
      if (this.#oldest === this.#open[0]!.number) this.#oldest = -1;
      else if (this.#load(this.#oldest)) this.#rememberOldest();
      else throw new Error(`SLUICE_STATE_OFFSET: page ${this.#oldest} of the offset index is gone`);
    }
    if (isDropped) this.#store.dropBefore(this.#oldest < 0 ? this.#open[0]!.number : this.#oldest);
  }

  save(output: StateOutput): void {
    output.number(this.#lastOffset);
    output.array(Float64Array.from(this.#open, ({ number }) => number));
    output.array(Int32Array.from(this.#open, ({ unsealed }) => unsealed));
    for (const { values } of this.#open) output.array(values);
    for (const value of [this.#oldest, this.#oldestBound, this.#oldestNext]) output.number(value);
    this.#store.save(output);
  }

  load(input: StateInput): void {
    this.#lastOffset = input.number();
    const numbers = input.float64Array();
    const unsealed = input.int32Array();
    this.#open.length = 0;
    for (const [index, number] of numbers.entries()) {
      const values = input.float64Array();
      if (values.length !== PAGE_OFFSETS) throw new SavedStateError(`a page of ${values.length} offsets`);
      this.#open.push({ number, values, unsealed: unsealed[index] ?? 0 });
    }
    this.#oldest = input.number();
    this.#oldestBound = input.number();
    this.#oldestNext = input.number();
    this.#storedNumber = -1;
    this.#store.load(input);
  }

  #openPage(number: number): OpenPage | null {
    let low = 0;
    let high = this.#open.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#open[middle]!.number < number) low = middle + 1;
      else high = middle;
    }
    const page = this.#open[low];
    return page?.number === number ? page : null;
  }

  /** Writes the oldest open page, all of whose positions are below `bound`. */
  #close(bound: number): void {
    const page = this.#open.shift()!;
    this.#stored.set(page, bound, this.#open[0]!.number);
    this.#storedNumber = page.number;
    this.#store.write(page.number, this.#stored.bytes);
    this.#spare.push(page);
    if (this.#oldest >= 0) return;
    this.#oldest = page.number;
    this.#rememberOldest();
  }

  #rememberOldest(): void {
    this.#oldestBound = this.#stored.bound;
    this.#oldestNext = this.#stored.next;
  }

  #load(number: number): boolean {
    if (this.#storedNumber === number) return true;
    this.#storedNumber = -1;
    // A file may hold zeros where no page was written.
    if (!this.#store.read(number, this.#stored.bytes) || this.#stored.number !== number) return false;
    this.#storedNumber = number;
    return true;
  }
}

class StoredPage {
  readonly bytes = new Uint8Array(OFFSET_PAGE_BYTES);
  readonly deltas = new Uint32Array(this.bytes.buffer, HEADER_DOUBLES * 8, PAGE_OFFSETS);
  readonly #header = new Float64Array(this.bytes.buffer, 0, HEADER_DOUBLES);

  get number(): number {
    return this.#header[0]! - 1;
  }

  get base(): number {
    return this.#header[1]!;
  }

  get bound(): number {
    return this.#header[2]!;
  }

  get next(): number {
    return this.#header[3]!;
  }

  set({ number, values }: OpenPage, bound: number, next: number): void {
    let base = bound;
    for (let index = 0; index < PAGE_OFFSETS; index++)
      if (values[index]! < 0) base = Math.min(base, -1 - values[index]!);
    this.#header.set([number + 1, base, bound, next]);
    for (let index = 0; index < PAGE_OFFSETS; index++) {
      const value = values[index]!;
      this.deltas[index] = value < 0 ? -value - base : 0;
    }
  }
}
