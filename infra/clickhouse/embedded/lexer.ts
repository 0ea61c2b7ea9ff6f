/**
 * ClickHouse SQL as tokens. Works on a `latin1` string, in which one character is one byte, so that positions are
 * byte offsets and binary data behind an INSERT does no harm. Follows src/Parsers/Lexer.cpp of ClickHouse.
 */
export interface Token {
  /** `word`: keyword, bare identifier or number. `quoted`: quoted identifier. */
  readonly kind: 'word' | 'quoted' | 'string' | 'symbol';
  /** Without quotes for `quoted` and `string` (escapes are left as written), lower case for `word`. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Tokens from `position` on, one at a time: data behind an INSERT is never looked at. */
export function* tokenize(sql: string, position = 0): Generator<Token, void, undefined> {
  let at = position;
  while (at < sql.length) {
    const skipped = skipBlankOrComment(sql, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    const token = readToken(sql, at);
    yield token;
    at = token.end;
  }
}

const whitespace = /[\s\0]/;
const wordPattern = /[A-Za-z0-9_$]+/y;
// UTF-8 of the quotation marks that ClickHouse takes for ' and ".
const openSingle = '\u00e2\u0080\u0098';
const closeSingle = '\u00e2\u0080\u0099';
const openDouble = '\u00e2\u0080\u009c';
const closeDouble = '\u00e2\u0080\u009d';

function skipBlankOrComment(sql: string, at: number): number {
  const char = sql.charAt(at);
  if (whitespace.test(char)) return at + 1;
  if (sql.startsWith('--', at) || sql.startsWith('#!', at) || sql.startsWith('# ', at)) {
    const newline = sql.indexOf('\n', at);
    return newline < 0 ? sql.length : newline + 1;
  }
  if (sql.startsWith('/*', at)) {
    const close = sql.indexOf('*/', at + 2);
    return close < 0 ? sql.length : close + 2;
  }
  // Other bytes beyond ASCII (no-break spaces among them) separate tokens and mean nothing here.
  if (char >= '\u0080' && !sql.startsWith(openSingle, at) && !sql.startsWith(openDouble, at)) return at + 1;
  return at;
}

function readToken(sql: string, at: number): Token {
  const char = sql.charAt(at);
  if (char === "'") return readEscaped(sql, at, "'", 'string');
  if (char === '`' || char === '"') return readEscaped(sql, at, char, 'quoted');
  if (sql.startsWith(openSingle, at)) return readUntil(sql, at, 3, closeSingle, 'string');
  if (sql.startsWith(openDouble, at)) return readUntil(sql, at, 3, closeDouble, 'quoted');
  if (char === '$') {
    const tag = /\$\w*\$/y;
    tag.lastIndex = at;
    const opening = tag.exec(sql)?.[0];
    if (opening !== undefined && sql.includes(opening, at + opening.length)) {
      return readUntil(sql, at, opening.length, opening, 'string');
    }
  }
  wordPattern.lastIndex = at;
  const word = wordPattern.exec(sql)?.[0];
  if (word !== undefined) return { kind: 'word', text: word.toLowerCase(), start: at, end: at + word.length };
  return { kind: 'symbol', text: char, start: at, end: at + 1 };
}

function readEscaped(sql: string, start: number, quote: string, kind: 'string' | 'quoted'): Token {
  let at = start + 1;
  while (at < sql.length) {
    const char = sql.charAt(at);
    if (char === '\\') at += 2;
    else if (char !== quote) at += 1;
    else if (sql.charAt(at + 1) === quote) at += 2;
    else return { kind, text: sql.slice(start + 1, at), start, end: at + 1 };
  }
  return { kind, text: sql.slice(start + 1), start, end: sql.length };
}

function readUntil(sql: string, start: number, opening: number, closing: string, kind: 'string' | 'quoted'): Token {
  const close = sql.indexOf(closing, start + opening);
  if (close < 0) return { kind, text: sql.slice(start + opening), start, end: sql.length };
  return { kind, text: sql.slice(start + opening, close), start, end: close + closing.length };
}
