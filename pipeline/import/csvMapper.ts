import { maskCardNumbers } from '../cardNumbers.ts';
import type { LabelKind } from '../../schemas/types.ts';
import type { CsvColumn, CsvConstant, CsvLabelMapping, CsvMapping, CsvTime } from '../csvMapping.ts';

/** One row as an import takes it: what a gateway would have sent, and what becomes known of it later. */
export interface MappedRow {
  /** As JSON would be: not checked yet. A cell that cannot be read stays text, so that the border's check names the field. */
  readonly transaction: Readonly<Record<string, unknown>>;
  readonly label: MappedLabel | null;
}

export interface MappedLabel {
  readonly label: LabelKind;
  readonly delayMs: number;
  readonly labelSource: string;
  readonly fraudType: string | null;
}

type Row = readonly string[];
type ReadCell = (row: Row) => unknown;

/** Turns the rows of one CSV file into payments and labels. Throws when the file lacks a column that the mapping names. */
export class CsvMapper {
  readonly #fields: readonly (readonly [name: string, read: ReadCell])[];
  readonly #label: ((row: Row) => MappedLabel | null) | null;

  constructor(mapping: CsvMapping, header: Row) {
    const { transactionId, eventTimeMs, amountMinor, type, channel, currency, texts } = mapping.transaction;
    const amountCell = cell(amountMinor, header);
    const timeCell = cell(eventTimeMs, header);
    this.#fields = [
      ['transactionId', cell(transactionId, header)],
      ['eventTimeMs', (row) => toTime(timeCell(row), eventTimeMs.format)],
      ['amountMinor', (row) => toMinor(amountCell(row), amountMinor.decimals)],
      ...Object.entries({ type, channel, currency, ...texts }).map(
        ([name, source]) => [name, textReader(source, header)] as const,
      ),
    ];
    this.#label = mapping.label === null ? null : labelReader(mapping.label, header);
  }

  map(row: Row): MappedRow {
    const transaction: Record<string, unknown> = {};
    for (const [name, read] of this.#fields) transaction[name] = read(row);
    return { transaction, label: this.#label === null ? null : this.#label(row) };
  }
}

function cell({ column }: CsvColumn, header: Row): (row: Row) => string {
  const index = header.indexOf(column);
  if (index < 0) {
    throw new Error(
      `SLUICE_IMPORT_COLUMN: the file has no column '${column}'; its first line has ${maskCardNumbers(header.slice(0, 20).join(', ')).slice(0, 400)}`,
    );
  }
  return (row) => row[index] ?? '';
}

function textReader(source: CsvColumn | CsvConstant<string>, header: Row): ReadCell {
  if ('constant' in source) return () => source.constant;
  const read = cell(source, header);
  return (row) => {
    const text = read(row);
    return text === '' ? null : text;
  };
}

function labelReader(mapping: CsvLabelMapping, header: Row): (row: Row) => MappedLabel | null {
  const { delayMs, labelSource, fraudValues, includeGenuine, fraudType } = mapping;
  const read = cell(mapping, header);
  const readType = fraudType === null ? () => '' : cell(fraudType, header);
  const names = new Map(Object.entries(fraudType?.names ?? {}));
  return (row) => {
    if (fraudValues.includes(read(row))) {
      return { label: 'fraud', delayMs, labelSource, fraudType: names.get(readType(row)) ?? null };
    }
    return includeGenuine ? { label: 'genuine', delayMs, labelSource, fraudType: null } : null;
  };
}

/**
 * `57.16` with 2 decimals is 5716. Digits beyond the currency's are rounded, half up, on the digits themselves: files that
 * went through binary fractions say 85.64999999999999 and mean 85.65.
 */
function toMinor(text: string, decimals: number): unknown {
  const match = /^(-?)(\d{1,13})(?:\.(\d*))?$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = ''] = match;
  const kept = Number(`${whole}${fraction.slice(0, decimals).padEnd(decimals, '0')}`);
  const minor = Number(fraction[decimals] ?? '0') >= 5 ? kept + 1 : kept;
  return sign === '' ? minor : -minor;
}

function toTime(text: string, format: CsvTime['format']): unknown {
  if (format === 'dateTime') {
    const match = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?)Z?$/.exec(text);
    const timeMs = match === null ? NaN : Date.parse(`${match[1] ?? ''}T${match[2] ?? ''}Z`);
    return Number.isNaN(timeMs) ? text : timeMs;
  }
  if (!/^\d{1,15}$/.test(text)) return text;
  return format === 'epochSeconds' ? Number(text) * 1000 : Number(text);
}
