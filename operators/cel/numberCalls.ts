import { CelCompileError } from './celCompileError.ts';
import type { EvaluationContext } from './context.ts';
import type { BoolNode, DoubleNode } from './node.ts';
import { isNear, median, placesKm } from './numbers.ts';

type NumberOf = DoubleNode['evaluate'];

/** min, max and median of two to eight numbers. */
export function extremeNode(
  name: 'min' | 'max' | 'median',
  operands: readonly DoubleNode[],
  position: number,
): DoubleNode {
  const [first, second, ...others] = operands;
  if (first === undefined || second === undefined)
    throw new CelCompileError('SLUICE_CEL_TYPE', `${name}() needs two numbers or more`, position);
  const canFail = operands.some((operand) => operand.canFail);
  if (name === 'median')
    return { type: 'double', evaluate: medianOf(operands.map(({ evaluate }) => evaluate)), canFail };
  const two = name === 'min' ? leastOf : greatestOf;
  let evaluate = two(first.evaluate, second.evaluate);
  for (const other of others) evaluate = two(evaluate, other.evaluate);
  return { type: 'double', evaluate, canFail };
}

export function nearNode(operands: readonly DoubleNode[], position: number): BoolNode {
  const [a, b, ratio] = operands.map(({ evaluate }) => evaluate);
  if (a === undefined || b === undefined || ratio === undefined)
    throw new CelCompileError(
      'SLUICE_CEL_TYPE',
      'near() needs two numbers and a ratio, as in near(a, b, 0.05)',
      position,
    );
  const canFail = operands.some((operand) => operand.canFail);
  return { type: 'bool', evaluate: (context) => isNear(a(context), b(context), ratio(context)), canFail };
}

export function distanceNode(operands: readonly DoubleNode[], position: number): DoubleNode {
  const [a, b, c, d] = operands.map(({ evaluate }) => evaluate);
  if (a === undefined || b === undefined || c === undefined || d === undefined)
    throw new CelCompileError(
      'SLUICE_CEL_TYPE',
      'distanceKm() needs latitude, longitude, latitude, longitude',
      position,
    );
  const canFail = operands.some((operand) => operand.canFail);
  return { type: 'double', evaluate: (x) => placesKm(a(x), b(x), c(x), d(x)), canFail };
}

function leastOf(a: NumberOf, b: NumberOf): NumberOf {
  return (context) => Math.min(a(context), b(context));
}

function greatestOf(a: NumberOf, b: NumberOf): NumberOf {
  return (context) => Math.max(a(context), b(context));
}

function medianOf(operands: readonly NumberOf[]): NumberOf {
  return (context: EvaluationContext) => median(operands.map((operand) => operand(context)));
}
