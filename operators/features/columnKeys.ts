import type { Transaction } from '../../schemas/types.ts';
import { fieldReader } from './keyField.ts';
import { NO_KEY, StringKeyTable, TupleKeyTable, type KeyTable } from './keyTable.ts';
import type { ColumnPlan } from './plan.ts';

/** The keys of one column, and how a payment's is found. */
export interface ColumnKeys {
  readonly table: KeyTable;
  /** The payment's slot, NO_KEY or KEY_REFUSED, given the slots of the columns before. */
  readonly find: (tx: Transaction, slots: Int32Array) => number;
}

export function createColumnKeys(column: ColumnPlan, maxKeys: number): ColumnKeys {
  const { fields, members, rowLength } = column;
  if (members.length > 0) {
    const table = new TupleKeyTable(rowLength, members.length, maxKeys);
    return { table, find: (_tx, slots) => table.intern(slots, members) };
  }
  const read = fieldReader(fields[0]!);
  const table = new StringKeyTable(rowLength, maxKeys);
  const find = (tx: Transaction): number => {
    const key = read(tx);
    return key === null ? NO_KEY : table.intern(key);
  };
  return { table, find };
}
