import { exception } from './exception.ts';
import { tokenize, type Token } from './lexer.ts';

/** What the endpoint must know about a statement before it hands it to the engine. */
export type Statement =
  /** Data follows: in the request's body, or inline from byte `dataStart` on. */
  | { readonly kind: 'insertData'; readonly insert: InsertHead }
  /** The engine writes; there is no data to read. */
  | { readonly kind: 'insertSelect'; readonly sql: string }
  /** Its result may be large, so it goes through a file. `body` is the query without its FORMAT clause. */
  | { readonly kind: 'select'; readonly body: string; readonly format: string | null; readonly settings: string }
  /** Anything else: short results. */
  | { readonly kind: 'other'; readonly sql: string; readonly format: string | null };

export interface InsertHead {
  /** `INSERT INTO t (a, b)`. */
  readonly target: string;
  /** ` SETTINGS …` or nothing. */
  readonly settings: string;
  readonly format: string;
  /** Byte offset of inline data in the text. */
  readonly dataStart: number;
}

/** `text` is latin1. Data behind an INSERT is not looked at. */
export function parseStatement(text: string): Statement {
  const first = tokenize(text).next().value;
  if (first === undefined) throw exception('SYNTAX_ERROR', 'Empty query');
  if (first.text === 'insert') return parseInsert(text);
  const tokens = withoutSemicolon([...tokenize(text)]);
  const end = tokens.at(-1)?.end ?? text.length;
  const leading = tokens.find((token) => token.text !== '(')?.text ?? '';
  const isInsertAfterWith = leading === 'with' && tokens.some((token, index) => isInsertInto(tokens, token, index));
  if (isInsertAfterWith) return { kind: 'insertSelect', sql: text.slice(0, end) };
  const clause = formatClause(text, tokens);
  if (leading === 'select' || leading === 'with' || leading === 'from') {
    if (clause === undefined) return { kind: 'select', body: text.slice(0, end), format: null, settings: '' };
    return {
      kind: 'select',
      body: text.slice(0, clause.start),
      format: clause.name,
      settings: text.slice(clause.nameEnd, end),
    };
  }
  return { kind: 'other', sql: text.slice(0, end), format: clause?.name ?? null };
}

/** Words that the endpoint itself writes into statements: from a client they would read or write the host's files. */
export function refuseFileClauses(statement: Statement): void {
  const text = statementText(statement);
  const tokens = [...tokenize(text)];
  for (const [index, token] of tokens.entries()) {
    const previous = tokens[index - 1];
    if (token.kind !== 'word' || previous?.kind !== 'word') continue;
    if ((token.text === 'outfile' && previous.text === 'into') || (token.text === 'infile' && previous.text === 'from'))
      throw exception(
        'SUPPORT_IS_DISABLED',
        `${previous.text.toUpperCase()} ${token.text.toUpperCase()} is not available over HTTP`,
      );
  }
}

/** The statement's SQL without inline data. */
export function statementText(statement: Statement): string {
  switch (statement.kind) {
    case 'insertData':
      return `${statement.insert.target}${statement.insert.settings} FORMAT ${statement.insert.format}`;
    case 'select':
      return statement.body + statement.settings;
    case 'insertSelect':
    case 'other':
      return statement.sql;
  }
}

function parseInsert(text: string): Statement {
  let depth = 0;
  let settingsStart: number | undefined;
  let hasSelect = false;
  let reachedFormat = false;
  let targetSeen = false;
  let last: Token | undefined;
  for (const token of tokenize(text)) {
    if (reachedFormat) {
      if (token.kind !== 'word') throw exception('SYNTAX_ERROR', 'A format name must follow FORMAT');
      const format = text.slice(token.start, token.end);
      const dataStart = startOfData(text, token.end);
      if (hasSelect) {
        // A result format after INSERT … SELECT means nothing; with data behind it, it would be for input().
        if (text.slice(dataStart).trim() !== '')
          throw exception('NOT_IMPLEMENTED', 'INSERT … SELECT FROM input() with inline data is not supported');
        return { kind: 'insertSelect', sql: text.slice(0, token.end) };
      }
      const formatStart = last?.start ?? token.start;
      return {
        kind: 'insertData',
        insert: {
          target: text.slice(0, settingsStart ?? formatStart).trimEnd(),
          settings: settingsStart === undefined ? '' : ` ${text.slice(settingsStart, formatStart).trim()}`,
          format,
          dataStart,
        },
      };
    }
    if (token.text === ';' && token.kind === 'symbol') break;
    if (token.text === '(' && token.kind === 'symbol') depth += 1;
    else if (token.text === ')' && token.kind === 'symbol') depth -= 1;
    else if (depth === 0 && token.kind === 'word' && targetSeen && last?.text !== '.') {
      if (token.text === 'format') reachedFormat = true;
      else if (token.text === 'settings' && !hasSelect) settingsStart = token.start;
      else if (token.text === 'select' || token.text === 'with') hasSelect = true;
      else if (token.text === 'values' && !hasSelect) {
        return {
          kind: 'insertData',
          insert: {
            target: text.slice(0, settingsStart ?? token.start).trimEnd(),
            settings: settingsStart === undefined ? '' : ` ${text.slice(settingsStart, token.start).trim()}`,
            format: 'Values',
            dataStart: token.end,
          },
        };
      }
    } else if (
      depth === 1 &&
      last?.text === '(' &&
      token.kind === 'word' &&
      (token.text === 'select' || token.text === 'with')
    ) {
      hasSelect = true;
    }
    // The table may itself be called "format" or "values": keywords count from the token after INTO's next one on.
    if (last !== undefined && (isTargetStart(last) || (last.text === 'insert' && !isTargetStart(token))))
      targetSeen = true;
    last = token;
  }
  if (reachedFormat) throw exception('SYNTAX_ERROR', 'A format name must follow FORMAT');
  const tokens = withoutSemicolon([...tokenize(text)]);
  if (!hasSelect) throw exception('SYNTAX_ERROR', 'INSERT needs FORMAT, VALUES or SELECT');
  return { kind: 'insertSelect', sql: text.slice(0, tokens.at(-1)?.end ?? text.length) };
}

function isTargetStart(token: Token): boolean {
  return token.kind === 'word' && ['into', 'table', 'function'].includes(token.text);
}

/** Behind the format's name: blanks, an optional semicolon, then at most one line end belong to the SQL. */
function startOfData(text: string, formatEnd: number): number {
  const blanks = /[ \t\f]*(?:;[ \t\f]*(?=\r?\n|$))?\r?\n?/y;
  blanks.lastIndex = formatEnd;
  return formatEnd + (blanks.exec(text)?.[0].length ?? 0);
}

function withoutSemicolon(tokens: readonly Token[]): readonly Token[] {
  let count = tokens.length;
  while (count > 0 && tokens[count - 1]?.kind === 'symbol' && tokens[count - 1]?.text === ';') count -= 1;
  return tokens.slice(0, count);
}

function isInsertInto(tokens: readonly Token[], token: Token, index: number): boolean {
  return token.kind === 'word' && token.text === 'insert' && tokens[index + 1]?.text === 'into';
}

/** `FORMAT name` at the end, or in front of a closing SETTINGS clause. */
function formatClause(
  text: string,
  tokens: readonly Token[],
): { start: number; name: string; nameEnd: number } | undefined {
  let depth = 0;
  for (let index = tokens.length - 1; index > 0; index -= 1) {
    const token = tokens[index];
    if (token?.kind === 'symbol' && token.text === ')') depth += 1;
    if (token?.kind === 'symbol' && token.text === '(') depth -= 1;
    if (depth !== 0 || token?.kind !== 'word' || token.text !== 'format') continue;
    const name = tokens[index + 1];
    const after = tokens[index + 2];
    if (name?.kind !== 'word' || (after !== undefined && after.text !== 'settings')) continue;
    return { start: token.start, name: text.slice(name.start, name.end), nameEnd: name.end };
  }
  return undefined;
}

/** Whether anything but semicolons follows a semicolon. */
export function hasSecondStatement(text: string): boolean {
  let isAfterSemicolon = false;
  for (const token of tokenize(text)) {
    const isSemicolon = token.kind === 'symbol' && token.text === ';';
    if (isAfterSemicolon && !isSemicolon) return true;
    isAfterSemicolon ||= isSemicolon;
  }
  return false;
}
