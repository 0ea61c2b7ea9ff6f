import type { HistoryDifference } from '../../pipeline/ports.ts';
import type { NativeBlock, NativeCells } from './nativeReader.ts';

/** Columns and characters of a value that a difference names. */
const MAX_COLUMNS = 6;
const MAX_TEXT = 60;
/** An undefined feature: what a column holds that a decision's catalogue does not have. */
const UNDEFINED_FEATURE = 'nan';

interface Row {
  readonly block: NativeBlock;
  readonly row: number;
}

/**
 * What differs between the rows that a table should have and those that it has. Rows of one ledger offset are taken together:
 * equal ones first, what is left over in order. `columns` are those to compare.
 */
export function compareRows(
  table: string,
  columns: readonly string[],
  expected: readonly NativeBlock[],
  found: readonly NativeBlock[],
): HistoryDifference[] {
  const differences: HistoryDifference[] = [];
  const wanted = byOffset(expected);
  const there = byOffset(found);
  for (const [offset, rows] of wanted) {
    const others = there.get(offset) ?? [];
    there.delete(offset);
    compareOffset(table, columns, offset, rows, others, differences);
  }
  for (const [offset, rows] of there) compareOffset(table, columns, offset, [], rows, differences);
  return differences;
}

function byOffset(blocks: readonly NativeBlock[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const block of blocks) {
    const offsets = block.columns.get('ledger_offset');
    for (let row = 0; row < block.rowCount; row++) {
      const offset = offsets?.text(row) ?? '';
      const group = groups.get(offset);
      if (group === undefined) groups.set(offset, [{ block, row }]);
      else group.push({ block, row });
    }
  }
  return groups;
}

function compareOffset(
  table: string,
  columns: readonly string[],
  offset: string,
  wanted: readonly Row[],
  found: readonly Row[],
  differences: HistoryDifference[],
): void {
  const left = [...found];
  const unmatched = wanted.filter((row) => {
    const at = left.findIndex((other) => columns.every((column) => isEqual(row, other, column)));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const ledgerOffset = Number(offset);
  for (const row of unmatched) {
    const other = left.shift();
    if (other === undefined) differences.push({ table, ledgerOffset, kind: 'missing', detail: '' });
    else differences.push({ table, ledgerOffset, kind: 'changed', detail: describeChange(columns, row, other) });
  }
  const isCopy = wanted.length > unmatched.length;
  for (let more = left.length; more > 0; more--)
    differences.push({ table, ledgerOffset, kind: 'added', detail: isCopy ? 'one row more than there should be' : '' });
}

function isEqual(wanted: Row, found: Row, column: string): boolean {
  return cellOf(wanted, column) === cellOf(found, column);
}

/** A column that no decision of the batch has was not sent, and has its default. */
function cellOf({ block, row }: Row, column: string): string | null {
  const cells: NativeCells | undefined = block.columns.get(column);
  return cells === undefined ? UNDEFINED_FEATURE : cells.cell(row);
}

function describeChange(columns: readonly string[], wanted: Row, found: Row): string {
  const changed = columns.filter((column) => !isEqual(wanted, found, column));
  const named = changed.slice(0, MAX_COLUMNS).map((column) => {
    const [is, was] = [textOf(found, column), textOf(wanted, column)];
    return is === was ? `${column} differs` : `${column} is ${is} instead of ${was}`;
  });
  const more = changed.length - named.length;
  return named.join('; ') + (more > 0 ? `; and ${more} more columns` : '');
}

function textOf({ block, row }: Row, column: string): string {
  const text = block.columns.get(column)?.text(row) ?? 'NaN';
  // Bytes that are no text would spoil a terminal.
  const printable = text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, '?');
  return printable.length > MAX_TEXT ? `${printable.slice(0, MAX_TEXT)}…` : printable;
}
