import type { Transaction } from '../../schemas/types.ts';
import type { ListEntity } from '../definitions.ts';
import type { RangeKind } from './listRange.ts';

const ATTRIBUTE = 'attributes.';

/** What of a payment a list is asked about; null: the payment has no such thing. */
export function listSubject(tx: Transaction, entity: ListEntity): string | null {
  switch (entity) {
    case 'card':
      return tx.card?.token ?? null;
    case 'bin':
      return tx.card?.bin ?? null;
    case 'account':
    case 'device':
    case 'ip':
    case 'merchant':
    case 'terminal':
    case 'payee':
    case 'country':
    case 'mcc':
      return tx[entity];
    default: {
      const name = entity.slice(ATTRIBUTE.length);
      const value = Object.hasOwn(tx.attributes, name) ? tx.attributes[name] : undefined;
      return typeof value === 'string' ? value : null;
    }
  }
}

/** Whether entries of a list may be ranges, and of what. */
export function rangeKindOf(entity: ListEntity): RangeKind {
  return entity === 'ip' || entity === 'bin' ? entity : 'none';
}
