import type { ASTNode } from '@marcbachmann/cel-js';
import type { Transaction } from '../../schemas/types.ts';
import type { CelErrorCode } from './compile.ts';
import type { EvaluationContext } from './context.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import { callNode } from './calls.ts';
import { constantNode, type BoolNode, type DoubleNode, type Node } from './node.ts';
import { closedValues, type CelScope } from './scope.ts';

/** What an expression reads, gathered while compiling. */
export interface Uses {
  readonly features: Set<string>;
  readonly params: Set<string>;
  readonly lists: Set<string>;
  model: boolean;
}

export class CelCompileError extends Error {
  readonly code: CelErrorCode;
  readonly position: number;
  constructor(code: CelErrorCode, message: string, position: number) {
    super(message);
    this.name = 'CelCompileError';
    this.code = code;
    this.position = position;
  }
}

/** Compiles one node of a checked tree. Throws CelCompileError on what the subset leaves out. */
export function compileNode(ast: ASTNode, scope: CelScope, uses: Uses): Node {
  const sub = (child: ASTNode): Node => compileNode(child, scope, uses);
  switch (ast.op) {
    case 'value':
      return literalNode(ast.args, ast.start);
    case 'id':
      if (ast.args === 'label')
        return { type: 'string', evaluate: (context) => context.label, canFail: false, closedField: 'label' };
      throw new CelCompileError(
        'SLUICE_CEL_UNSUPPORTED',
        `'${ast.args}' needs a field, as in ${ast.args}.x`,
        ast.start,
      );
    case '.':
      return fieldNode(ast.args[0], ast.args[1], ast.start, scope, uses);
    case 'call':
      return callNode(ast.args[0], undefined, ast.args[1], ast.start, scope, uses);
    case 'rcall':
      return callNode(ast.args[0], ast.args[1], ast.args[2], ast.start, scope, uses);
    case '&&':
      return logical(toBool(sub(ast.args[0]), ast.args[0].start), toBool(sub(ast.args[1]), ast.args[1].start), false);
    case '||':
      return logical(toBool(sub(ast.args[0]), ast.args[0].start), toBool(sub(ast.args[1]), ast.args[1].start), true);
    case '!_': {
      const operand = toBool(sub(ast.args), ast.args.start);
      const test = operand.evaluate;
      return { type: 'bool', evaluate: (context) => !test(context), canFail: operand.canFail };
    }
    case '-_': {
      const operand = toDouble(sub(ast.args), ast.args.start);
      if (operand.constant !== undefined) return constantNode('double', -operand.constant);
      const number = operand.evaluate;
      return { type: 'double', evaluate: (context) => -number(context), canFail: operand.canFail };
    }
    case '?:':
      return ternary(toBool(sub(ast.args[0]), ast.args[0].start), sub(ast.args[1]), sub(ast.args[2]), ast.start);
    case 'in':
      return membership(sub(ast.args[0]), ast.args[1], scope, uses);
    case '==':
      return equality(sub(ast.args[0]), sub(ast.args[1]), ast.start);
    case '!=': {
      const equal = equality(sub(ast.args[0]), sub(ast.args[1]), ast.start);
      const test = equal.evaluate;
      return { type: 'bool', evaluate: (context) => !test(context), canFail: equal.canFail };
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const [left, right] = [sub(ast.args[0]), sub(ast.args[1])];
      if (left.type === 'dyn' && right.type === 'dyn')
        throw new CelCompileError(
          'SLUICE_CEL_UNSUPPORTED',
          'attributes can be ordered only against numbers',
          ast.start,
        );
      return ordering(ast.op, toDouble(left, ast.args[0].start), toDouble(right, ast.args[1].start));
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      const [left, right] = [sub(ast.args[0]), sub(ast.args[1])];
      if (left.type === 'dyn' && right.type === 'dyn')
        throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'attributes can be computed only with numbers', ast.start);
      return arithmetic(ast.op, toDouble(left, ast.args[0].start), toDouble(right, ast.args[1].start));
    }
    default:
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `'${ast.op}' cannot be used here`, ast.start);
  }
}

/** A node as a number: an attribute is checked when it is read. */
export function toDouble(node: Node, position: number): DoubleNode {
  if (node.type === 'double') return node;
  if (node.type !== 'dyn')
    throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'only numbers can be used here', position);
  const read = node.evaluate;
  return {
    type: 'double',
    canFail: true,
    evaluate: (context) => {
      const value = read(context);
      if (typeof value !== 'number')
        throw new CelEvaluationError(`expected a number, found a ${typeof value}`, position);
      return value;
    },
  };
}

function toBool(node: Node, position: number): BoolNode {
  if (node.type === 'bool') return node;
  if (node.type !== 'dyn') throw new CelCompileError('SLUICE_CEL_TYPE', 'must be true or false', position);
  const read = node.evaluate;
  return {
    type: 'bool',
    canFail: true,
    evaluate: (context) => {
      const value = read(context);
      if (typeof value !== 'boolean')
        throw new CelEvaluationError(`expected true or false, found a ${typeof value}`, position);
      return value;
    },
  };
}

function literalNode(value: unknown, position: number): Node {
  switch (typeof value) {
    case 'number':
      return constantNode('double', value);
    case 'string':
      return constantNode('string', value);
    case 'boolean':
      return constantNode('bool', value);
    default:
      if (value === null) return constantNode('null', null);
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'this literal cannot be used here', position);
  }
}

function fieldNode(owner: ASTNode, name: string, position: number, scope: CelScope, uses: Uses): Node {
  if (owner.op === '.') {
    const root = owner.args[0];
    if (root.op === 'id' && root.args === 'tx' && owner.args[1] === 'card') return cardFieldNode(name, position);
    if (root.op === 'id' && root.args === 'tx' && owner.args[1] === 'attributes') return attributeNode(name, position);
  }
  const unknown = new CelCompileError('SLUICE_CEL_UNKNOWN_NAME', `no such field: ${name}`, position);
  if (owner.op !== 'id') throw unknown;
  switch (owner.args) {
    case 'tx':
      return transactionFieldNode(name, unknown);
    case 'f': {
      const index = scope.kind === 'where' ? -1 : scope.features.indexOf(name);
      if (index < 0) throw unknown;
      uses.features.add(name);
      // A context's feature row always covers the catalogue, so the index is inside it.
      return { type: 'double', evaluate: (c) => c.features[c.featureBase + index] ?? NaN, canFail: false };
    }
    case 'm':
      uses.model = true;
      if (name === 'score') return { type: 'double', evaluate: (context) => context.modelScore, canFail: false };
      return { type: 'double', evaluate: (context) => context.modelProbability, canFail: false };
    case 'p': {
      const value = scope.kind === 'rule' ? scope.params[name] : undefined;
      if (value === undefined) throw unknown;
      uses.params.add(name);
      return typeof value === 'object' ? constantNode('strings', value) : literalNode(value, position);
    }
    default:
      throw unknown;
  }
}

function transactionFieldNode(name: string, unknown: CelCompileError): Node {
  const text = (read: (tx: Transaction) => string | null): Node => ({
    type: 'string',
    evaluate: (context) => read(context.tx),
    canFail: false,
    ...(closedValues[`tx.${name}`] === undefined ? {} : { closedField: `tx.${name}` }),
  });
  switch (name) {
    case 'amountMinor':
      return { type: 'double', evaluate: (context) => context.tx.amountMinor, canFail: false };
    case 'eventTimeMs':
      return { type: 'double', evaluate: (context) => context.tx.eventTimeMs, canFail: false };
    case 'authMethods':
      return { type: 'strings', evaluate: (context) => context.tx.authMethods, canFail: false };
    case 'card':
      return { type: 'card', evaluate: (context) => context.tx.card, canFail: false };
    case 'transactionId':
      return text((tx) => tx.transactionId);
    case 'type':
      return text((tx) => tx.type);
    case 'channel':
      return text((tx) => tx.channel);
    case 'currency':
      return text((tx) => tx.currency);
    case 'account':
      return text((tx) => tx.account);
    case 'device':
      return text((tx) => tx.device);
    case 'ip':
      return text((tx) => tx.ip);
    case 'merchant':
      return text((tx) => tx.merchant);
    case 'mcc':
      return text((tx) => tx.mcc);
    case 'terminal':
      return text((tx) => tx.terminal);
    case 'payee':
      return text((tx) => tx.payee);
    case 'country':
      return text((tx) => tx.country);
    case 'originalTransactionId':
      return text((tx) => tx.originalTransactionId);
    default:
      throw unknown;
  }
}

function cardFieldNode(name: string, position: number): Node {
  switch (name) {
    case 'token':
      return { type: 'string', evaluate: (context) => context.tx.card?.token ?? null, canFail: false };
    case 'bin':
      return { type: 'string', evaluate: (context) => context.tx.card?.bin ?? null, canFail: false };
    case 'last4':
      return { type: 'string', evaluate: (context) => context.tx.card?.last4 ?? null, canFail: false };
    default:
      throw new CelCompileError('SLUICE_CEL_UNKNOWN_NAME', `no such field: ${name}`, position);
  }
}

function attributeNode(name: string, position: number): Node {
  return {
    type: 'dyn',
    canFail: true,
    evaluate: (context) => {
      const { attributes } = context.tx;
      const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
      if (value === undefined) throw new CelEvaluationError(`the payment has no attribute '${name}'`, position);
      return value;
    },
  };
}

/** CEL: a side that decides alone (false for &&, true for ||) wins over a failing other side, whichever comes first. */
function logical(left: BoolNode, right: BoolNode, deciding: boolean): BoolNode {
  const [a, b] = [left.evaluate, right.evaluate];
  const canFail = left.canFail || right.canFail;
  if (!left.canFail) {
    if (deciding) return { type: 'bool', evaluate: (context) => a(context) || b(context), canFail };
    return { type: 'bool', evaluate: (context) => a(context) && b(context), canFail };
  }
  return {
    type: 'bool',
    canFail,
    evaluate: (context) => {
      let failure: CelEvaluationError | undefined;
      try {
        if (a(context) === deciding) return deciding;
      } catch (error) {
        if (!(error instanceof CelEvaluationError)) throw error;
        failure = error;
      }
      if (b(context) === deciding) return deciding;
      if (failure !== undefined) throw failure;
      return !deciding;
    },
  };
}

function ternary(condition: BoolNode, left: Node, right: Node, position: number): Node {
  const test = condition.evaluate;
  const canFail = condition.canFail || left.canFail || right.canFail;
  if (left.type === 'double' && right.type === 'double') {
    const [a, b] = [left.evaluate, right.evaluate];
    return { type: 'double', evaluate: (context) => (test(context) ? a(context) : b(context)), canFail };
  }
  if (left.type === 'bool' && right.type === 'bool') {
    const [a, b] = [left.evaluate, right.evaluate];
    return { type: 'bool', evaluate: (context) => (test(context) ? a(context) : b(context)), canFail };
  }
  if (left.type === 'string' && right.type === 'string') {
    const [a, b] = [left.evaluate, right.evaluate];
    return { type: 'string', evaluate: (context) => (test(context) ? a(context) : b(context)), canFail };
  }
  if (isScalar(left) && isScalar(right)) {
    const [a, b] = [left.evaluate, right.evaluate];
    return { type: 'dyn', evaluate: (context) => (test(context) ? a(context) : b(context)), canFail: true };
  }
  throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'both results of ?: must be of one type', position);
}

function isScalar(node: Node): node is Extract<Node, { type: 'double' | 'bool' | 'dyn' }> {
  return node.type === 'double' || node.type === 'bool' || node.type === 'dyn';
}

function equality(left: Node, right: Node, position: number): BoolNode {
  if (left.type === 'strings' || right.type === 'strings')
    throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'lists cannot be compared; use in', position);
  refuseUnknownValue(left, right, position);
  refuseUnknownValue(right, left, position);
  const canFail = left.canFail || right.canFail;
  const [a, b]: [(context: EvaluationContext) => unknown, (context: EvaluationContext) => unknown] = [
    left.evaluate,
    right.evaluate,
  ];
  return { type: 'bool', evaluate: (context) => a(context) === b(context), canFail };
}

function refuseUnknownValue(field: Node, value: Node, position: number): void {
  if (field.closedField === undefined || value.type !== 'string' || value.constant === undefined) return;
  const known = closedValues[field.closedField] ?? [];
  if (value.constant === null || known.includes(value.constant)) return;
  const message = `${field.closedField} is never '${value.constant}'; it is one of ${known.join(', ')}`;
  throw new CelCompileError('SLUICE_CEL_TYPE', message, position);
}

function membership(needle: Node, listAst: ASTNode, scope: CelScope, uses: Uses): BoolNode {
  const position = listAst.start;
  if (needle.type === 'card' || needle.type === 'strings' || needle.type === 'null')
    throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'only text and numbers can be looked up in a list', position);
  const { canFail } = needle;
  const value: (context: EvaluationContext) => unknown = needle.evaluate;
  const values = new Set<unknown>();
  if (listAst.op === 'list') {
    for (const element of listAst.args) {
      const node = compileNode(element, scope, uses);
      if (node.constant === undefined)
        throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'a list may hold only literals and params', element.start);
      refuseUnknownValue(needle, node, element.start);
      values.add(node.constant);
    }
    return { type: 'bool', evaluate: (context) => values.has(value(context)), canFail };
  }
  const list = compileNode(listAst, scope, uses);
  if (list.type !== 'strings')
    throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', "'in' needs a list on its right", position);
  if (list.constant !== undefined) {
    for (const element of list.constant) {
      refuseUnknownValue(needle, constantNode('string', element), position);
      values.add(element);
    }
    return { type: 'bool', evaluate: (context) => values.has(value(context)), canFail };
  }
  const elements = list.evaluate;
  return {
    type: 'bool',
    canFail,
    evaluate: (context) => {
      const sought = value(context);
      return elements(context).some((element) => element === sought);
    },
  };
}

function ordering(op: '<' | '<=' | '>' | '>=', left: DoubleNode, right: DoubleNode): BoolNode {
  const [a, b] = [left.evaluate, right.evaluate];
  const canFail = left.canFail || right.canFail;
  const limit = right.constant;
  switch (op) {
    case '<':
      if (limit !== undefined) return { type: 'bool', evaluate: (c) => a(c) < limit, canFail };
      return { type: 'bool', evaluate: (c) => a(c) < b(c), canFail };
    case '<=':
      if (limit !== undefined) return { type: 'bool', evaluate: (c) => a(c) <= limit, canFail };
      return { type: 'bool', evaluate: (c) => a(c) <= b(c), canFail };
    case '>':
      if (limit !== undefined) return { type: 'bool', evaluate: (c) => a(c) > limit, canFail };
      return { type: 'bool', evaluate: (c) => a(c) > b(c), canFail };
    case '>=':
      if (limit !== undefined) return { type: 'bool', evaluate: (c) => a(c) >= limit, canFail };
      return { type: 'bool', evaluate: (c) => a(c) >= b(c), canFail };
  }
}

function arithmetic(op: '+' | '-' | '*' | '/' | '%', left: DoubleNode, right: DoubleNode): DoubleNode {
  const [a, b] = [left.evaluate, right.evaluate];
  const canFail = left.canFail || right.canFail;
  switch (op) {
    case '+':
      return { type: 'double', evaluate: (c) => a(c) + b(c), canFail };
    case '-':
      return { type: 'double', evaluate: (c) => a(c) - b(c), canFail };
    case '*':
      return { type: 'double', evaluate: (c) => a(c) * b(c), canFail };
    case '/':
      return { type: 'double', evaluate: (c) => a(c) / b(c), canFail };
    case '%':
      return { type: 'double', evaluate: (c) => a(c) % b(c), canFail };
  }
}
