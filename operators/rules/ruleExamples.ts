import { z } from 'zod';
import type { Transaction } from '../../schemas/types.ts';
import { bareContext, bareTransaction } from '../cel/bareContext.ts';
import { CelEvaluationError } from '../cel/celEvaluationError.ts';
import type { EvaluationContext } from '../cel/context.ts';
import { closedValues } from '../cel/scope.ts';
import type { ConfigurationProblem, RuleExample } from '../definitions.ts';
import { runSteps, type Steps } from '../steps.ts';
import type { CompiledRule, RuleScope } from './ruleSet.ts';

const nullableText = z.string().nullable();
const cardShape = z.strictObject({
  token: z.string().default('card-token'),
  bin: nullableText.default(null),
  last4: nullableText.default(null),
});
const transactionShape = z
  .strictObject({
    transactionId: z.string(),
    eventTimeMs: z.int(),
    type: z.string().refine((value) => closedValues['tx.type']?.includes(value)),
    channel: z.string().refine((value) => closedValues['tx.channel']?.includes(value)),
    amountMinor: z.int(),
    currency: z.string(),
    account: nullableText,
    card: cardShape.nullable(),
    device: nullableText,
    ip: nullableText,
    merchant: nullableText,
    mcc: nullableText,
    terminal: nullableText,
    payee: nullableText,
    country: nullableText,
    authMethods: z.array(z.string()),
    originalTransactionId: nullableText,
    attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .partial();

/**
 * Runs the examples of every rule, whatever its mode and rollout. What an example leaves out of tx is null, of f and m
 * NaN, of lists empty. Gives a problem for each example that does not turn out as it says, or cannot be run.
 */
export function runExamples(rules: readonly CompiledRule[], scope: RuleScope): readonly ConfigurationProblem[] {
  return runSteps(exampleSteps(rules, scope));
}

/** The same, a step for each rule. */
export function* exampleSteps(
  rules: readonly CompiledRule[],
  scope: RuleScope,
): Steps<readonly ConfigurationProblem[]> {
  const problems: ConfigurationProblem[] = [];
  for (const [index, rule] of rules.entries()) {
    const { id, examples } = rule.definition;
    for (const [place, example] of examples.entries()) {
      const message = exampleFault(rule, example, scope);
      if (message === undefined) continue;
      problems.push({
        code: 'SLUICE_RULE_EXAMPLE',
        section: 'rules',
        index,
        path: ['examples', place],
        message: `rule '${id}', example ${place + 1}: ${message}`,
      });
    }
    yield;
  }
  return problems;
}

function exampleFault(rule: CompiledRule, example: RuleExample, scope: RuleScope): string | undefined {
  const context = exampleContext(example, scope);
  if (typeof context === 'string') return context;
  try {
    const fires = rule.expression.test(context);
    if (fires === (example.expect === 'fires')) return undefined;
    return fires ? 'expected to stay silent, but fires' : 'expected to fire, but stays silent';
  } catch (error) {
    if (error instanceof CelEvaluationError) return `fails: ${error.message}`;
    throw error;
  }
}

/** The context an example describes, or what is wrong with it. */
function exampleContext({ given }: RuleExample, scope: RuleScope): EvaluationContext | string {
  const tx = transactionShape.safeParse(given.tx ?? {});
  if (!tx.success) return `given.tx: ${z.prettifyError(tx.error)}`;
  const features = new Float64Array(scope.features.length).fill(NaN);
  for (const [name, value] of Object.entries(given.f ?? {})) {
    const place = scope.features.indexOf(name);
    if (place < 0) return `given.f: unknown feature '${name}'`;
    features[place] = value;
  }
  const lists = given.lists ?? {};
  const unknownList = Object.keys(lists).find((name) => !scope.lists.includes(name));
  if (unknownList !== undefined) return `given.lists: unknown list '${unknownList}'`;
  const modelScore = given.m?.score ?? NaN;
  return {
    ...bareContext(),
    tx: exampleTransaction(tx.data),
    features,
    modelScore,
    modelProbability: modelScore / 1000,
    lists: {
      has: (list, value) => lists[list]?.includes(value) === true,
      isEmpty: (list) => lists[list] === undefined,
    },
  };
}

/** Fields left out keep the bare payment's value. */
function exampleTransaction(given: z.infer<typeof transactionShape>): Transaction {
  const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...bareTransaction, ...stated };
}
