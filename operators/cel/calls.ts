import type { ASTNode } from '@marcbachmann/cel-js';
import { CelCompileError } from './celCompileError.ts';
import { toDouble, toText } from './conversions.ts';
import { dayOfWeek, hour, offsetMs } from './calendar.ts';
import { constantNode, type CompileChild, type DoubleNode, type Node, type Uses } from './node.ts';
import { distanceNode, extremeNode, nearNode } from './numberCalls.ts';
import { compilePattern } from './pattern.ts';
import { codePoints, matchesFunction, sizeFunction, type CelScope } from './scope.ts';

/** Compiles a function call, or a method call when there is a receiver. */
export function callNode(
  name: string,
  receiver: ASTNode | undefined,
  args: readonly ASTNode[],
  position: number,
  { scope, uses, sub }: { readonly scope: CelScope; readonly uses: Uses; readonly sub: CompileChild },
): Node {
  const operands = receiver === undefined ? args : [receiver, ...args];
  const [first, second] = operands;
  if (first === undefined) throw new CelCompileError('SLUICE_CEL_TYPE', `${name}() needs an argument`, position);
  const numbers = (): readonly DoubleNode[] => operands.map((operand) => toDouble(sub(operand), operand.start));
  switch (name) {
    case 'has':
      return hasNode(first, position);
    case sizeFunction:
      return sizeNode(sub(first), position);
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      return textTest(name, sub(first), second === undefined ? constantNode('null', null) : sub(second), position);
    case 'hour':
    case 'dayOfWeek': {
      const time = isPayment(first) ? eventTime : toDouble(sub(first), first.start);
      const zone = second === undefined ? 0 : zoneOffset(sub(second), second.start);
      const timeMs = time.evaluate;
      const evaluate = name === 'hour' ? hour : dayOfWeek;
      return { type: 'double', evaluate: (context) => evaluate(timeMs(context), zone), canFail: time.canFail };
    }
    case 'list':
      return listNode(sub(first), second === undefined ? constantNode('null', null) : sub(second), first, scope, uses);
    case 'defined': {
      const operand = toDouble(sub(first), first.start);
      const number = operand.evaluate;
      return { type: 'bool', evaluate: (context) => !Number.isNaN(number(context)), canFail: operand.canFail };
    }
    case 'abs': {
      const operand = toDouble(sub(first), first.start);
      const number = operand.evaluate;
      return { type: 'double', evaluate: (context) => Math.abs(number(context)), canFail: operand.canFail };
    }
    case 'min':
    case 'max':
    case 'median':
      return extremeNode(name, numbers(), position);
    case 'near':
      return nearNode(numbers(), position);
    case 'distanceKm':
      return distanceNode(numbers(), position);
    case matchesFunction:
      return matchesNode(sub(first), second === undefined ? constantNode('null', null) : sub(second), position);
    default:
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `${name}() cannot be used here`, position);
  }
}

/** `tx` by itself, whose time is meant. */
export function isPayment(ast: ASTNode): boolean {
  return ast.op === 'id' && ast.args === 'tx';
}

const eventTime: DoubleNode = { type: 'double', evaluate: ({ tx }) => tx.eventTimeMs, canFail: false };

function matchesNode(text: Node, pattern: Node, position: number): Node {
  if (text.type !== 'string') throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'matches() takes text', position);
  const { canFail, evaluate } = text;
  const compiled = compilePattern(
    patternOf(pattern.type === 'string' ? pattern.constant : undefined, position),
    position,
  );
  return {
    type: 'bool',
    canFail,
    evaluate: (context) => {
      const whole = evaluate(context);
      return whole !== null && compiled.test(whole);
    },
  };
}

/** The pattern, which must be known when compiling. */
export function patternOf(constant: string | null | undefined, position: number): string {
  if (typeof constant === 'string') return constant;
  throw new CelCompileError('SLUICE_CEL_TYPE', 'the pattern of matches() must be a literal or a param', position);
}

function hasNode(argument: ASTNode, position: number): Node {
  const refusal = new CelCompileError(
    'SLUICE_CEL_UNSUPPORTED',
    'has() takes tx.attributes.NAME; compare other fields with null',
    position,
  );
  if (argument.op !== '.') throw refusal;
  const [owner, name] = argument.args;
  if (owner.op !== '.' || owner.args[1] !== 'attributes') throw refusal;
  if (owner.args[0].op !== 'id' || owner.args[0].args !== 'tx') throw refusal;
  return { type: 'bool', evaluate: (context) => Object.hasOwn(context.tx.attributes, name), canFail: false };
}

function sizeNode(operand: Node, position: number): Node {
  if (operand.type === 'strings') {
    const list = operand.evaluate;
    return { type: 'double', evaluate: (context) => list(context).length, canFail: operand.canFail };
  }
  if (operand.type === 'string') {
    const text = operand.evaluate;
    return { type: 'double', evaluate: (context) => codePoints(text(context) ?? ''), canFail: operand.canFail };
  }
  throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'size() takes text or a list', position);
}

function textTest(method: 'startsWith' | 'endsWith' | 'contains', text: Node, part: Node, position: number): Node {
  if (text.type !== 'string' || part.type !== 'string')
    throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `${method}() takes text`, position);
  const [a, b] = [text.evaluate, part.evaluate];
  const canFail = text.canFail || part.canFail;
  const test =
    method === 'startsWith'
      ? (whole: string, sought: string) => whole.startsWith(sought)
      : method === 'endsWith'
        ? (whole: string, sought: string) => whole.endsWith(sought)
        : (whole: string, sought: string) => whole.includes(sought);
  return {
    type: 'bool',
    canFail,
    evaluate: (context) => {
      const whole = a(context);
      const sought = b(context);
      return whole !== null && sought !== null && test(whole, sought);
    },
  };
}

function zoneOffset(zone: Node, position: number): number {
  const offset = zone.type === 'string' && typeof zone.constant === 'string' ? offsetMs(zone.constant) : undefined;
  if (offset !== undefined) return offset;
  throw new CelCompileError('SLUICE_CEL_TYPE', 'the zone must be an offset from UTC such as "+08:00"', position);
}

function listNode(nameNode: Node, value: Node, nameAst: ASTNode, scope: CelScope, uses: Uses): Node {
  const name = nameNode.type === 'string' ? nameNode.constant : undefined;
  if (typeof name !== 'string')
    throw new CelCompileError('SLUICE_CEL_TYPE', "the list's name must be a literal", nameAst.start);
  if (scope.kind !== 'rule' || !scope.lists.includes(name))
    throw new CelCompileError('SLUICE_CEL_UNKNOWN_NAME', `no such list: ${name}`, nameAst.start);
  uses.lists.add(name);
  const sought = toText(value, nameAst.start);
  const text = sought.evaluate;
  return {
    type: 'bool',
    canFail: sought.canFail,
    evaluate: (context) => {
      const held = text(context);
      return held !== null && context.lists.has(name, held);
    },
  };
}
