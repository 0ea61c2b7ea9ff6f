import type { ASTNode } from '@marcbachmann/cel-js';
import { callNode } from './calls.ts';
import { CelCompileError } from './celCompileError.ts';
import { literalNode, toBool, toDouble } from './conversions.ts';
import { fieldNode } from './fields.ts';
import { constantNode, type Node, type Uses } from './node.ts';
import { arithmetic, equality, logical, membership, ordering, ternary } from './operators.ts';
import type { CelScope } from './scope.ts';

/** Compiles one node of a checked tree. Throws CelCompileError on what the subset leaves out. */
export function compileNode(ast: ASTNode, scope: CelScope, uses: Uses): Node {
  const sub = (child: ASTNode): Node => compileNode(child, scope, uses);
  switch (ast.op) {
    case 'value':
      return literalNode(ast.args, ast.start);
    case 'id':
      return factNode(ast.args, ast.start);
    case '.':
      return fieldNode(ast.args[0], ast.args[1], ast.start, scope, uses);
    case 'call':
      return callNode(ast.args[0], undefined, ast.args[1], ast.start, { scope, uses, sub });
    case 'rcall':
      return callNode(ast.args[0], ast.args[1], ast.args[2], ast.start, { scope, uses, sub });
    case '&&':
    case '||':
      return logical(
        chain(ast, ast.op).map((operand) => toBool(sub(operand), operand.start)),
        ast.op === '||',
      );
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
      return membership(sub(ast.args[0]), ast.args[1], sub);
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

/** What became known of the payment. */
function factNode(name: string, position: number): Node {
  switch (name) {
    case 'label':
      return { type: 'string', evaluate: ({ known }) => known.label, canFail: false, closedField: 'label' };
    case 'outcome':
      return { type: 'string', evaluate: ({ known }) => known.outcome, canFail: false, closedField: 'outcome' };
    case 'reversed':
      return { type: 'bool', evaluate: ({ known }) => known.reversed, canFail: false };
    default:
      throw new CelCompileError('SLUICE_CEL_UNSUPPORTED', `'${name}' needs a field, as in ${name}.x`, position);
  }
}

/** The operands of a chain of one logical operator, in order. */
function chain(ast: ASTNode, op: '&&' | '||'): readonly ASTNode[] {
  if (ast.op !== op) return [ast];
  const [left, right] = ast.args;
  return [...chain(left, op), ...chain(right, op)];
}
