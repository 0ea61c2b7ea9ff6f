import type { ASTNode } from '@marcbachmann/cel-js';
import type { Card } from '../../schemas/types.ts';
import type { EvaluationContext } from './context.ts';

/** A compiled sub-expression: its static type and the closure that evaluates it. */
export type Node =
  | NodeOf<'double', number>
  | NodeOf<'bool', boolean>
  | NodeOf<'string', string | null>
  | NodeOf<'null', null>
  | NodeOf<'strings', readonly string[]>
  | NodeOf<'card', Card | null>
  /** An attribute: number, string or boolean, known only when it is read. */
  | NodeOf<'dyn', number | string | boolean>;

export interface NodeOf<Type extends string, Value> {
  readonly type: Type;
  readonly evaluate: (context: EvaluationContext) => Value;
  /** Whether evaluate may throw CelEvaluationError. */
  readonly canFail: boolean;
  /** The value, where it is known when compiling. */
  readonly constant?: Value;
  /** Place in the feature row, for `f.name`: comparisons read it without another call. */
  readonly featureIndex?: number;
  /** `tx.type` and the like, for fields with a closed set of values. */
  readonly closedField?: string;
}

export type DoubleNode = NodeOf<'double', number>;
export type TextNode = NodeOf<'string', string | null>;
export type BoolNode = NodeOf<'bool', boolean>;

export function constantNode<Type extends string, Value>(type: Type, constant: Value): NodeOf<Type, Value> {
  return { type, evaluate: () => constant, canFail: false, constant };
}

/** What an expression reads, gathered while compiling. */
export interface Uses {
  readonly features: Set<string>;
  readonly params: Set<string>;
  readonly lists: Set<string>;
  model: boolean;
}

/** Compiles a child of the node at hand. */
export type CompileChild = (child: ASTNode) => Node;
