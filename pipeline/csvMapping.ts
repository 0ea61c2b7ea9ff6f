import type { Channel, LabelSource, TransactionType } from '../schemas/types.ts';

/** How the rows of a CSV file become payments and labels. Columns are named as in the file's first line. */
export interface CsvMapping {
  readonly transaction: CsvTransactionMapping;
  /** Null: the file has no labels. */
  readonly label: CsvLabelMapping | null;
}

export interface CsvTransactionMapping {
  readonly transactionId: CsvColumn;
  readonly eventTimeMs: CsvTime;
  readonly amountMinor: CsvAmount;
  readonly type: CsvColumn | CsvConstant<TransactionType>;
  readonly channel: CsvColumn | CsvConstant<Channel>;
  /** ISO 4217. */
  readonly currency: CsvColumn | CsvConstant<string>;
  /** The rest of a payment's text fields, by their name; an empty cell is null. */
  readonly texts: Readonly<Partial<Record<CsvTextField, CsvColumn | CsvConstant<string>>>>;
}

export const CSV_TEXT_FIELDS = [
  'account',
  'device',
  'ip',
  'merchant',
  'mcc',
  'terminal',
  'payee',
  'country',
  'originalTransactionId',
] as const;

export type CsvTextField = (typeof CSV_TEXT_FIELDS)[number];

export interface CsvColumn {
  readonly column: string;
}

export interface CsvConstant<T extends string> {
  readonly constant: T;
}

export interface CsvTime {
  readonly column: string;
  /** dateTime: `YYYY-MM-DD HH:MM:SS` (or a T between, or parts of a second), read as UTC. */
  readonly format: 'dateTime' | 'epochSeconds' | 'epochMilliseconds';
}

export interface CsvAmount {
  readonly column: string;
  /** Decimals of the currency: 12.59 with 2 is 1259, digit by digit, never through a float. 0: minor units already. */
  readonly decimals: number;
}

export interface CsvLabelMapping {
  readonly column: string;
  /** Cells that mean fraud; every other cell is genuine. */
  readonly fraudValues: readonly string[];
  /** The label is known so long after its payment. */
  readonly delayMs: number;
  readonly labelSource: LabelSource;
  /** Whether genuine payments get a label too. */
  readonly includeGenuine: boolean;
  /** The kind of fraud by a column's value. */
  readonly fraudType: { readonly column: string; readonly names: Readonly<Record<string, string>> } | null;
}
