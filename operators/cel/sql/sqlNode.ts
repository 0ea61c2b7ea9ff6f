import type { ASTNode } from '@marcbachmann/cel-js';
import { floatLiteral, quoteText } from '../../sql/sqlText.ts';

/**
 * A sub-expression in SQL. Every `sql` can stand as an operand: what is more than a name or a call is in parentheses.
 *
 * Numbers and truth values are NULL where evaluation failed, since SQL's AND, OR, NOT, comparisons and arithmetic then do
 * what CEL does with a failure. Text is NULL where it is absent, which is no failure, so that text says apart whether it failed.
 */
export type SqlNode =
  | SqlNumber
  | SqlTruth
  | SqlText
  | SqlAttribute
  | { readonly type: 'null' }
  | { readonly type: 'strings'; readonly sql: string; readonly constant?: readonly string[] }
  | { readonly type: 'card'; readonly isAbsent: string };

export interface SqlNumber {
  readonly type: 'double';
  readonly sql: string;
  readonly canFail: boolean;
  /** An integer type of ClickHouse, every value of which is a whole double from 0 to 2^53. */
  readonly isInteger: boolean;
  readonly constant?: number;
  /** The DateTime64 column whose milliseconds it is. */
  readonly time?: string;
}

export interface SqlTruth {
  readonly type: 'bool';
  readonly sql: string;
  readonly canFail: boolean;
  readonly constant?: boolean;
}

export interface SqlText {
  readonly type: 'string';
  readonly sql: string;
  readonly isNullable: boolean;
  /** Whether evaluation failed; null when it cannot. */
  readonly failed: string | null;
  readonly constant?: string;
}

/** A value whose type is known only when it is read: one of the three is not NULL unless it failed. */
export interface SqlAttribute {
  readonly type: 'dyn';
  readonly number: string;
  readonly text: string;
  readonly flag: string;
  readonly failed: string;
}

/** Translates a child of the node at hand. */
export type TranslateChild = (child: ASTNode) => SqlNode;

export function truth(sql: string, canFail: boolean): SqlTruth {
  return { type: 'bool', sql, canFail };
}

export function float(sql: string, canFail: boolean): SqlNumber {
  return { type: 'double', sql, canFail, isInteger: false };
}

export function constantNode(value: number | string | boolean): SqlNode {
  switch (typeof value) {
    case 'number':
      return { type: 'double', sql: floatLiteral(value), canFail: false, isInteger: false, constant: value };
    case 'boolean':
      return { type: 'bool', sql: String(value), canFail: false, constant: value };
    default:
      return { type: 'string', sql: quoteText(value), isNullable: false, failed: null, constant: value };
  }
}

/** As Float64: ClickHouse finds no common type for integers and floats. */
export function asFloat(node: SqlNumber): string {
  return node.isInteger ? `toFloat64(${node.sql})` : node.sql;
}

export function failureOf(node: SqlNode): string | null {
  switch (node.type) {
    case 'double':
    case 'bool':
      return node.canFail ? `${node.sql} IS NULL` : null;
    case 'string':
    case 'dyn':
      return node.failed;
    default:
      return null;
  }
}

/** `sql`, or NULL where one of the nodes failed. */
export function unlessFailed(nodes: readonly SqlNode[], sql: string): SqlTruth {
  const failures = nodes.flatMap((node) => failureOf(node) ?? []);
  if (failures.length === 0) return truth(sql, false);
  return truth(`if(${failures.join(' OR ')}, NULL, ${bare(sql)})`, true);
}

/** Without the parentheses around the whole, where they are not needed. */
export function bare(sql: string): string {
  if (!sql.startsWith('(')) return sql;
  let depth = 0;
  for (let index = 0; index < sql.length; index++) {
    const character = sql[index];
    if (character === "'") index = endOfText(sql, index);
    else if (character === '(') depth += 1;
    else if (character === ')' && --depth === 0) return index === sql.length - 1 ? sql.slice(1, -1) : sql;
  }
  return sql;
}

/**
 * Names values that `body` mentions more than once, so that nested expressions grow by sums, not by products. ClickHouse's
 * `WITH` would name them too, but not inside another expression; a lambda over one-element arrays does.
 */
export class SqlNames {
  #count = 0;

  name(values: readonly string[], body: (names: readonly string[]) => string): string {
    const isShort = (value: string): boolean => /^[\w.]+$/.test(value);
    const names = values.map((value) => (isShort(value) ? value : `value_${++this.#count}`));
    const named = values.flatMap((value, index) =>
      isShort(value) ? [] : [[names[index], `[${bare(value)}]`] as const],
    );
    if (named.length === 0) return body(names);
    const parameters = named.map(([name]) => name).join(', ');
    return `arrayMap((${parameters}) -> ${body(names)}, ${named.map(([, value]) => value).join(', ')})[1]`;
  }
}

function endOfText(sql: string, start: number): number {
  let index = start + 1;
  while (index < sql.length && sql[index] !== "'") index += sql[index] === '\\' ? 2 : 1;
  return index;
}
