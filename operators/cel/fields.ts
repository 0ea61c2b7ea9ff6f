import type { ASTNode } from '@marcbachmann/cel-js';
import { CelCompileError } from './celCompileError.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import type { EvaluationContext } from './context.ts';
import { literalNode } from './conversions.ts';
import { constantNode, type Node, type Uses } from './node.ts';
import { closedValues, type CelScope } from './scope.ts';

/** Compiles `owner.name`. */
export function fieldNode(owner: ASTNode, name: string, position: number, scope: CelScope, uses: Uses): Node {
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
      return {
        type: 'double',
        evaluate: (c) => c.features[c.featureBase + index] ?? NaN,
        canFail: false,
        featureIndex: index,
      };
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
  const text = (evaluate: (context: EvaluationContext) => string | null): Node => ({
    type: 'string',
    evaluate,
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
      return text((context) => context.tx.transactionId);
    case 'type':
      return text((context) => context.tx.type);
    case 'channel':
      return text((context) => context.tx.channel);
    case 'currency':
      return text((context) => context.tx.currency);
    case 'account':
      return text((context) => context.tx.account);
    case 'device':
      return text((context) => context.tx.device);
    case 'ip':
      return text((context) => context.tx.ip);
    case 'merchant':
      return text((context) => context.tx.merchant);
    case 'mcc':
      return text((context) => context.tx.mcc);
    case 'terminal':
      return text((context) => context.tx.terminal);
    case 'payee':
      return text((context) => context.tx.payee);
    case 'country':
      return text((context) => context.tx.country);
    case 'originalTransactionId':
      return text((context) => context.tx.originalTransactionId);
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
