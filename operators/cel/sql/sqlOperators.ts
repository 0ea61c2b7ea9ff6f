import type { ASTNode } from '@marcbachmann/cel-js';
import { floatLiteral, quoteText } from '../../sql/sqlText.ts';
import { CelCompileError } from '../celCompileError.ts';
import {
  asFloat,
  bare,
  constantNode,
  failureOf,
  float,
  truth,
  unlessFailed,
  type SqlAttribute,
  type SqlNames,
  type SqlNode,
  type SqlNumber,
  type SqlText,
  type SqlTruth,
  type TranslateChild,
} from './sqlNode.ts';

/** A node as a number: an attribute that is none is a failure. */
export function toNumber(node: SqlNode, position: number): SqlNumber {
  if (node.type === 'double') return node;
  if (node.type === 'dyn') return float(node.number, true);
  throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'only numbers can be used here', position);
}

/** A node as a truth value: an attribute that is none is a failure. */
export function toTruth(node: SqlNode, position: number): SqlTruth {
  if (node.type === 'bool') return node;
  if (node.type === 'dyn') return truth(node.flag, true);
  throw new CelCompileError('SLUICE_CEL_TYPE', 'must be true or false', position);
}

export function logicalSql(operands: readonly SqlTruth[], operator: 'AND' | 'OR'): SqlTruth {
  const canFail = operands.some((operand) => operand.canFail);
  return truth(`(${operands.map(({ sql }) => sql).join(` ${operator} `)})`, canFail);
}

export function notSql({ sql, canFail }: SqlTruth): SqlTruth {
  return truth(`(NOT ${sql})`, canFail);
}

export function ternarySql(condition: SqlTruth, left: SqlNode, right: SqlNode, names: SqlNames): SqlNode {
  const choose = (a: string, b: string): string => chooseSql(condition, a, b, names);
  if (left.type === 'double' && right.type === 'double')
    return float(choose(asFloat(left), asFloat(right)), condition.canFail || left.canFail || right.canFail);
  if (left.type === 'bool' && right.type === 'bool')
    return truth(choose(left.sql, right.sql), condition.canFail || left.canFail || right.canFail);
  if (left.type === 'string' && right.type === 'string') {
    const failures = [left.failed ?? 'false', right.failed ?? 'false'] as const;
    const isSure = left.failed === null && right.failed === null && !condition.canFail;
    return {
      type: 'string',
      sql: `if(${bare(condition.sql)}, ${left.sql}, ${right.sql})`,
      isNullable: left.isNullable || right.isNullable,
      failed: isSure ? null : `ifNull(${choose(failures[0], failures[1])}, true)`,
    };
  }
  const [a, b] = [asAttribute(left), asAttribute(right)];
  const views = {
    number: choose(a.number, b.number),
    text: choose(a.text, b.text),
    flag: choose(a.flag, b.flag),
  };
  const failed = `ifNull(${choose(`(${a.failed})`, `(${b.failed})`)}, true)`;
  return { type: 'dyn', ...views, failed };
}

export function equalitySql(left: SqlNode, right: SqlNode): SqlTruth {
  if (left.type === 'null') return isNullSql(right);
  if (right.type === 'null') return isNullSql(left);
  if (left.type === 'double' && right.type === 'double') return comparisonSql('=', left, right);
  if (left.type === 'bool' && right.type === 'bool')
    return truth(`(${left.sql} = ${right.sql})`, left.canFail || right.canFail);
  if (left.type === 'string' && right.type === 'string')
    return unlessFailed([left, right], textEqualitySql(left, right));
  if (left.type === 'card' && right.type === 'card') return truth('true', false);
  if (left.type === 'dyn' || right.type === 'dyn') {
    const [a, b] = [asAttribute(left), asAttribute(right)];
    const pairs = [
      [a.number, b.number],
      [a.text, b.text],
      [a.flag, b.flag],
    ].filter((pair) => !pair.includes('NULL'));
    const equal = pairs.map(([one, other]) => `ifNull(${one} = ${other}, false)`).join(' OR ');
    return unlessFailed([left, right], equal === '' ? 'false' : `(${equal})`);
  }
  return unlessFailed([left, right], 'false');
}

export function comparisonSql(operator: '=' | '<' | '<=' | '>' | '>=', left: SqlNumber, right: SqlNumber): SqlTruth {
  // A whole number against an integer column reads best without a point, and compares the same.
  const side = (node: SqlNumber, other: SqlNumber): string =>
    other.isInteger && Number.isSafeInteger(node.constant) ? String(node.constant) : node.sql;
  return truth(`(${side(left, right)} ${operator} ${side(right, left)})`, left.canFail || right.canFail);
}

export function arithmeticSql(
  operator: '+' | '-' | '*' | '/' | '%',
  left: SqlNumber,
  right: SqlNumber,
  names: SqlNames,
): SqlNumber {
  const canFail = left.canFail || right.canFail;
  if (operator === '%') return float(remainderSql(left, right, names), canFail);
  // One operand that is Float64 makes ClickHouse compute in Float64.
  const first = left.isInteger && right.isInteger ? asFloat(left) : left.sql;
  return float(`(${first} ${operator} ${right.sql})`, canFail);
}

export function negationSql(node: SqlNumber): SqlNode {
  if (node.constant !== undefined) return constantNode(-node.constant);
  return float(`(-${asFloat(node)})`, node.canFail);
}

/** `needle in [literals]`, `needle in p.list` or `needle in tx.authMethods`. */
export function membershipSql(needle: SqlNode, list: ASTNode, sub: TranslateChild): SqlTruth {
  const elements = list.op === 'list' ? list.args.map(sub) : null;
  if (elements === null) {
    const node = sub(list);
    if (node.type !== 'strings')
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', "'in' needs a list on its right", list.start);
    if (node.constant === undefined) {
      const text = needle.type === 'string' ? needle : asText(needle);
      // ClickHouse's has finds no '' in an array of LowCardinality.
      const found =
        text.constant === undefined || text.constant === ''
          ? `arrayExists(element -> element = ${text.sql}, ${node.sql})`
          : `has(${node.sql}, ${text.sql})`;
      return unlessFailed([needle], text.isNullable ? `(${text.sql} IS NOT NULL AND ${found})` : found);
    }
    return amongSql(needle, node.constant.map(constantNode));
  }
  return amongSql(needle, elements);
}

function amongSql(needle: SqlNode, elements: readonly SqlNode[]): SqlTruth {
  const texts = elements.flatMap((node) =>
    node.type === 'string' && node.constant !== undefined ? [node.constant] : [],
  );
  const numbers = elements.flatMap((node) =>
    node.type === 'double' && node.constant !== undefined ? [node.constant] : [],
  );
  const flags = elements.flatMap((node) =>
    node.type === 'bool' && node.constant !== undefined ? [node.constant] : [],
  );
  const amongTexts = (sql: string): string => `${sql} IN (${texts.map(quoteText).join(', ')})`;
  // IN tells 0 from -0, has does not.
  const amongNumbers = (sql: string, isNullable: boolean): string =>
    hasSql(`[${numbers.map(floatLiteral).join(', ')}]`, sql, isNullable);
  const amongFlags = (sql: string): string => `${sql} IN (${flags.join(', ')})`;
  const tests: string[] = [];
  if (needle.type === 'string') {
    if (texts.length > 0)
      tests.push(needle.isNullable ? `ifNull(${amongTexts(needle.sql)}, false)` : amongTexts(needle.sql));
    if (needle.isNullable && elements.some((node) => node.type === 'null')) tests.push(`${needle.sql} IS NULL`);
  } else if (needle.type === 'double') {
    if (numbers.length > 0) tests.push(amongNumbers(asFloat(needle), needle.canFail));
  } else if (needle.type === 'bool') {
    if (flags.length > 0) tests.push(`ifNull(${amongFlags(needle.sql)}, false)`);
  } else if (needle.type === 'dyn') {
    if (texts.length > 0) tests.push(`ifNull(${amongTexts(needle.text)}, false)`);
    if (numbers.length > 0) tests.push(amongNumbers(needle.number, true));
    if (flags.length > 0) tests.push(`ifNull(${amongFlags(needle.flag)}, false)`);
  }
  return unlessFailed([needle], tests.length === 0 ? 'false' : `(${tests.join(' OR ')})`);
}

/** ClickHouse's has takes NULL for the type's default, 0. */
function hasSql(list: string, element: string, isNullable: boolean): string {
  return isNullable ? `(${element} IS NOT NULL AND has(${list}, ${element}))` : `has(${list}, ${element})`;
}

function chooseSql(condition: SqlTruth, left: string, right: string, names: SqlNames): string {
  const choice = (test: string): string => `if(${test}, ${bare(left)}, ${bare(right)})`;
  if (!condition.canFail) return choice(bare(condition.sql));
  return names.name([condition.sql], ([test = '']) => `if(${test} IS NULL, NULL, ${choice(test)})`);
}

function isNullSql(node: SqlNode): SqlTruth {
  if (node.type === 'null') return truth('true', false);
  if (node.type === 'card') return truth(node.isAbsent, false);
  if (node.type === 'string' && node.isNullable) return unlessFailed([node], `(${node.sql} IS NULL)`);
  return unlessFailed([node], 'false');
}

function textEqualitySql(left: SqlText, right: SqlText): string {
  const equal = `${left.sql} = ${right.sql}`;
  if (!left.isNullable && !right.isNullable) return `(${equal})`;
  const bothAbsent = left.isNullable && right.isNullable ? `${left.sql} IS NULL AND ${right.sql} IS NULL` : 'false';
  return `ifNull(${equal}, ${bothAbsent})`;
}

function asText(node: SqlNode): SqlText {
  return { type: 'string', sql: asAttribute(node).text, isNullable: true, failed: failureOf(node) };
}

/** Any scalar seen as an attribute: NULL in the views that are not its type. */
function asAttribute(node: SqlNode): SqlAttribute {
  const nothing = {
    type: 'dyn',
    number: 'NULL',
    text: 'NULL',
    flag: 'NULL',
    failed: failureOf(node) ?? 'false',
  } as const;
  switch (node.type) {
    case 'dyn':
      return node;
    case 'double':
      return { ...nothing, number: asFloat(node) };
    case 'string':
      return { ...nothing, text: node.sql };
    case 'bool':
      return { ...nothing, flag: node.sql };
    default:
      return nothing;
  }
}

/**
 * The remainder with the sign of the dividend. Exact for whole numbers up to 2^53; of fractions ClickHouse rounds, so that
 * 5.3 % 0.1 differs from JavaScript's in its last digits. The sign of a zero is not kept.
 */
function remainderSql(left: SqlNumber, right: SqlNumber, names: SqlNames): string {
  if (left.isInteger && right.constant !== undefined && Number.isSafeInteger(right.constant) && right.constant > 0)
    return `toFloat64(${left.sql} % ${right.constant})`;
  return names.name([asFloat(left), asFloat(right)], ([a = '', b = '']) => {
    const isWhole = (sql: string): string => `abs(${sql}) <= 9007199254740992.0 AND trunc(${sql}) = ${sql}`;
    // ClickHouse computes this even where it is not chosen, and refuses to cast NaN otherwise.
    const integer = (sql: string): string => `accurateCastOrDefault(${sql}, 'Int64')`;
    const whole = `toFloat64(moduloOrZero(${integer(a)}, ${integer(b)}))`;
    const fraction = `if(isInfinite(${b}) AND isFinite(${a}), ${a}, ${a} % ${b})`;
    return `if(${isWhole(a)} AND ${isWhole(b)} AND ${b} != 0, ${whole}, ${fraction})`;
  });
}
