import type { ASTNode } from '@marcbachmann/cel-js';
import { CelCompileError } from './celCompileError.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import type { EvaluationContext } from './context.ts';
import { constantNode, type BoolNode, type CompileChild, type DoubleNode, type Node } from './node.ts';
import { closedValues } from './scope.ts';

/**
 * A chain of && (`deciding` false) or || (`deciding` true). CEL: an operand that decides alone wins over failing ones,
 * whichever comes first.
 */
export function logical(operands: readonly BoolNode[], deciding: boolean): BoolNode {
  const tests = operands.map((operand) => operand.evaluate);
  const canFail = operands.some((operand) => operand.canFail);
  if (!canFail) return { type: 'bool', evaluate: deciding ? anyOf(tests) : allOf(tests), canFail };
  return {
    type: 'bool',
    canFail,
    evaluate: (context) => {
      let failure: CelEvaluationError | undefined;
      for (const test of tests) {
        try {
          if (test(context) === deciding) return deciding;
        } catch (error) {
          if (!(error instanceof CelEvaluationError)) throw error;
          failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
      return !deciding;
    },
  };
}

type Test = BoolNode['evaluate'];

/** Four operands a closure, the first of which mostly decides: a loop or a nest of pairs takes twice the time. */
function allOf([a, b, c, d, ...rest]: readonly Test[]): Test {
  if (a === undefined) return () => true;
  if (b === undefined) return a;
  if (c === undefined) return (context) => a(context) && b(context);
  if (d === undefined) return (context) => a(context) && b(context) && c(context);
  if (rest.length === 0) return (context) => a(context) && b(context) && c(context) && d(context);
  const others = allOf(rest);
  return (context) => a(context) && b(context) && c(context) && d(context) && others(context);
}

function anyOf([a, b, c, d, ...rest]: readonly Test[]): Test {
  if (a === undefined) return () => false;
  if (b === undefined) return a;
  if (c === undefined) return (context) => a(context) || b(context);
  if (d === undefined) return (context) => a(context) || b(context) || c(context);
  if (rest.length === 0) return (context) => a(context) || b(context) || c(context) || d(context);
  const others = anyOf(rest);
  return (context) => a(context) || b(context) || c(context) || d(context) || others(context);
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
  return { type: 'bool', evaluate: equalityClosure(left, right), canFail: left.canFail || right.canFail };
}

function equalityClosure(left: Node, right: Node): BoolNode['evaluate'] {
  const a: (context: EvaluationContext) => unknown = left.evaluate;
  const b: (context: EvaluationContext) => unknown = right.evaluate;
  const { constant } = right;
  if (constant === undefined) return (context) => a(context) === b(context);
  const index = left.type === 'double' ? left.featureIndex : undefined;
  if (index === undefined) return (context) => a(context) === constant;
  return (context) => context.features[context.featureBase + index] === constant;
}

function refuseUnknownValue(field: Node, value: Node, position: number): void {
  if (field.closedField === undefined || value.type !== 'string' || value.constant === undefined) return;
  const known = closedValues[field.closedField] ?? [];
  if (value.constant === null || known.includes(value.constant)) return;
  const message = `${field.closedField} is never '${value.constant}'; it is one of ${known.join(', ')}`;
  throw new CelCompileError('SLUICE_CEL_TYPE', message, position);
}

export function ordering(op: '<' | '<=' | '>' | '>=', left: DoubleNode, right: DoubleNode): BoolNode {
  const canFail = left.canFail || right.canFail;
  return { type: 'bool', evaluate: orderingClosure(op, left, right), canFail };
}

function orderingClosure(op: '<' | '<=' | '>' | '>=', left: DoubleNode, right: DoubleNode): BoolNode['evaluate'] {
  const [a, b] = [left.evaluate, right.evaluate];
  const limit = right.constant;
  const index = left.featureIndex;
  // A feature against a constant is most of what rules are made of: one call instead of three.
  if (index !== undefined && limit !== undefined) {
    switch (op) {
      case '<':
        return (c) => (c.features[c.featureBase + index] ?? NaN) < limit;
      case '<=':
        return (c) => (c.features[c.featureBase + index] ?? NaN) <= limit;
      case '>':
        return (c) => (c.features[c.featureBase + index] ?? NaN) > limit;
      case '>=':
        return (c) => (c.features[c.featureBase + index] ?? NaN) >= limit;
    }
  }
  switch (op) {
    case '<':
      return limit === undefined ? (c) => a(c) < b(c) : (c) => a(c) < limit;
    case '<=':
      return limit === undefined ? (c) => a(c) <= b(c) : (c) => a(c) <= limit;
    case '>':
      return limit === undefined ? (c) => a(c) > b(c) : (c) => a(c) > limit;
    case '>=':
      return limit === undefined ? (c) => a(c) >= b(c) : (c) => a(c) >= limit;
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
