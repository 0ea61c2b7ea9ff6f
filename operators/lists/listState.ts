import type { ListChange } from '../../schemas/types.ts';
import type { ListMembership } from '../cel/context.ts';
import type { ListDefinition } from '../definitions.ts';
import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { ListEntries, type ListEntry } from './listEntries.ts';
import type { RangeKind } from './listRange.ts';
import { rangeKindOf } from './listSubject.ts';
import { SNOOZES } from './snoozes.ts';

export const maxListEntries = 4_000_000;
export const maxListPage = 1000;
/** Slots that a page looks at, at most: some are free, some entries have expired. */
const MAX_SLOTS_PER_PAGE = 10_000;
/** Expired entries that a put drops: more than it adds. */
const DROPPED_PER_PUT = 2;

export interface ListPage {
  readonly entries: readonly ListEntry[];
  /** Pass as `after` for the next page; null on the last one. */
  readonly next: number | null;
}

/** What a list is called and asked about. */
export type DeclaredList = Pick<ListDefinition, 'name' | 'entity'>;

/**
 * Block, allow and watch lists, and the snoozes, as of the last change applied. Time is the engine's: set `timeMs` to the payment's
 * engine time before asking `has`, so that an entry's expiry falls between the same two payments in every run. What has expired
 * leaves memory with later changes and when it is dropped, which must not be while earlier payments still wait.
 */
export class ListState implements ListMembership, SavedState {
  timeMs = 0;
  /** Entries refused since the start, by kind: nothing changed for them. */
  readonly refusals = { unknownList: 0, full: 0 };
  /** The lists there are; */
  readonly #declared = new Map<string, RangeKind>();
  /** those that something was ever put on, in that order. */
  readonly #lists = new Map<string, ListEntries>();
  readonly #maxEntries: number;

  constructor(lists: readonly DeclaredList[], maxEntries: number = maxListEntries) {
    this.#maxEntries = maxEntries;
    this.declare(lists);
  }

  /**
   * Takes the lists of a new configuration: new ones start empty, kept ones keep their entries, the rest are dropped. A list that
   * becomes one of ranges, or none any more, starts anew.
   */
  declare(lists: readonly DeclaredList[]): void {
    this.#declared.clear();
    for (const { name, entity } of lists) this.#declared.set(name, rangeKindOf(entity));
    this.#declared.set(SNOOZES, 'none');
    for (const [name, { ranges }] of this.#lists) if (this.#declared.get(name) !== ranges) this.#lists.delete(name);
  }

  get names(): readonly string[] {
    return [...this.#declared.keys()];
  }

  /** Entries of all lists; those that have just expired among them. */
  get size(): number {
    let size = 0;
    for (const list of this.#lists.values()) size += list.size;
    return size;
  }

  get byteLength(): number {
    let bytes = 0;
    for (const list of this.#lists.values()) bytes += list.byteLength;
    return bytes;
  }

  /** Applies one ledger record. Returns how many of its entries it changed. */
  apply(change: ListChange): number {
    const { list: name, action, eventTimeMs, author, value, expiresAtMs, reason, further } = change;
    const ranges = this.#declared.get(name);
    if (ranges === undefined) {
      this.refusals.unknownList += 1 + further.length;
      return 0;
    }
    let list = this.#lists.get(name);
    if (list === undefined) {
      if (action === 'delete') return 0;
      list = new ListEntries(ranges);
      this.#lists.set(name, list);
    }
    if (action === 'delete') {
      let deleted = Number(list.delete(value));
      for (const entry of further) deleted += Number(list.delete(entry.value));
      return deleted;
    }
    let changed = Number(this.#put(list, { value, expiresAtMs, reason, addedAtMs: eventTimeMs, author }));
    for (const entry of further) {
      const { value, expiresAtMs } = entry;
      const own = { value, expiresAtMs, reason: entry.reason ?? reason };
      changed += Number(this.#put(list, { ...own, addedAtMs: eventTimeMs, author }));
    }
    return changed;
  }

  /** Whether anything has expired that is still there. */
  get hasExpired(): boolean {
    for (const list of this.#lists.values()) if (list.earliestExpiryMs <= this.timeMs) return true;
    return false;
  }

  /** Drops expired entries, so many at most. */
  dropExpired(most: number): void {
    let left = most;
    for (const list of this.#lists.values())
      for (; left > 0 && list.earliestExpiryMs <= this.timeMs; left--) list.dropEarliest();
  }

  has(list: string, value: string): boolean {
    const entries = this.#lists.get(list);
    return entries !== undefined && entries.size > 0 && entries.find(value, this.timeMs) >= 0;
  }

  isEmpty(list: string): boolean {
    return this.count(list) === 0;
  }

  /** The entry that holds for a value: its own, else the narrowest range that it lies in. */
  get(list: string, value: string): ListEntry | null {
    const entries = this.#lists.get(list);
    return entries?.entry(entries.find(value, this.timeMs), this.timeMs) ?? null;
  }

  /** Entries; those that have just expired among them. */
  count(list: string): number {
    return this.#lists.get(list)?.size ?? 0;
  }

  /**
   * Entries that hold now, `limit` (1 to 1000) at a time; there may be fewer on a page that is not the last. An entry that is there
   * throughout is on one page, whatever changes meanwhile.
   */
  page(list: string, after: number | null, limit: number): ListPage {
    const stored = this.#lists.get(list);
    const wanted = Math.min(Math.max(1, limit), maxListPage);
    const entries: ListEntry[] = [];
    if (stored === undefined) return { entries, next: null };
    let slot = after === null ? 0 : after + 1;
    const end = Math.min(stored.slots, slot + MAX_SLOTS_PER_PAGE);
    for (; slot < end && entries.length < wanted; slot++) {
      const entry = stored.entry(slot, this.timeMs);
      if (entry !== null) entries.push(entry);
    }
    return { entries, next: slot < stored.slots ? slot - 1 : null };
  }

  /** All but the time, which is the engine's. */
  save(output: StateOutput): void {
    output.number(this.refusals.unknownList);
    output.number(this.refusals.full);
    output.number(this.#declared.size);
    for (const [name, ranges] of this.#declared) {
      output.text(name);
      output.text(ranges);
    }
    output.number(this.#lists.size);
    for (const [name, list] of this.#lists) {
      output.text(name);
      list.save(output);
    }
  }

  load(input: StateInput): void {
    this.refusals.unknownList = input.number();
    this.refusals.full = input.number();
    this.#declared.clear();
    for (let left = input.number(); left > 0; left--) {
      const name = input.text();
      const ranges = input.text();
      this.#declared.set(name, ranges === 'ip' || ranges === 'bin' ? ranges : 'none');
    }
    this.#lists.clear();
    for (let left = input.number(); left > 0; left--) {
      const name = input.text();
      const list = new ListEntries(this.#declared.get(name) ?? 'none');
      list.load(input);
      this.#lists.set(name, list);
    }
  }

  #put(list: ListEntries, entry: ListEntry): boolean {
    for (let dropped = 0; dropped < DROPPED_PER_PUT && list.earliestExpiryMs <= this.timeMs; dropped++)
      list.dropEarliest();
    const hasRoom = list.size < this.#maxEntries || list.has(entry.value);
    if (hasRoom && list.put(entry)) return true;
    this.refusals.full += 1;
    return false;
  }
}
