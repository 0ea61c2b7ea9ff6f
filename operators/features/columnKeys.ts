import type { Transaction } from '../../schemas/types.ts';
import type { PrefetchList } from '../tables/prefetchList.ts';
import type { ColumnKernel } from './kernel/columnKernel.ts';
import { fieldReader } from './keyField.ts';
import { NO_KEY, StringKeyTable, TupleKeyTable, type KeyTable } from './keyTable.ts';
import type { ColumnPlan } from './plan.ts';

/** The keys of one column, and how a payment's is found: prepared, foreseen, found, in this order. */
export interface ColumnKeys {
  readonly table: KeyTable;
  /** Takes the payment's key, and lists what is needed to foresee its slot. */
  readonly prepare: (tx: Transaction, list: PrefetchList) => void;
  /** The slot that the key probably has, negative for none, given those of the columns before; lists what is needed to find it. */
  readonly foresee: (slots: Int32Array, list: PrefetchList) => number;
  /** The key's slot, NO_KEY or KEY_REFUSED, given the slots of the columns before. */
  readonly find: (slots: Int32Array) => number;
}

export function createColumnKeys({ fields, members }: ColumnPlan, kernel: ColumnKernel): ColumnKeys {
  return members.length > 0
    ? tupleKeys(new TupleKeyTable(kernel, members.length), members)
    : stringKeys(new StringKeyTable(kernel), fieldReader(fields[0]!));
}

function stringKeys(table: StringKeyTable, read: (tx: Transaction) => string | null): ColumnKeys {
  let hasKey = false;
  return {
    table,
    prepare: (tx, list) => {
      const key = read(tx);
      hasKey = key !== null;
      if (key !== null) table.prepare(key, list);
    },
    foresee: (_slots, list) => (hasKey ? table.foresee(list) : NO_KEY),
    find: () => (hasKey ? table.internPrepared() : NO_KEY),
  };
}

function tupleKeys(table: TupleKeyTable, members: readonly number[]): ColumnKeys {
  return {
    table,
    prepare: () => undefined,
    foresee: (slots, list) => {
      table.prefetch(slots, members, list);
      return NO_KEY;
    },
    find: (slots) => table.intern(slots, members),
  };
}
