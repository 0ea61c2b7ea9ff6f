import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../schemas/types.ts';
import { bareContext, bareTransaction } from '../cel/bareContext.ts';
import type { RuleDefinition } from '../definitions.ts';
import { SNOOZES } from '../lists/snoozes.ts';
import { runExamples } from './ruleExamples.ts';
import { compileRuleSet, emptyRuleResults, type RuleSet } from './ruleSet.ts';

const scope = { features: ['count'], lists: ['watch-devices'] };

function rule(given: Partial<RuleDefinition> = {}): RuleDefinition {
  return {
    id: 'many-payments',
    version: 1,
    owner: 'risk-team',
    when: 'f.count > 3',
    params: {},
    then: { verdict: 'challenge', score: 600, code: 'MANY_PAYMENTS' },
    text: { en: 'Many payments', zh: '多次支付' },
    mode: 'live',
    rollout: 100,
    examples: [],
    ...given,
  };
}

function compiled(...rules: RuleDefinition[]): RuleSet {
  const result = compileRuleSet(rules, scope);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

function problems(...rules: RuleDefinition[]): string[] {
  const result = compileRuleSet(rules, scope);
  return result.ok ? [] : result.problems.map((p) => `${p.code} ${[p.index, ...p.path].join('.')}: ${p.message}`);
}

function run(ruleSet: RuleSet, count: number, tx: Partial<Transaction> = {}) {
  const results = emptyRuleResults();
  ruleSet.evaluate(bareContext({ features: Float64Array.of(count), tx: { ...bareTransaction, ...tx } }), results);
  return results;
}

it('a snoozed rule is recorded as such and does not count', () => {
  const ruleSet = compiled(rule({ id: 'first', when: 'true' }), rule({ id: 'second', when: 'true' }));
  const results = emptyRuleResults();
  const lists = {
    has: (list: string, value: string) => list === SNOOZES && value === 'first:account:a-1',
    isEmpty: () => false,
  };
  ruleSet.evaluate(bareContext({ lists, tx: { ...bareTransaction, account: 'a-1' } }), results);
  expect(results.live.map(({ definition }) => definition.id)).toEqual(['second']);
  expect(results.fired.map(({ rule: id, snoozed }) => [id, snoozed])).toEqual([
    ['first', true],
    ['second', false],
  ]);
  ruleSet.evaluate(bareContext({ lists, tx: { ...bareTransaction, account: 'a-2' } }), results);
  expect(results.live).toHaveLength(2);
});

describe('evaluating a rule set', () => {
  it('gives the rules that fire in order: live ones count, shadow ones are only recorded, off ones are not run', () => {
    const ruleSet = compiled(
      rule({ id: 'third', when: 'f.count > 100' }),
      rule({ id: 'second', mode: 'shadow' }),
      rule({ id: 'first' }),
      rule({ id: 'silent', mode: 'off' }),
    );
    const results = run(ruleSet, 4);
    expect(results.live.map(({ definition }) => definition.id)).toEqual(['first']);
    expect(results.fired).toEqual([
      { rule: 'second', version: 1, mode: 'shadow', snoozed: false },
      { rule: 'first', version: 1, mode: 'live', snoozed: false },
    ]);
    expect(results.errors).toEqual([]);
  });

  it('reports a rule that fails, and goes on with the next', () => {
    const ruleSet = compiled(rule({ id: 'failing', when: 'tx.attributes.items > 3' }), rule({ id: 'next' }));
    const results = run(ruleSet, 4);
    expect(results.errors).toEqual([{ rule: 'failing', version: 1, message: "the payment has no attribute 'items'" }]);
    expect(results.fired.map(({ rule: id }) => id)).toEqual(['next']);
  });

  it('empties the results of the payment before', () => {
    const ruleSet = compiled(rule());
    const results = emptyRuleResults();
    ruleSet.evaluate(bareContext({ features: Float64Array.of(9) }), results);
    ruleSet.evaluate(bareContext({ features: Float64Array.of(NaN) }), results);
    expect(results).toEqual(emptyRuleResults());
  });
});

describe('rollout', () => {
  const rolledOut = (rollout: number, id = 'r') => {
    const ruleSet = compiled(rule({ id, rollout }));
    return (tx: Partial<Transaction>) => run(ruleSet, 9, tx).fired.length === 1;
  };
  const accounts = Array.from({ length: 4000 }, (_, index) => `a-${index}`);

  it('takes about its percentage of accounts, and keeps an account when it grows', () => {
    const chosen = (rollout: number) => {
      const fires = rolledOut(rollout);
      return accounts.filter((account) => fires({ account }));
    };
    const ten = chosen(10);
    const forty = new Set(chosen(40));
    expect(ten.length).toBeGreaterThan(320);
    expect(ten.length).toBeLessThan(480);
    expect(ten.every((account) => forty.has(account))).toBe(true);
    expect(chosen(0)).toEqual([]);
    expect(chosen(100)).toHaveLength(accounts.length);
  });

  it('chooses accounts for each rule independently', () => {
    const [fires, otherFires] = [rolledOut(50, 'r'), rolledOut(50, 's')];
    const both = accounts.filter((account) => fires({ account }) && otherFires({ account }));
    expect(both.length).toBeGreaterThan(800);
    expect(both.length).toBeLessThan(1200);
  });

  it('goes by card where there is no account, and by transaction where there is neither', () => {
    const fires = rolledOut(50);
    const card = { token: 'c-1', bin: null, last4: null };
    const byCard = Array.from({ length: 20 }, (_, index) => fires({ card, transactionId: `t-${index}` }));
    expect(new Set(byCard).size).toBe(1);
    const byTransaction = Array.from({ length: 20 }, (_, index) => fires({ transactionId: `t-${index}` }));
    expect(new Set(byTransaction).size).toBe(2);
  });
});

describe('a faulty rule is named with its index and the path to the fault', () => {
  it.each<[string, Partial<RuleDefinition>, string]>([
    [
      'unknown feature',
      { when: 'f.nope > 1' },
      "SLUICE_CEL_UNKNOWN_NAME 1.when: rule 'faulty': unknown feature 'nope' (at character 3 of when)",
    ],
    [
      'unknown list',
      { when: "list('nope', tx.device)" },
      "SLUICE_CEL_UNKNOWN_NAME 1.when: rule 'faulty': no such list: nope",
    ],
    [
      'unknown param',
      { when: 'f.count > p.max' },
      "SLUICE_CEL_UNKNOWN_NAME 1.when: rule 'faulty': unknown param 'max'",
    ],
    [
      'unused param',
      { params: { max: 3 } },
      "SLUICE_RULE_PARAM 1.params.max: rule 'faulty': p.max is not used in when",
    ],
    [
      'number for text',
      { when: "f.count > 'x'" },
      "SLUICE_CEL_TYPE 1.when: rule 'faulty': no such overload: double > string",
    ],
    ['no bool', { when: 'f.count' }, "SLUICE_CEL_TYPE 1.when: rule 'faulty': must be true or false"],
    [
      'approving',
      { then: { verdict: 'approve', score: 1, code: 'A' } },
      "SLUICE_RULE_VERDICT 1.then.verdict: rule 'faulty': a rule cannot approve",
    ],
    ['group', { group: 'nowhere' }, "SLUICE_RULE_GROUP 1.group: rule 'faulty': no rule group 'nowhere' is declared"],
    ['score', { then: { verdict: 'review', score: 1001, code: 'A' } }, 'SLUICE_RULE_SCORE 1.then.score'],
    ['code', { then: { verdict: 'review', score: 1, code: 'a b' } }, 'SLUICE_RULE_CODE 1.then.code'],
    ['rollout', { rollout: 101 }, 'SLUICE_RULE_ROLLOUT 1.rollout'],
    ['version', { version: 0 }, 'SLUICE_RULE_VERSION 1.version'],
    ['text', { text: { en: 'x', zh: ' ' } }, 'SLUICE_RULE_TEXT 1.text.zh'],
    ['param value', { when: 'f.count > p.n', params: { n: NaN } }, 'SLUICE_RULE_PARAM 1.params.n'],
  ])('%s', (_what, given, expected) => {
    const found = problems(rule(), rule({ id: 'faulty', ...given }));
    expect(found).toHaveLength(1);
    expect(found[0]?.slice(0, expected.length)).toBe(expected);
  });

  it('and all faults of all rules are told at once', () => {
    expect(problems(rule({ when: 'f.nope > 1', rollout: -1 }), rule(), rule({ owner: '' }))).toEqual([
      expect.stringContaining('SLUICE_RULE_ROLLOUT 0.rollout'),
      expect.stringContaining('SLUICE_CEL_UNKNOWN_NAME 0.when'),
      expect.stringContaining('SLUICE_RULE_DUPLICATE 1.id'),
      expect.stringContaining('SLUICE_RULE_OWNER 2.owner'),
      expect.stringContaining('SLUICE_RULE_DUPLICATE 2.id'),
    ]);
  });

  it('more than 500 rules are refused', () => {
    const many = Array.from({ length: 501 }, (_, index) => rule({ id: `r-${index}` }));
    expect(problems(...many)).toEqual(['SLUICE_RULE_COUNT : 501 rules; at most 500 are allowed']);
  });
});

describe('examples', () => {
  const outcome = (given: Partial<RuleDefinition>) =>
    runExamples(compiled(rule(given)).rules, scope).map(
      ({ index, path, message }) => `${[index, ...path].join('.')}: ${message}`,
    );

  it("that turn out as they say give no problem, whatever the rule's mode and rollout", () => {
    const examples = [
      { given: { f: { count: 4 } }, expect: 'fires' },
      { given: {}, expect: 'silent' },
    ] as const;
    expect(outcome({ examples, mode: 'off', rollout: 0 })).toEqual([]);
  });

  it('fill tx, m and lists', () => {
    const when = "list('watch-devices', tx.device) && m.score > 500 && tx.card.bin == '411111'";
    const tx = { device: 'd-1', card: { bin: '411111' } };
    const given = { tx, m: { score: 501 }, lists: { 'watch-devices': ['d-1'] } };
    expect(outcome({ when, examples: [{ given, expect: 'fires' }] })).toEqual([]);
  });

  it.each<[string, RuleDefinition['examples'][number], string]>([
    ['a wrong outcome', { given: { f: { count: 3 } }, expect: 'fires' }, 'expected to fire, but stays silent'],
    ['the other wrong outcome', { given: { f: { count: 4 } }, expect: 'silent' }, 'expected to stay silent, but fires'],
    ['an unknown feature', { given: { f: { nope: 3 } }, expect: 'fires' }, "given.f: unknown feature 'nope'"],
    ['an unknown field', { given: { tx: { amount: 3 } }, expect: 'silent' }, 'given.tx: '],
    ['a value of the wrong type', { given: { tx: { amountMinor: '3' } }, expect: 'silent' }, 'given.tx: '],
    ['an unknown list', { given: { lists: { nope: [] } }, expect: 'silent' }, "given.lists: unknown list 'nope'"],
  ])('name %s', (_what, example, expected) => {
    const found = outcome({ examples: [example] });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`0.examples.0: rule 'many-payments', example 1: ${expected}`);
  });

  it('that fail to evaluate say so', () => {
    const when = 'tx.attributes.items > 3';
    expect(outcome({ when, examples: [{ given: {}, expect: 'silent' }] })).toEqual([
      "0.examples.0: rule 'many-payments', example 1: fails: the payment has no attribute 'items'",
    ]);
  });
});
