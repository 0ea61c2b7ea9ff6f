import type { ConfigurationProblem } from '../definitions.ts';
import type { RuleSet } from './ruleSet.ts';

/** Of all rules that are evaluated, in steps of about 5 ns (operators/cel/cost.ts): 0.25 ms a payment. */
export const MAX_RULE_SET_STEPS = 50_000;

/**
 * Whether a rule set may be published by what it costs each payment. Asked of what is to be published, and not of what the ledger
 * holds: an older Sluice may have published more.
 */
export function ruleSetCostProblems({ rules }: RuleSet): readonly ConfigurationProblem[] {
  const evaluated = rules.filter(({ definition }) => definition.mode !== 'off');
  const total = evaluated.reduce((sum, { expression }) => sum + expression.steps, 0);
  if (total <= MAX_RULE_SET_STEPS) return [];
  const dearest = evaluated.toSorted((one, other) => other.expression.steps - one.expression.steps).slice(0, 3);
  const named = dearest.map(({ definition, expression }) => `${definition.id} (${count(expression.steps)})`).join(', ');
  const message =
    `the rules take up to ${count(total)} steps a payment together, at most ${count(MAX_RULE_SET_STEPS)} are allowed ` +
    `(about 0.25 ms); the dearest: ${named}; matches() takes 1,000, list() 25, all else one each`;
  return [{ code: 'SLUICE_RULE_SET_COST', section: 'rules', path: [], message }];
}

function count(value: number): string {
  return value.toLocaleString('en');
}
