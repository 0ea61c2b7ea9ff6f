import { describe, expect, it } from 'vitest';
import type { Reason, Verdict } from '../schemas/types.ts';
import { bareTransaction } from './cel/bareContext.ts';
import type { ListDefinition } from './definitions.ts';
import { compilePolicy, type PolicyInput } from './policy.ts';
import { compileRuleSet, type CompiledRule } from './rules/ruleSet.ts';

const normal = { challenge: 600, review: 800, decline: 900 };
const policy = compilePolicy({
  thresholds: {
    normal,
    elevated: { challenge: 400, review: 600, decline: 800 },
    lockdown: { challenge: 1, review: 1, decline: 500 },
  },
  maxReasons: 3,
});

function fired(id: string, verdict: Verdict, score: number, group?: string): CompiledRule {
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
        ...(group === undefined ? {} : { group }),
        mode: 'live',
        rollout: 100,
        examples: [],
      },
    ],
    { features: [], lists: [], groups: ['signs', 'nothing'] },
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

const nothing: PolicyInput = {
  transaction: bareTransaction,
  listHits: [],
  firedRules: [],
  modelScore: NaN,
  modelReasons: [],
  riskLevel: 'normal',
};

function decide(given: Partial<PolicyInput>) {
  const decided = policy.decide({ ...nothing, ...given });
  return { ...decided, codes: decided.reasons.map(({ code }) => code) };
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

  describe('that lets some declines through', () => {
    const letThrough = { percent: 10, maxAmountMinor: { CNY: 10_000 }, salt: 's' };
    const lenient = compilePolicy({
      thresholds: { normal, elevated: normal, lockdown: normal },
      maxReasons: 3,
      letThrough,
    });
    const firedRules = [fired('hard', 'decline', 940)];
    const decideFor = (account: string, given: Partial<PolicyInput>) =>
      lenient.decide({ ...nothing, transaction: { ...bareTransaction, account }, ...given });
    const accounts = Array.from({ length: 200 }, (_, index) => `a-${index}`);
    const chosen = accounts.find((account) => decideFor(account, { firedRules }).verdict === 'approve') ?? '';

    it('approves without a word, and keeps what it would have been', () => {
      const { reasons, score, verdict } = decide({ firedRules, modelScore: 700 });
      expect(decideFor(chosen, { firedRules, modelScore: 700 })).toMatchObject({
        verdict: 'approve',
        score: 0,
        reasons: [],
        letThrough: { verdict, score, reasons, percent: 10 },
      });
      expect(decideFor(chosen, { modelScore: 950 })).toMatchObject({ verdict: 'approve', letThrough: { score: 950 } });
    });

    it('does so for the share alone, of declines alone, and never over a block list', () => {
      const share = accounts.filter((account) => decideFor(account, { firedRules }).letThrough !== null);
      expect(share.length).toBeGreaterThan(5);
      expect(share.length).toBeLessThan(50);
      for (const given of [
        { firedRules: [fired('mild', 'review', 990)] },
        { listHits: [list('blocked', 'block')], firedRules },
        { listHits: [list('trusted', 'allow')], firedRules },
        {},
      ])
        expect(decideFor(chosen, given).letThrough).toBeNull();
      expect(decideFor(chosen, { listHits: [list('blocked', 'block')] }).verdict).toBe('decline');
      expect(decide({ firedRules }).letThrough).toBeNull();
    });
  });

  describe('with rule groups', () => {
    const text = { en: 'g', zh: 'g' };
    const scoring = compilePolicy({
      thresholds: { normal, elevated: { challenge: 400, review: 600, decline: 800 }, lockdown: normal },
      maxReasons: 3,
      ruleGroups: [
        { id: 'signs', weight: 50, cap: 700, text },
        { id: 'nothing', weight: 0, cap: 1000, text },
      ],
    });
    const inGroup = (id: string, score: number, group = 'signs', verdict: Verdict = 'approve') =>
      fired(id, verdict, score, group);
    const decided = (given: Partial<PolicyInput>) => {
      const { verdict, score, points, reasons } = scoring.decide({ ...nothing, ...given });
      return { verdict, score, points: points.total, codes: reasons.map(({ code }) => code) };
    };

    it('holds their points against the thresholds, and gives the rules as reasons', () => {
      const firedRules = [inGroup('a', 501), inGroup('b', 700)];
      expect(decided({ firedRules })).toEqual({ verdict: 'challenge', score: 600, points: 600, codes: ['B', 'A'] });
      expect(decided({ firedRules, riskLevel: 'elevated' })).toMatchObject({ verdict: 'review', score: 600 });
      expect(decided({ firedRules, modelScore: 910 })).toMatchObject({ verdict: 'decline', score: 910, points: 600 });
    });

    it('says nothing of points that reach no threshold', () => {
      expect(decided({ firedRules: [inGroup('a', 900)] })).toEqual({
        ...{ verdict: 'approve', score: 450, points: 450, codes: [] },
      });
    });

    it('stops at the cap', () => {
      const firedRules = [inGroup('a', 1000), inGroup('b', 1000)];
      expect(decided({ firedRules })).toMatchObject({ verdict: 'challenge', score: 700, points: 700 });
    });

    it('lets a rule of a group have a verdict too, and a group without weight none', () => {
      const firedRules = [inGroup('hard', 100, 'signs', 'decline'), inGroup('idle', 1000, 'nothing')];
      expect(decided({ firedRules })).toEqual({ verdict: 'decline', score: 50, points: 50, codes: ['HARD'] });
    });
  });
});
