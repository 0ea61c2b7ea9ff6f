import { describe, expect, it } from 'vitest';
import type { Reason, Verdict } from '../schemas/types.ts';
import type { ListDefinition } from './definitions.ts';
import { compilePolicy, type PolicyInput } from './policy.ts';
import { compileRuleSet, type CompiledRule } from './rules/ruleSet.ts';

const policy = compilePolicy({
  thresholds: {
    normal: { challenge: 600, review: 800, decline: 900 },
    elevated: { challenge: 400, review: 600, decline: 800 },
    lockdown: { challenge: 1, review: 1, decline: 500 },
  },
  maxReasons: 3,
});

function fired(id: string, verdict: Verdict, score: number): CompiledRule {
  const result = compileRuleSet(
    [
      {
        id,
        version: 2,
        owner: 'risk-team',
        when: 'true',
        params: {},
        then: { verdict, score, code: id.toUpperCase() },
        text: { en: `en ${id}`, zh: `zh ${id}` },
        mode: 'live',
        rollout: 100,
        examples: [],
      },
    ],
    { features: [], lists: [] },
  );
  const [rule] = result.ok ? result.value.rules : [];
  if (rule === undefined) throw new Error('the rule did not compile');
  return rule;
}

const list = (name: string, kind: ListDefinition['kind']): ListDefinition => ({
  name,
  kind,
  entity: 'card',
  text: { en: `On ${name}`, zh: `在${name}` },
});

function decide(given: Partial<PolicyInput>) {
  const nothing: PolicyInput = { listHits: [], firedRules: [], modelScore: NaN, modelReasons: [], riskLevel: 'normal' };
  const { verdict, score, reasons } = policy.decide({ ...nothing, ...given });
  return { verdict, score, codes: reasons.map(({ code }) => code), reasons };
}

describe('the decision policy', () => {
  it('approves with the model score when nothing speaks against it', () => {
    expect(decide({})).toMatchObject({ verdict: 'approve', score: 0, codes: [] });
    expect(decide({ modelScore: 599 })).toMatchObject({ verdict: 'approve', score: 599, codes: [] });
  });

  it.each([
    [600, 'challenge'],
    [800, 'review'],
    [900, 'decline'],
  ] as const)('gives the verdict of the greatest threshold that %d reaches: %s', (modelScore, verdict) => {
    expect(decide({ modelScore })).toMatchObject({ verdict, score: modelScore, codes: ['MODEL'] });
  });

  it('uses the thresholds of the risk level', () => {
    expect(decide({ modelScore: 500, riskLevel: 'normal' }).verdict).toBe('approve');
    expect(decide({ modelScore: 500, riskLevel: 'elevated' }).verdict).toBe('challenge');
    expect(decide({ modelScore: 500, riskLevel: 'lockdown' }).verdict).toBe('decline');
  });

  it('takes the most severe verdict and the greatest score, each where it is', () => {
    const firedRules = [fired('mild', 'challenge', 950), fired('hard', 'review', 300)];
    expect(decide({ firedRules, modelScore: 700 })).toMatchObject({
      verdict: 'review',
      score: 950,
      codes: ['HARD', 'MILD', 'MODEL'],
    });
  });

  it('orders reasons by verdict, then score, rules before the model, and keeps the first few', () => {
    const firedRules = [fired('a', 'challenge', 500), fired('b', 'challenge', 650), fired('c', 'decline', 100)];
    expect(decide({ firedRules, modelScore: 650 }).codes).toEqual(['C', 'B', 'MODEL']);
  });

  it('says rule, version, code and text', () => {
    const [reason] = decide({ firedRules: [fired('hard', 'decline', 900)] }).reasons;
    expect(reason).toEqual({
      code: 'HARD',
      rule: 'hard',
      version: 2,
      list: null,
      feature: null,
      contribution: null,
      value: null,
      text: { en: 'en hard', zh: 'zh hard' },
    });
  });

  it("gives the model's own reasons where there are some", () => {
    const reason: Reason = {
      code: 'MODEL',
      rule: null,
      version: null,
      list: null,
      feature: 'card_count_10m',
      contribution: 0.3,
      value: 9,
      text: null,
    };
    expect(decide({ modelScore: 700, modelReasons: [reason] }).reasons).toEqual([reason]);
    expect(decide({ modelScore: 100, modelReasons: [reason] }).reasons).toEqual([]);
  });

  it('declines what is on a block list, first of all reasons, even on an allow list', () => {
    const listHits = [list('blocked', 'block'), list('trusted', 'allow')];
    expect(decide({ listHits, firedRules: [fired('hard', 'decline', 1000)] })).toMatchObject({
      verdict: 'decline',
      score: 1000,
      codes: ['BLOCK_LIST', 'HARD'],
      reasons: [{ list: 'blocked', text: { en: 'On blocked' } }, {}],
    });
  });

  it('approves what is on an allow list over rules and model, and says so', () => {
    const input = {
      listHits: [list('trusted', 'allow')],
      firedRules: [fired('hard', 'decline', 900)],
      modelScore: 990,
    };
    expect(decide(input)).toMatchObject({
      verdict: 'approve',
      score: 0,
      codes: ['ALLOW_LIST'],
      reasons: [{ list: 'trusted', text: { en: 'On trusted (allow list: rules and model do not apply)' } }],
    });
  });
});
