import type { ListDefinition } from '../operators/definitions.ts';
import type { AcceptAnswer, Sender } from './gateway.ts';

/** Entries of one change, at most: it is one ledger record, and the engine takes it in one go. */
export const MAX_CHANGED_ENTRIES = 500;

/** What people who keep lists can ask and do. A card number given as a value is known by its token only. */
export interface ListKeeping {
  summaries(): readonly ListSummary[];
  /** Undefined: no such list, or `after` is not the `next` of a page. */
  page(list: string, after: string | null, limit: number): ListPage | undefined;
  /** The entry that holds for a value: its own, else the narrowest range that it lies in. */
  find(list: string, value: string): ListEntry | undefined;
  /** Every list that a value is on, as far as it can be on it. */
  check(value: string): readonly ListHit[];
  /** Resolves once the change is in the ledger and the engine has taken it, or 5 s later. */
  change(change: ListChangeRequest, sender: Sender): Promise<AcceptAnswer>;
}

export interface ListSummary extends Pick<ListDefinition, 'name' | 'kind' | 'entity' | 'hashed'> {
  readonly entries: number;
}

export interface ListEntry {
  readonly value: string;
  readonly expiresAtMs: number | null;
  readonly author: string;
  readonly reason: string;
  readonly sinceMs: number;
}

export interface ListPage {
  readonly entries: readonly ListEntry[];
  /** Give it as `after` for the next page; null: this is the last. */
  readonly next: string | null;
}

export interface ListHit extends Pick<ListDefinition, 'kind' | 'entity'> {
  readonly list: string;
  readonly entry: ListEntry;
}

export interface ListChangeRequest {
  readonly list: string;
  readonly action: 'put' | 'delete';
  /** Why, for all entries that say nothing else. */
  readonly reason: string;
  /** When they end, for all that say nothing else; null: never. */
  readonly expiresAtMs: number | null;
  /** 1 to MAX_CHANGED_ENTRIES. */
  readonly entries: readonly ChangedEntry[];
}

export interface ChangedEntry {
  readonly value: string;
  readonly expiresAtMs?: number | null | undefined;
  readonly reason?: string | undefined;
}
