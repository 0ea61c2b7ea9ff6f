import type { ASTNode } from '@marcbachmann/cel-js';
import { floatLiteral, quoteText } from '../../sql/sqlText.ts';
import { isPayment, patternOf } from '../calls.ts';
import { offsetMs } from '../calendar.ts';
import { CelCompileError } from '../celCompileError.ts';
import { matchesFunction, sizeFunction } from '../scope.ts';
import type { CelColumns } from './celColumns.ts';
import { distanceSql } from './distanceSql.ts';
import { eventTimeSql, hasAttributeSql } from './sqlFields.ts';
import {
  asFloat,
  failureOf,
  float,
  truth,
  unlessFailed,
  type SqlNames,
  type SqlNode,
  type SqlNumber,
  type SqlText,
  type TranslateChild,
} from './sqlNode.ts';
import { toNumber } from './sqlOperators.ts';

export interface CallContext {
  readonly columns: CelColumns;
  readonly names: SqlNames;
  readonly sub: TranslateChild;
}

/** Translates a function call, or a method call when there is a receiver. */
export function callSql(
  name: string,
  receiver: ASTNode | undefined,
  args: readonly ASTNode[],
  position: number,
  { columns, names, sub }: CallContext,
): SqlNode {
  const operands = receiver === undefined ? args : [receiver, ...args];
  const [first, second] = operands;
  if (first === undefined) throw new CelCompileError('SLUICE_CEL_TYPE', `${name}() needs an argument`, position);
  const number = (ast: ASTNode | undefined): SqlNumber => {
    if (ast === undefined) throw new CelCompileError('SLUICE_CEL_TYPE', `${name}() needs two arguments`, position);
    return toNumber(sub(ast), ast.start);
  };
  const text = (ast: ASTNode | undefined): SqlText => {
    const node = ast === undefined ? undefined : sub(ast);
    if (node?.type === 'string') return node;
    throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `${name}() takes text`, position);
  };
  switch (name) {
    case 'has':
      if (first.op !== '.') throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'has() takes an attribute', position);
      return truth(hasAttributeSql(first.args[1], columns.payment), false);
    case sizeFunction:
      return sizeSql(sub(first));
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      return textTestSql(name, text(first), text(second));
    case 'hour':
    case 'dayOfWeek': {
      const zone = second === undefined ? undefined : text(second).constant;
      return calendarSql(
        name,
        isPayment(first) ? eventTimeSql(columns.payment) : number(first),
        zone === undefined ? 0 : (offsetMs(zone) ?? 0),
        names,
      );
    }
    case 'list': {
      const list = text(first).constant ?? '';
      const value = second === undefined ? text(second) : (listedText(sub(second)) ?? text(second));
      const found = columns.list(list, value.isNullable ? `assumeNotNull(${value.sql})` : value.sql);
      return unlessFailed([value], value.isNullable ? `(${value.sql} IS NOT NULL AND ${found})` : found);
    }
    case 'defined': {
      const operand = number(first);
      return truth(`(NOT isNaN(${asFloat(operand)}))`, operand.canFail);
    }
    case 'abs': {
      const operand = number(first);
      return float(`abs(${asFloat(operand)})`, operand.canFail);
    }
    case 'min':
    case 'max':
    case 'median':
    case 'near':
    case 'distanceKm':
      return numbersSql(name, operands.map(number), names);
    case matchesFunction: {
      const whole = text(first);
      // ClickHouse's point matches line ends too unless told otherwise.
      const pattern = quoteText(`(?-s)${patternOf(text(second).constant, position)}`);
      const test = `match(${whole.sql}, ${pattern})`;
      return unlessFailed([whole], whole.isNullable ? `ifNull(${test}, false)` : test);
    }
    default:
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `${name}() cannot be used here`, position);
  }
}

/** An attribute as the text that a list is asked about: one that is no text fails. Null: it is no attribute. */
function listedText(node: SqlNode): SqlText | null {
  if (node.type !== 'dyn') return null;
  return { type: 'string', sql: node.text, isNullable: true, failed: `${node.text} IS NULL` };
}

function sizeSql(operand: SqlNode): SqlNode {
  if (operand.type === 'strings') return float(`toFloat64(length(${operand.sql}))`, false);
  if (operand.type !== 'string') throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'size() takes text or a list', 0);
  const length = `toFloat64(lengthUTF8(${operand.isNullable ? `ifNull(${operand.sql}, '')` : operand.sql}))`;
  const failure = failureOf(operand);
  return failure === null ? float(length, false) : float(`if(${failure}, NULL, ${length})`, true);
}

function textTestSql(method: 'startsWith' | 'endsWith' | 'contains', text: SqlText, part: SqlText): SqlNode {
  const test =
    method === 'contains' ? `(position(${text.sql}, ${part.sql}) > 0)` : `${method}(${text.sql}, ${part.sql})`;
  return unlessFailed([text, part], text.isNullable || part.isNullable ? `ifNull(${test}, false)` : test);
}

function calendarSql(name: 'hour' | 'dayOfWeek', operand: SqlNumber, zoneMs: number, names: SqlNames): SqlNumber {
  if (operand.time !== undefined) {
    const minutes = zoneMs / 60_000;
    const sign = minutes < 0 ? '-' : '+';
    const local = minutes === 0 ? operand.time : `${operand.time} ${sign} INTERVAL ${Math.abs(minutes)} MINUTE`;
    // ClickHouse counts from 1 for Monday, CEL from 0 for Sunday.
    const sql = name === 'hour' ? `toHour(${local})` : `(toDayOfWeek(${local}) % 7)`;
    return { type: 'double', sql, canFail: false, isInteger: true };
  }
  // The same steps as calendar.ts takes.
  const local = zoneMs === 0 ? asFloat(operand) : `(${asFloat(operand)} + ${floatLiteral(zoneMs)})`;
  const days = `floor(${local} / 86400000.0)`;
  const sql = names.name([local], ([value = '']) =>
    name === 'hour'
      ? `floor((${value} - floor(${value} / 86400000.0) * 86400000.0) / 3600000.0)`
      : names.name([`(${days} + 4.0)`], ([day = '']) => `(${day} - floor(${day} / 7.0) * 7.0)`),
  );
  return float(sql, operand.canFail);
}

/** NaN when any operand is, as in JavaScript and unlike ClickHouse. The sign of a zero is not kept. */
function numbersSql(
  name: 'min' | 'max' | 'median' | 'near' | 'distanceKm',
  operands: readonly SqlNumber[],
  names: SqlNames,
): SqlNode {
  const canFail = operands.some((operand) => operand.canFail);
  const sql = names.name(operands.map(asFloat), (values) => {
    const value = valueSql(name, values, names);
    const failed = values.filter((_, index) => operands[index]?.canFail === true);
    return failed.length === 0 ? value : `if(${failed.map((each) => `${each} IS NULL`).join(' OR ')}, NULL, ${value})`;
  });
  return name === 'near' ? truth(sql, canFail) : float(sql, canFail);
}

function valueSql(name: string, values: readonly string[], names: SqlNames): string {
  const [a = '', b = '', c = '', d = ''] = values;
  if (name === 'near') return `(abs(${a} - ${b}) < inf AND abs(${a} - ${b}) <= ${c} * greatest(abs(${a}), abs(${b})))`;
  if (name === 'distanceKm') return distanceSql([a, b, c, d], names);
  const isUndefined = values.map((value) => `isNaN(${value})`).join(' OR ');
  return `if(${isUndefined}, nan, ${name === 'median' ? medianSql(values) : `${name === 'min' ? 'least' : 'greatest'}(${values.join(', ')})`})`;
}

function medianSql(values: readonly string[]): string {
  const middle = values.length >> 1;
  const at = (place: number): string => `arraySort([${values.join(', ')}])[${place}]`;
  return values.length % 2 === 1 ? at(middle + 1) : `((${at(middle)} + ${at(middle + 1)}) / 2.0)`;
}
