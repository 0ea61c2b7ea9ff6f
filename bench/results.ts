import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** One run of a benchmark, as a row of bench/RESULTS.md. */
export interface ResultRow {
  /** UTC, `2026-11-22 18:04`. */
  readonly date: string;
  /** Short hash; `+` after it: with changes that are not committed. */
  readonly commit: string;
  readonly machine: string;
  readonly line: string;
  readonly conditions: string;
}

/** Rows kept of each benchmark, the newest first. */
export const MAX_ROWS = 10;

const INTRODUCTION = `# Benchmark results

Written by \`make bench NAME=...\`: the last ${MAX_ROWS} runs of each benchmark, the newest first. The machine's load is the one-minute
average when the run began: a figure taken beside other work says what is possible at least.
`;
/** A row starts with its date; the two lines above the rows do not. */
const ROW = /^\| \d{4}-/;
const COLUMNS = ['date (UTC)', 'commit', 'machine', 'result', 'conditions'];

/** Puts a row at the head of its benchmark's table; `text` is the file as it was, empty at first. */
export function withResult(text: string, name: string, row: ResultRow): string {
  const tables = parseTables(text);
  const cells = [row.date, row.commit, row.machine, `\`${row.line}\``, row.conditions].map(escapeCell);
  const rows = [`| ${cells.join(' | ')} |`, ...(tables.get(name) ?? [])].slice(0, MAX_ROWS);
  tables.set(name, rows);
  const names = [...tables.keys()].sort();
  const header = `| ${COLUMNS.join(' | ')} |\n|${COLUMNS.map(() => ' --- ').join('|')}|\n`;
  return (
    INTRODUCTION + names.map((each) => `\n## ${each}\n\n${header}${tables.get(each)?.join('\n') ?? ''}\n`).join('')
  );
}

export function recordResult(file: string, name: string, row: ResultRow): void {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, withResult(text, name, row));
}

function parseTables(text: string): Map<string, string[]> {
  const tables = new Map<string, string[]>();
  let rows: string[] = [];
  for (const line of text.split('\n')) {
    const heading = /^## (\S+)$/.exec(line)?.[1];
    if (heading !== undefined) {
      rows = [];
      tables.set(heading, rows);
    } else if (ROW.test(line)) rows.push(line);
  }
  return tables;
}

/** A cell holds neither the table's own bar nor a line's end. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '/').replaceAll(/\s+/g, ' ');
}
