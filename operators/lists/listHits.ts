import type { Transaction } from '../../schemas/types.ts';
import type { ListMembership } from '../cel/context.ts';
import type { ListDefinition } from '../definitions.ts';
import { listSubject } from './listSubject.ts';

/** Finds the block and allow lists that a payment is on. Watch lists are left to rules. */
export interface ListHits {
  /** Empties `into` and fills it with the lists hit: block lists first, each kind in declared order. */
  find(tx: Transaction, lists: ListMembership, into: ListDefinition[]): void;
}

export function listHits(definitions: readonly ListDefinition[]): ListHits {
  const deciding = [
    ...definitions.filter(({ kind }) => kind === 'block'),
    ...definitions.filter(({ kind }) => kind === 'allow'),
  ];
  return {
    find(tx, lists, into) {
      into.length = 0;
      for (const definition of deciding) {
        const value = listSubject(tx, definition.entity);
        if (value !== null && lists.has(definition.name, value)) into.push(definition);
      }
    },
  };
}
