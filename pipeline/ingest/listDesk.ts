import type { ListDefinition } from '../../operators/definitions.ts';
import type { ListEntry as StoredEntry } from '../../operators/lists/listEntries.ts';
import { maxListEntries, type ListState } from '../../operators/lists/listState.ts';
import { listValue, type ListValue } from '../../operators/lists/listValue.ts';
import { parseJson } from '../../schemas/parse.ts';
import type { ListChange } from '../../schemas/types.ts';
import { maskCardNumbers } from '../cardNumbers.ts';
import type { AcceptAnswer, Refusal, Sender } from '../gateway.ts';
import type { ListChangeRequest, ListEntry, ListHit, ListKeeping, ListPage, ListSummary } from '../listKeeping.ts';
import { withoutCardNumber } from '../toTransaction.ts';

export interface ListDeskServices {
  readonly lists: () => ListState;
  readonly declared: () => readonly ListDefinition[];
  readonly cardKey: Uint8Array;
  readonly clock: () => number;
  /** Writes the change to the ledger, and waits until the engine has taken it. */
  readonly append: (change: ListChange, sender: Sender) => Promise<AcceptAnswer>;
}

/** Bulk changes on their way, at most: a payment waits behind so many of them (ARCHITECTURE.md, D23). */
const MAX_BULK_CHANGES = 2;

/** Answers those who keep lists: every change is one ledger record, whose values are in the form that the list knows. */
export class ListDesk implements ListKeeping {
  readonly #services: ListDeskServices;
  #bulkChanges = 0;

  constructor(services: ListDeskServices) {
    this.#services = services;
  }

  summaries(): readonly ListSummary[] {
    return this.#services.declared().map(({ name, kind, entity, hashed }) => ({
      name,
      kind,
      entity,
      ...(hashed === undefined ? {} : { hashed }),
      entries: this.#services.lists().count(name),
    }));
  }

  page(list: string, after: string | null, limit: number): ListPage | undefined {
    if (this.#declared(list) === undefined || !/^\d{1,9}$/.test(after ?? '0')) return undefined;
    const { entries, next } = this.#services.lists().page(list, after === null ? null : Number(after), limit);
    return { entries: entries.map(shownEntry), next: next === null ? null : String(next) };
  }

  find(list: string, value: string): ListEntry | undefined {
    const definition = this.#declared(list);
    return definition === undefined ? undefined : this.#find(definition, value);
  }

  check(value: string): readonly ListHit[] {
    return this.#services.declared().flatMap((definition) => {
      const entry = this.#find(definition, value);
      const { name, kind, entity } = definition;
      return entry === undefined ? [] : [{ list: name, kind, entity, entry }];
    });
  }

  async change(change: ListChangeRequest, sender: Sender): Promise<AcceptAnswer> {
    const prepared = this.#prepare(change, sender);
    if (!prepared.ok) return { kind: 'rejected', refusal: prepared.refusal };
    const isBulk = change.entries.length > 1;
    if (isBulk && this.#bulkChanges >= MAX_BULK_CHANGES) {
      const refusal = refusalOf(
        'SLUICE_LIST_BUSY',
        null,
        'others are changing lists in bulk: send it again in a moment',
      );
      return { kind: 'unavailable', refusal, retryAfterSeconds: 1 };
    }
    this.#bulkChanges += Number(isBulk);
    try {
      return await this.#services.append(prepared.event, sender);
    } finally {
      this.#bulkChanges -= Number(isBulk);
    }
  }

  #prepare(
    { list, action, reason, expiresAtMs, entries }: ListChangeRequest,
    sender: Sender,
  ): { readonly ok: true; readonly event: ListChange } | { readonly ok: false; readonly refusal: Refusal } {
    const definition = this.#declared(list);
    if (definition === undefined)
      return { ok: false, refusal: refusalOf('SLUICE_LIST_UNKNOWN', 'list', 'sluice.yaml declares no such list') };
    const nowMs = this.#services.clock();
    const known: { readonly value: string; readonly expiresAtMs: number | null; readonly reason: string | null }[] = [];
    for (const [index, entry] of entries.entries()) {
      const place = (field: string): string => (entries.length === 1 ? field : `entries.${index}.${field}`);
      const value = this.#value(definition, entry.value);
      if (!value.ok) return { ok: false, refusal: refusalOf('SLUICE_LIST_VALUE', place('value'), value.message) };
      const endsAtMs = entry.expiresAtMs === undefined ? expiresAtMs : entry.expiresAtMs;
      if (action === 'put' && endsAtMs !== null && endsAtMs <= nowMs)
        return { ok: false, refusal: refusalOf('SLUICE_LIST_EXPIRED', place('expiresAtMs'), 'is in the past') };
      const own = entry.reason === undefined ? null : maskCardNumbers(entry.reason);
      known.push({ value: value.value, expiresAtMs: action === 'put' ? endsAtMs : null, reason: own });
    }
    const why = maskCardNumbers(reason);
    const [first, ...further] = known;
    const firstReason = first?.reason ?? why;
    const parsed = parseJson('listChange', {
      eventTimeMs: nowMs,
      list,
      action,
      author: sender.source,
      value: first?.value,
      expiresAtMs: first?.expiresAtMs,
      reason: firstReason,
      further: further.map((entry) => {
        const own = entry.reason ?? why;
        return { ...entry, reason: own === firstReason ? null : own };
      }),
    });
    if (!parsed.ok) return { ok: false, refusal: parsed };
    const refusal = action === 'put' ? this.#fullness(list, known) : null;
    return refusal === null ? { ok: true, event: parsed.value } : { ok: false, refusal };
  }

  #fullness(list: string, entries: readonly { readonly value: string }[]): Refusal | null {
    const lists = this.#services.lists();
    const room = maxListEntries - lists.count(list);
    if (entries.length <= room || entries.filter(({ value }) => !lists.has(list, value)).length <= room) return null;
    const message = `the list holds its most, ${String(maxListEntries)} entries; take some off first`;
    return refusalOf('SLUICE_LIST_FULL', 'list', message);
  }

  #declared(list: string): ListDefinition | undefined {
    return this.#services.declared().find(({ name }) => name === list);
  }

  #find(definition: ListDefinition, given: string): ListEntry | undefined {
    const value = this.#value(definition, given);
    const entry = value.ok ? this.#services.lists().get(definition.name, value.value) : null;
    return entry === null ? undefined : shownEntry(entry);
  }

  /** A card number is only ever known here by its token. */
  #value(definition: ListDefinition, given: string): ListValue {
    return listValue(definition, withoutCardNumber(given.trim(), this.#services.cardKey));
  }
}

function shownEntry({ value, expiresAtMs, author, reason, addedAtMs }: StoredEntry): ListEntry {
  return { value, expiresAtMs, author, reason, sinceMs: addedAtMs };
}

function refusalOf(code: string, field: string | null, message: string): Refusal {
  return { code, field, message };
}
