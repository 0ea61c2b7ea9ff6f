import type { ASTNode } from '@marcbachmann/cel-js';
import { quoteText } from '../../sql/sqlText.ts';
import { CelCompileError } from '../celCompileError.ts';
import type { CelScope } from '../scope.ts';
import type { CelColumns } from './celColumns.ts';
import { attribute, isTextField, otherColumns, paymentColumns, textAttribute } from './paymentColumns.ts';
import { constantNode, float, type SqlAttribute, type SqlNode, type SqlNumber } from './sqlNode.ts';

/** Translates `owner.name`. */
export function fieldSql(
  owner: ASTNode,
  name: string,
  position: number,
  scope: CelScope,
  columns: CelColumns,
): SqlNode {
  const unknown = new CelCompileError('SLUICE_CEL_UNKNOWN_NAME', `no such field: ${name}`, position);
  if (owner.op === '.') {
    const field = `${owner.args[1]}.${name}`;
    if (owner.args[1] === 'attributes') return attributeSql(name, columns.payment);
    if (isTextField(field)) return textFieldSql(field, columns.payment);
    throw unknown;
  }
  if (owner.op !== 'id') throw unknown;
  switch (owner.args) {
    case 'tx':
      return transactionFieldSql(name, columns.payment, unknown);
    case 'f':
      return float(columns.feature(name), columns.nullableFeatures?.has(name) ?? false);
    case 'm':
      return float(name === 'score' ? columns.modelScore : columns.modelProbability, false);
    case 'p': {
      const value = scope.kind === 'rule' ? scope.params[name] : undefined;
      if (value === undefined) throw unknown;
      if (typeof value !== 'object') return constantNode(value);
      return { type: 'strings', sql: `[${value.map(quoteText).join(', ')}]`, constant: value };
    }
    default:
      throw unknown;
  }
}

/** Whether a payment has the attribute, of whatever type. */
export function hasAttributeSql(name: string, prefix: string): string {
  const { attributesText, attributesNumber, attributesFlag } = otherColumns;
  const maps = [attributesText, attributesNumber, attributesFlag];
  return `(${maps.map((map) => `mapContains(${prefix}${map}, ${quoteText(name)})`).join(' OR ')})`;
}

/** A payment's own time. */
export function eventTimeSql(prefix: string): SqlNumber {
  const time = `${prefix}${otherColumns.eventTimeMs}`;
  return { type: 'double', sql: `toUnixTimestamp64Milli(${time})`, canFail: false, isInteger: true, time };
}

function transactionFieldSql(name: string, prefix: string, unknown: CelCompileError): SqlNode {
  switch (name) {
    case 'amountMinor':
      return { type: 'double', sql: `${prefix}${otherColumns.amountMinor}`, canFail: false, isInteger: true };
    case 'eventTimeMs':
      return eventTimeSql(prefix);
    case 'authMethods':
      return { type: 'strings', sql: `${prefix}${otherColumns.authMethods}` };
    case 'card':
      return { type: 'card', isAbsent: `(${prefix}${paymentColumns['card.token'].column} IS NULL)` };
    default:
      if (isTextField(name)) return textFieldSql(name, prefix);
      throw unknown;
  }
}

function textFieldSql(field: keyof typeof paymentColumns, prefix: string): SqlNode {
  const { column, isNullable } = paymentColumns[field];
  return { type: 'string', sql: `${prefix}${column}`, isNullable, failed: null };
}

function attributeSql(name: string, prefix: string): SqlAttribute {
  const quoted = quoteText(name);
  return {
    type: 'dyn',
    number: attribute(`${prefix}${otherColumns.attributesNumber}`, quoted),
    text: textAttribute(prefix, quoted),
    flag: attribute(`${prefix}${otherColumns.attributesFlag}`, quoted),
    failed: `NOT ${hasAttributeSql(name, prefix)}`,
  };
}
