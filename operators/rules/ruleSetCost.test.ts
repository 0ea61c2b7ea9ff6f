import { describe, expect, it } from 'vitest';
import type { RuleDefinition } from '../definitions.ts';
import { compileRuleSet } from './ruleSet.ts';
import { ruleSetCostProblems } from './ruleSetCost.ts';

function problems(count: number, given: Partial<RuleDefinition>): readonly string[] {
  const rules = Array.from({ length: count }, (_, index): RuleDefinition => {
    return {
      id: `rule-${index}`,
      version: 1,
      owner: 'risk-team',
      when: 'f.count > 3.0',
      params: {},
      then: { verdict: 'challenge', score: 600, code: 'MANY' },
      text: { en: 'Many', zh: '多' },
      mode: 'shadow',
      rollout: 100,
      examples: [],
      ...given,
    };
  });
  const compiled = compileRuleSet(rules, { features: ['count'], lists: ['ips'] });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return ruleSetCostProblems(compiled.value).map(({ code, message }) => `${code} ${message}`);
}

describe('the cost of a rule set', () => {
  it('is the sum over the rules that are evaluated, by what they call', () => {
    const matching = "tx.merchant.matches('^m')";
    expect(problems(49, { when: matching })).toEqual([]);
    const [refused, ...more] = problems(50, { when: matching });
    expect(refused).toMatch(/^SLUICE_RULE_SET_COST the rules take up to 50,200 steps .* rule-0 \(1,004\), rule-1/);
    expect(more).toEqual([]);
    expect(problems(50, { when: matching, mode: 'off' })).toEqual([]);
    // Not only matches: 500 rules of 100 nodes would do.
    const sum = Array.from({ length: 40 }, () => 'f.count').join(' + ');
    expect(problems(400, { when: `${sum} > 3.0` })).toEqual([]);
    expect(problems(500, { when: `${sum} > 3.0` })).toHaveLength(1);
    expect(problems(500, { when: "list('ips', tx.ip)" })).toEqual([]);
  });
});
