import { describe, expect, it } from 'vitest';
import { compileConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../../operators/definitions.ts';
import { NoHistoryError } from './historyFacts.ts';
import { mayAddAlerts, PublicationGate, type OpenHistory } from './publicationGate.ts';

const rule: RuleDefinition = {
  id: 'amount',
  version: 1,
  owner: 'risk-team',
  when: 'tx.amountMinor > p.limit',
  params: { limit: 100 },
  then: { verdict: 'review', score: 700, code: 'AMOUNT' },
  text: { en: 'Amount', zh: '金额' },
  mode: 'live',
  rollout: 50,
  examples: [],
};
const level = { challenge: 600, review: 800, decline: 930 };
const definition: ConfigurationDefinition = {
  ruleSetVersion: '1',
  latenessMs: 0,
  recentIds: 10,
  features: [{ name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' }],
  rules: [rule],
  lists: [],
  policy: { thresholds: { normal: level, elevated: level, lockdown: level }, maxReasons: 5 },
};

function withRule(changed: Partial<RuleDefinition>): ConfigurationDefinition {
  return { ...definition, ruleSetVersion: '2', rules: [{ ...rule, ...changed }] };
}

function compiled(given: ConfigurationDefinition): CompiledConfiguration {
  const found = compileConfiguration(given);
  if (!found.ok) throw new Error(JSON.stringify(found.problems));
  return found.value;
}

describe('a change may add alerts', () => {
  it.each([
    ['a rule counts for more accounts', withRule({ rollout: 60 })],
    ['a live rule says something else', withRule({ params: { limit: 50 } })],
    ['a live rule decides otherwise', withRule({ then: { ...rule.then, verdict: 'decline' } })],
    ['a live rule gives its points to a group', withRule({ group: 'habits' })],
    ['a rule is new and live', { ...definition, rules: [rule, { ...rule, id: 'other' }] }],
    ['thresholds differ', { ...definition, policy: { ...definition.policy, maxReasons: 6 } }],
    ['a feature is another', { ...definition, features: [] }],
  ])('where %s', (_, after) => {
    expect(mayAddAlerts(definition, after)).toBe(true);
  });

  it.each([
    ['a rule is off, in shadow, or for fewer accounts', withRule({ mode: 'off' })],
    ['it is in shadow', withRule({ mode: 'shadow', params: { limit: 1 } })],
    ['it is for fewer accounts', withRule({ rollout: 10 })],
    ['it is gone', { ...definition, rules: [] }],
    ['only words differ', withRule({ version: 2, text: { en: 'Large', zh: '大额' } })],
    ['a rule comes in shadow', { ...definition, rules: [rule, { ...rule, id: 'other', mode: 'shadow' as const }] }],
  ])('not where %s', (_, after) => {
    expect(mayAddAlerts(definition, after)).toBe(false);
  });
});

describe('the gate', () => {
  const more = compiled(withRule({ rollout: 60 }));
  const gate = (capacityPerDay: number | null, history: OpenHistory): PublicationGate =>
    new PublicationGate({ alertVerdicts: ['review'], capacityPerDay }, history);
  const away: OpenHistory = () => () => Promise.reject(new Error('no ClickHouse'));
  const { signal } = new AbortController();
  const plain = { reason: 'more', force: null };

  it('is asked where a capacity is declared, something is in force, and alerts may come', () => {
    const before = compiled(definition);
    expect(gate(5, away).isAsked(before, more)).toBe(true);
    expect(gate(5, away).isAsked(before, compiled(withRule({ mode: 'off' })))).toBe(false);
    expect([gate(null, away).isAsked(before, more), gate(5, away).isAsked(null, more)]).toEqual([false, false]);
  });

  it('refuses what cannot be told, unless forced with a reason, and lets pass where nothing was decided yet', async () => {
    await expect(gate(5, away).pass(more, plain, signal)).rejects.toThrow(
      /^SLUICE_CAPACITY: .* no ClickHouse; .*force/,
    );
    await expect(gate(5, () => null).pass(more, plain, signal)).rejects.toThrow(/without a history/);
    expect(await gate(5, away).pass(more, { reason: 'more', force: 'an attack' }, signal)).toEqual({
      alerts: null,
      reason: 'forced (how many alerts a day this makes cannot be told: no ClickHouse): an attack; more',
    });
    const empty: OpenHistory = () => () => Promise.reject(new NoHistoryError('nothing yet'));
    expect(await gate(5, empty).pass(more, plain, signal)).toEqual({ alerts: null, reason: 'more' });
  });
});
