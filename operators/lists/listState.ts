import type { ListChange } from '../../schemas/types.ts';
import type { ListMembership } from '../cel/context.ts';
import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { loadTexts, saveTexts } from '../savedTexts.ts';

export const maxListEntries = 1_000_000;
export const maxListPage = 1000;

export interface ListEntry {
  readonly value: string;
  readonly addedAtMs: number;
  /** Epoch milliseconds from which the entry no longer holds; null: it stays. */
  readonly expiresAtMs: number | null;
  readonly author: string;
  readonly reason: string;
}

export interface ListPage {
  /** In the order they were put; an entry put again moves to the end. */
  readonly entries: readonly ListEntry[];
  /** Pass as `after` for the next page; null on the last one. */
  readonly next: number | null;
}

/** `unknownList` and `full` are refusals: nothing changed, and `refusals` counts them. */
export type ListChangeResult = 'applied' | 'absent' | 'unknownList' | 'full';

interface StoredEntry extends ListEntry {
  /** Rises with every put: the cursor of paging. */
  readonly sequence: number;
}

interface StoredList {
  readonly entries: Map<string, StoredEntry>;
  /** No entry expires before this. */
  earliestExpiryMs: number;
}

/**
 * Block, allow and watch lists as of the last change applied. Time is the engine's: set `timeMs` to the payment's
 * engine time before asking `has`, so that an entry's expiry falls between the same two payments in every run. Expired
 * entries leave memory only when a put finds the list full, hence never while earlier payments still wait.
 */
export class ListState implements ListMembership, SavedState {
  timeMs = 0;
  /** Changes refused since the start, by kind. */
  readonly refusals = { unknownList: 0, full: 0 };
  readonly #lists = new Map<string, StoredList>();
  readonly #maxEntries: number;
  #nextSequence = 1;

  constructor(names: readonly string[], maxEntries: number = maxListEntries) {
    this.#maxEntries = maxEntries;
    this.declare(names);
  }

  /** Takes the lists of a new configuration: new ones start empty, kept ones keep their entries, the rest are dropped. */
  declare(names: readonly string[]): void {
    for (const name of this.#lists.keys()) if (!names.includes(name)) this.#lists.delete(name);
    for (const name of names)
      if (!this.#lists.has(name)) this.#lists.set(name, { entries: new Map(), earliestExpiryMs: Infinity });
  }

  get names(): readonly string[] {
    return [...this.#lists.keys()];
  }

  /** Applies one ledger record. */
  apply(change: ListChange): ListChangeResult {
    const list = this.#lists.get(change.list);
    if (list === undefined) {
      this.refusals.unknownList++;
      return 'unknownList';
    }
    if (change.action === 'delete') return list.entries.delete(change.value) ? 'applied' : 'absent';
    const isNew = !list.entries.delete(change.value);
    if (isNew && list.entries.size >= this.#maxEntries) this.#removeExpired(list);
    if (isNew && list.entries.size >= this.#maxEntries) {
      this.refusals.full++;
      return 'full';
    }
    const { value, eventTimeMs, expiresAtMs, author, reason } = change;
    const sequence = this.#nextSequence++;
    list.entries.set(value, { value, addedAtMs: eventTimeMs, expiresAtMs, author, reason, sequence });
    if (expiresAtMs !== null) list.earliestExpiryMs = Math.min(list.earliestExpiryMs, expiresAtMs);
    return 'applied';
  }

  has(list: string, value: string): boolean {
    const entry = this.#lists.get(list)?.entries.get(value);
    return entry !== undefined && this.#holds(entry);
  }

  get(list: string, value: string): ListEntry | undefined {
    const entry = this.#lists.get(list)?.entries.get(value);
    return entry !== undefined && this.#holds(entry) ? publicEntry(entry) : undefined;
  }

  /** Entries that hold now. Walks the list when some have expired. */
  count(list: string): number {
    const stored = this.#lists.get(list);
    if (stored === undefined) return 0;
    if (stored.earliestExpiryMs > this.timeMs) return stored.entries.size;
    let count = 0;
    for (const entry of stored.entries.values()) if (this.#holds(entry)) count++;
    return count;
  }

  /** Entries that hold now, `limit` (1 to 1000) at a time. Walks from the list's start: some 10 ms in a million. */
  page(list: string, after: number | null, limit: number): ListPage {
    const wanted = Math.min(Math.max(1, limit), maxListPage);
    const entries: ListEntry[] = [];
    let last = 0;
    for (const entry of this.#lists.get(list)?.entries.values() ?? []) {
      if ((after !== null && entry.sequence <= after) || !this.#holds(entry)) continue;
      if (entries.length === wanted) return { entries, next: last };
      entries.push(publicEntry(entry));
      last = entry.sequence;
    }
    return { entries, next: null };
  }

  /** The cursor that continues a page after this value; null when it is not on the list. */
  cursorOf(list: string, value: string): number | null {
    return this.#lists.get(list)?.entries.get(value)?.sequence ?? null;
  }

  /** All but the time, which is the engine's. */
  save(output: StateOutput): void {
    output.number(this.refusals.unknownList);
    output.number(this.refusals.full);
    output.number(this.#nextSequence);
    saveTexts(output, this.names);
    for (const { entries } of this.#lists.values()) {
      const held = [...entries.values()];
      saveTexts(
        output,
        held.flatMap(({ value, author, reason }) => [value, author, reason]),
      );
      output.array(Float64Array.from(held, ({ addedAtMs }) => addedAtMs));
      output.array(Float64Array.from(held, ({ expiresAtMs }) => expiresAtMs ?? Infinity));
      output.array(Float64Array.from(held, ({ sequence }) => sequence));
    }
  }

  load(input: StateInput): void {
    this.refusals.unknownList = input.number();
    this.refusals.full = input.number();
    this.#nextSequence = input.number();
    this.#lists.clear();
    for (const name of loadTexts(input)) {
      const texts = loadTexts(input);
      const addedAtMs = input.float64Array();
      const expiryMs = input.float64Array();
      const sequences = input.float64Array();
      const entries = new Map<string, StoredEntry>();
      for (const [index, sequence] of sequences.entries()) {
        const [value = '', author = '', reason = ''] = texts.slice(index * 3, index * 3 + 3);
        const expiresAtMs = expiryMs[index] === Infinity ? null : expiryMs[index]!;
        entries.set(value, { value, addedAtMs: addedAtMs[index]!, expiresAtMs, author, reason, sequence });
      }
      this.#lists.set(name, {
        entries,
        earliestExpiryMs: expiryMs.reduce((least, ms) => Math.min(least, ms), Infinity),
      });
    }
  }

  #holds(entry: StoredEntry): boolean {
    return entry.expiresAtMs === null || entry.expiresAtMs > this.timeMs;
  }

  #removeExpired(list: StoredList): void {
    if (list.earliestExpiryMs > this.timeMs) return;
    let earliestMs = Infinity;
    for (const [value, entry] of list.entries) {
      if (!this.#holds(entry)) list.entries.delete(value);
      else if (entry.expiresAtMs !== null) earliestMs = Math.min(earliestMs, entry.expiresAtMs);
    }
    list.earliestExpiryMs = earliestMs;
  }
}

function publicEntry({ value, addedAtMs, expiresAtMs, author, reason }: StoredEntry): ListEntry {
  return { value, addedAtMs, expiresAtMs, author, reason };
}
