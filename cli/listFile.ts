import type { Readable } from 'node:stream';
import { parse, type Info } from 'csv-parse';
import { listValue } from '../operators/lists/listValue.ts';
import type { ListSummary } from './listAccess.ts';
import { parseUntil, UNTIL_FORMS } from './untilTime.ts';
import { openCounted } from './countedFile.ts';
import { UserError } from './userError.ts';

/** As in schemas/list-change.avsc. */
const MAX_REASON_LENGTH = 256;

/** One line of a file: an entry, or what is wrong with it. */
export type ListLine =
  | { readonly ok: true; readonly line: number; readonly entry: FileEntry }
  | { readonly ok: false; readonly line: number; readonly message: string };

export interface FileEntry {
  readonly value: string;
  readonly expiresAtMs?: number;
  readonly reason?: string;
}

/** Columns that `sluice lists export` writes for people. */
const IGNORED: ReadonlySet<string> = new Set(['author', 'since']);
const KNOWN: ReadonlySet<string> = new Set(['value', 'expires', 'reason', ...IGNORED]);

/**
 * A file of list entries: CSV whose header names the columns `value` and, if it likes, `expires` and `reason`; or without a header
 * one value a line. Empty lines, and those that begin with #, are left out; gzip by its ending.
 */
export class ListFile {
  readonly #path: string;
  readonly #list: ListSummary;
  readonly #nowMs: number;
  #bytesRead = 0;

  constructor(path: string, list: ListSummary, nowMs: number) {
    this.#path = path;
    this.#list = list;
    this.#nowMs = nowMs;
  }

  /** Bytes of the file taken so far, compressed if it is. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Throws UserError when the file is no CSV or cannot be read on. */
  async *lines(): AsyncGenerator<ListLine, void, undefined> {
    this.#bytesRead = 0;
    const input = this.#open();
    const parser = parse({
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      comment: '#',
      comment_no_infix: true,
      info: true,
    });
    input.on('error', (error) => parser.destroy(error));
    let columns: readonly string[] | null = null;
    try {
      for await (const item of input.pipe(parser)) {
        const { record, info } = asRow(item);
        if (columns === null) {
          columns = this.#columnsOf(record, info.lines);
          if (record.some((cell) => cell.toLowerCase() === 'value')) continue;
        }
        yield this.#line(columns, record, info.lines);
      }
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`${this.#path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #open(): Readable {
    return openCounted(this.#path, (bytes) => {
      this.#bytesRead += bytes;
    });
  }

  #columnsOf(first: readonly string[], line: number): readonly string[] {
    const names = first.map((cell) => cell.toLowerCase());
    if (!names.includes('value')) {
      if (first.length === 1) return ['value'];
      throw new UserError(
        `${this.#path}:${line} has ${first.length} columns: name them in a first line value,expires,reason`,
      );
    }
    const unknown = names.findIndex((name) => !KNOWN.has(name));
    if (unknown >= 0)
      throw new UserError(
        `${this.#path}:${line} column ${unknown + 1} is not known: there are value, expires and reason`,
      );
    return names;
  }

  #line(columns: readonly string[], record: readonly string[], line: number): ListLine {
    const wrong = (message: string): ListLine => ({ ok: false, line, message });
    if (record.length > columns.length) return wrong(`has ${record.length} columns in place of ${columns.length}`);
    const cell = (name: string): string => record[columns.indexOf(name)] ?? '';
    const value = listValue(this.#list, cell('value'));
    if (!value.ok) return wrong(`value ${value.message}`);
    const expires = cell('expires');
    const expiresAtMs = expires === '' || expires === 'never' ? undefined : parseUntil(expires, this.#nowMs);
    if (expires !== '' && expires !== 'never' && expiresAtMs === undefined)
      return wrong(`expires must be ${UNTIL_FORMS}`);
    if (expiresAtMs !== undefined && expiresAtMs <= this.#nowMs) return wrong('expires is in the past');
    const reason = cell('reason');
    if (reason.length > MAX_REASON_LENGTH) return wrong(`reason must have at most ${MAX_REASON_LENGTH} characters`);
    const entry = {
      value: cell('value'),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      ...(reason === '' ? {} : { reason }),
    };
    return { ok: true, line, entry };
  }
}

function asRow(item: unknown): { readonly record: readonly string[]; readonly info: Pick<Info, 'lines'> } {
  if (isRow(item)) return item;
  throw new Error('a row is not a list of cells');
}

function isRow(item: unknown): item is { readonly record: readonly string[]; readonly info: Info } {
  return (
    typeof item === 'object' &&
    item !== null &&
    'record' in item &&
    'info' in item &&
    Array.isArray(item.record) &&
    item.record.every((cell) => typeof cell === 'string')
  );
}
