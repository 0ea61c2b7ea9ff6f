import type { ASTNode } from '@marcbachmann/cel-js';
import { CelCompileError } from '../celCompileError.ts';
import { compileCel, parseForCheck } from '../compile.ts';
import type { CelScope } from '../scope.ts';
import type { CelColumns } from './celColumns.ts';
import { callSql } from './sqlCalls.ts';
import { fieldSql } from './sqlFields.ts';
import { bare, constantNode, float, SqlNames, truth, type SqlNode, type SqlNumber, type SqlTruth } from './sqlNode.ts';
import {
  arithmeticSql,
  comparisonSql,
  equalitySql,
  logicalSql,
  membershipSql,
  negationSql,
  notSql,
  ternarySql,
  toNumber,
  toTruth,
} from './sqlOperators.ts';

/** Few expressions need a hundredth of it; a query as a whole may have 256 KiB in ClickHouse. */
const MAX_SQL_LENGTH = 65_536;

/** An expression as ClickHouse SQL. */
export interface CelSql {
  readonly type: 'bool' | 'double';
  /** Float64 or a truth value (Bool or UInt8); NULL where the closure throws CelEvaluationError. */
  readonly sql: string;
  /** Whether it can be NULL. */
  readonly canFail: boolean;
}

/**
 * Translates an expression so that it gives, over the history's columns, what the closures of compileCel give over the
 * payment: undefined numbers are NaN, absent text NULL, and a failure is NULL too, since SQL's three-valued logic treats it
 * as CEL treats a failure. Throws CelCompileError on what compileCel refuses.
 */
export function celToSql(source: string, scope: CelScope, columns: CelColumns): CelSql {
  const compiled = compileCel(source, scope);
  if (!compiled.ok) throw new CelCompileError(compiled.code, compiled.message, compiled.position);
  const { ast } = parseForCheck(source, scope);
  const node = result(translate(ast, scope, columns, new SqlNames()));
  if (node.sql.length > MAX_SQL_LENGTH)
    throw new CelCompileError('SLUICE_CEL_TOO_LARGE', `needs more than ${MAX_SQL_LENGTH} characters of SQL`, 0);
  return { type: node.type, sql: bare(node.sql), canFail: node.canFail };
}

/** An attribute as the whole expression is a number; a truth value counts as 1 or 0. */
function result(node: SqlNode): SqlNumber | SqlTruth {
  if (node.type === 'bool') return node;
  if (node.type === 'double') return float(node.isInteger ? `toFloat64(${node.sql})` : node.sql, node.canFail);
  if (node.type === 'dyn') return float(`coalesce(${node.number}, toFloat64(${node.flag}))`, true);
  throw new CelCompileError('SLUICE_CEL_TYPE', 'must be a number, true or false', 0);
}

function translate(ast: ASTNode, scope: CelScope, columns: CelColumns, names: SqlNames): SqlNode {
  const sub = (child: ASTNode): SqlNode => translate(child, scope, columns, names);
  switch (ast.op) {
    case 'value':
      return literalSql(ast.args, ast.start);
    case 'id':
      return factSql(ast.args, ast.start, columns);
    case '.':
      return fieldSql(ast.args[0], ast.args[1], ast.start, scope, columns);
    case 'call':
      return callSql(ast.args[0], undefined, ast.args[1], ast.start, { columns, names, sub });
    case 'rcall':
      return callSql(ast.args[0], ast.args[1], ast.args[2], ast.start, { columns, names, sub });
    case '&&':
    case '||':
      return logicalSql(
        chain(ast, ast.op).map((operand) => toTruth(sub(operand), operand.start)),
        ast.op === '&&' ? 'AND' : 'OR',
      );
    case '!_':
      return notSql(toTruth(sub(ast.args), ast.args.start));
    case '-_':
      return negationSql(toNumber(sub(ast.args), ast.args.start));
    case '?:':
      return ternarySql(toTruth(sub(ast.args[0]), ast.args[0].start), sub(ast.args[1]), sub(ast.args[2]), names);
    case 'in':
      return membershipSql(sub(ast.args[0]), ast.args[1], sub);
    case '==':
      return equalitySql(sub(ast.args[0]), sub(ast.args[1]));
    case '!=':
      return notSql(equalitySql(sub(ast.args[0]), sub(ast.args[1])));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparisonSql(ast.op, ...numbers(ast.args, sub));
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmeticSql(ast.op, ...numbers(ast.args, sub), names);
    default:
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `'${ast.op}' cannot be used here`, ast.start);
  }
}

/** What became known of the payment. */
function factSql(name: string, position: number, columns: CelColumns): SqlNode {
  switch (name) {
    case 'label':
      return { type: 'string', sql: columns.label, isNullable: false, failed: null };
    case 'outcome':
      return { type: 'string', sql: columns.outcome, isNullable: false, failed: null };
    case 'reversed':
      return truth(columns.reversed, false);
    default:
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `'${name}' has no SQL yet`, position);
  }
}

function numbers([left, right]: readonly [ASTNode, ASTNode], sub: (child: ASTNode) => SqlNode): [SqlNumber, SqlNumber] {
  return [toNumber(sub(left), left.start), toNumber(sub(right), right.start)];
}

function literalSql(value: unknown, position: number): SqlNode {
  if (value === null) return { type: 'null' };
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return constantNode(value);
  throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'this literal cannot be used here', position);
}

/** The operands of a chain of one logical operator, in order. */
function chain(ast: ASTNode, op: '&&' | '||'): readonly ASTNode[] {
  if (ast.op !== op) return [ast];
  const [left, right] = ast.args;
  return [...chain(left, op), ...chain(right, op)];
}
