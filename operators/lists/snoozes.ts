import type { Transaction } from '../../schemas/types.ts';
import type { ListMembership } from '../cel/context.ts';
import type { EntityName } from '../definitions.ts';
import { listSubject } from './listSubject.ts';

/**
 * The list on which rules are snoozed: every configuration has it, and none declares it. An entry says that a rule does not count
 * for payments of one account, card and so on, until it expires: `card-velocity:account:a-102`.
 */
export const SNOOZES = 'rule-snoozes';

export const SNOOZE_ENTITIES = [
  'account',
  'card',
  'device',
  'ip',
  'merchant',
  'terminal',
  'payee',
] as const satisfies readonly EntityName[];

/** The entry of a rule's snooze. A rule's id has no colon, the entity's may. */
export function snoozeValue(rule: string, entity: EntityName, id: string): string {
  return `${rule}:${entity}:${id}`;
}

/** What an entry is about; null: it is no snooze. */
export function parseSnooze(
  value: string,
): { readonly rule: string; readonly entity: EntityName; readonly id: string } | null {
  const [, rule = '', name = '', id = ''] = /^([^:]*):([^:]*):(.*)$/s.exec(value) ?? [];
  const entity = SNOOZE_ENTITIES.find((each) => each === name);
  return entity === undefined || rule === '' || id === '' ? null : { rule, entity, id };
}

/** Whether a rule is snoozed for any of the payment's entities. */
export function isSnoozed(rule: string, tx: Transaction, lists: ListMembership): boolean {
  // A text for each entity of each rule that fires is not made for nothing.
  if (lists.isEmpty(SNOOZES)) return false;
  for (const entity of SNOOZE_ENTITIES) {
    const id = listSubject(tx, entity);
    if (id !== null && lists.has(SNOOZES, snoozeValue(rule, entity, id))) return true;
  }
  return false;
}
