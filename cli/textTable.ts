/** Rows as aligned lines: columns named in `left` to the left, all others to the right. */
export function textTable(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length);
  const lines = rows.map((row) => {
    const cells = row.map((text, column) => {
      const width = widths[column] ?? 0;
      return left.includes(column) ? text.padEnd(width) : text.padStart(width);
    });
    return `${cells.join('  ').trimEnd()}\n`;
  });
  return lines.join('');
}
