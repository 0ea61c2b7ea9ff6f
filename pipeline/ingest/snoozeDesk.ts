import type { EntityName } from '../../operators/definitions.ts';
import { listValue } from '../../operators/lists/listValue.ts';
import { parseSnooze, SNOOZES, snoozeValue } from '../../operators/lists/snoozes.ts';
import { parseJson } from '../../schemas/parse.ts';
import { maskCardNumbers } from '../cardNumbers.ts';
import type { AcceptAnswer, Refusal, Sender } from '../gateway.ts';
import type { Snooze, SnoozeEnd, SnoozeKeeping, SnoozePage, SnoozeRequest } from '../snoozeKeeping.ts';
import { withoutCardNumber } from '../toTransaction.ts';
import type { ListDeskServices } from './listDesk.ts';

/** A snooze that lasts for ever is a rule that should be changed. */
const MAX_SNOOZE_MS = 366 * 86_400_000;

/** Answers those who snooze rules: a snooze is an entry of the list that every configuration has for it. */
export class SnoozeDesk implements SnoozeKeeping {
  readonly #services: ListDeskServices;
  readonly #rules: () => readonly string[];

  /** `rules`: ids of all rules in force. */
  constructor(services: ListDeskServices, rules: () => readonly string[]) {
    this.#services = services;
    this.#rules = rules;
  }

  page(after: string | null, limit: number): SnoozePage | undefined {
    if (!/^\d{1,9}$/.test(after ?? '0')) return undefined;
    const { entries, next } = this.#services.lists().page(SNOOZES, after === null ? null : Number(after), limit);
    const snoozes = entries.flatMap(({ value, expiresAtMs, author, reason, addedAtMs }): readonly Snooze[] => {
      const snooze = parseSnooze(value);
      return snooze === null || expiresAtMs === null
        ? []
        : [{ ...snooze, expiresAtMs, author, reason, sinceMs: addedAtMs }];
    });
    return { snoozes, next: next === null ? null : String(next) };
  }

  add({ rule, entity, id, reason, expiresAtMs }: SnoozeRequest, sender: Sender): Promise<AcceptAnswer> {
    const nowMs = this.#services.clock();
    if (!this.#rules().includes(rule)) return refused('SLUICE_RULE_UNKNOWN', 'rule', 'no such rule is in force');
    if (expiresAtMs <= nowMs) return refused('SLUICE_LIST_EXPIRED', 'expiresAtMs', 'is in the past');
    if (expiresAtMs > nowMs + MAX_SNOOZE_MS)
      return refused('SLUICE_SNOOZE_LENGTH', 'expiresAtMs', 'must be within a year: change the rule instead');
    return this.#change('put', { rule, entity, id, reason }, expiresAtMs, sender);
  }

  end(snooze: SnoozeEnd, sender: Sender): Promise<AcceptAnswer> {
    const known = this.#id(snooze.entity, snooze.id);
    if (!this.#services.lists().has(SNOOZES, snoozeValue(snooze.rule, snooze.entity, known)))
      return refused('SLUICE_SNOOZE_UNKNOWN', 'rule', 'it is not snoozed there');
    return this.#change('delete', snooze, null, sender);
  }

  #change(
    action: 'put' | 'delete',
    { rule, entity, id, reason }: SnoozeEnd,
    expiresAtMs: number | null,
    sender: Sender,
  ): Promise<AcceptAnswer> {
    const checked = listValue({ entity }, this.#id(entity, id));
    if (!checked.ok) return refused('SLUICE_LIST_VALUE', 'id', checked.message);
    if (checked.value.includes('/') && entity === 'ip')
      return refused('SLUICE_LIST_VALUE', 'id', 'must be one address, not a block');
    const parsed = parseJson('listChange', {
      eventTimeMs: this.#services.clock(),
      list: SNOOZES,
      value: snoozeValue(rule, entity, checked.value),
      action,
      expiresAtMs,
      author: sender.source,
      reason: maskCardNumbers(reason),
    });
    if (!parsed.ok) return Promise.resolve({ kind: 'rejected', refusal: parsed });
    return this.#services.append(parsed.value, sender);
  }

  /** A card number is only ever known here by its token. */
  #id(entity: EntityName, id: string): string {
    const known = withoutCardNumber(id.trim(), this.#services.cardKey);
    const checked = listValue({ entity }, known);
    return checked.ok ? checked.value : known;
  }
}

function refused(code: string, field: string, message: string): Promise<AcceptAnswer> {
  const refusal: Refusal = { code, field, message };
  return Promise.resolve({ kind: 'rejected', refusal });
}
