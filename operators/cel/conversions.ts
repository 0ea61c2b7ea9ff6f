import { CelCompileError } from './celCompileError.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import { constantNode, type BoolNode, type DoubleNode, type Node, type TextNode } from './node.ts';

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

/** A node as a truth value: an attribute is checked when it is read. */
export function toBool(node: Node, position: number): BoolNode {
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

/** A node as text: an attribute is checked when it is read. */
export function toText(node: Node, position: number): TextNode {
  if (node.type === 'string') return node;
  if (node.type !== 'dyn') throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', 'only text can be used here', position);
  const read = node.evaluate;
  return {
    type: 'string',
    canFail: true,
    evaluate: (context) => {
      const value = read(context);
      if (typeof value !== 'string') throw new CelEvaluationError(`expected text, found a ${typeof value}`, position);
      return value;
    },
  };
}

export function literalNode(value: unknown, position: number): Node {
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
