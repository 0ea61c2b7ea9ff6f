import type { ASTNode } from '@marcbachmann/cel-js';
import { CelCompileError } from './celCompileError.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import type { EvaluationContext } from './context.ts';
import { constantNode, type BoolNode, type CompileChild, type DoubleNode, type Node } from './node.ts';
import { closedValues } from './scope.ts';

/** CEL: a side that decides alone (false for &&, true for ||) wins over a failing other side, whichever comes first. */
export function logical(left: BoolNode, right: BoolNode, deciding: boolean): BoolNode {
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

export function ternary(condition: BoolNode, left: Node, right: Node, position: number): Node {
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

export function equality(left: Node, right: Node, position: number): BoolNode {
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

export function ordering(op: '<' | '<=' | '>' | '>=', left: DoubleNode, right: DoubleNode): BoolNode {
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

export function arithmetic(op: '+' | '-' | '*' | '/' | '%', left: DoubleNode, right: DoubleNode): DoubleNode {
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

/** `needle in [literals]`, `needle in p.list` or `needle in tx.authMethods`. */
export function membership(needle: Node, listAst: ASTNode, sub: CompileChild): BoolNode {
  const position = listAst.start;
  if (needle.type === 'card' || needle.type === 'strings' || needle.type === 'null')
    throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'only text and numbers can be looked up in a list', position);
  const { canFail } = needle;
  const value: (context: EvaluationContext) => unknown = needle.evaluate;
  const values = new Set<unknown>();
  if (listAst.op === 'list') {
    for (const element of listAst.args) {
      const node = sub(element);
      if (node.constant === undefined)
        throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'a list may hold only literals and params', element.start);
      refuseUnknownValue(needle, node, element.start);
      values.add(node.constant);
    }
    return { type: 'bool', evaluate: (context) => values.has(value(context)), canFail };
  }
  const list = sub(listAst);
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
