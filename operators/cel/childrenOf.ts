import type { ASTNode } from '@marcbachmann/cel-js';
import { unsupported } from './celCompileError.ts';

/** The nodes right below this one, in the order of the text. Refuses an operator that is not in the subset. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'list':
    case '?:':
    case '&&':
    case '||':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case 'in':
      return node.args;
    case '!_':
    case '-_':
      return [node.args];
    default:
      throw unsupported(`'${node.op}'`, node.start);
  }
}
