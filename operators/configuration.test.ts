import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonicalJson.ts';
import { compileConfiguration, parseConfiguration } from './configuration.ts';
import type { ConfigurationDefinition } from './definitions.ts';

const thresholds = { challenge: 600, review: 800, decline: 950 };
const definition: ConfigurationDefinition = {
  ruleSetVersion: '2026-11.4',
  latenessMs: 0,
  recentIds: 1000,
  features: [
    { name: 'card_count_10m', aggregate: 'count', entity: ['card'], windowMs: 600_000 },
    { name: 'amount_share', aggregate: 'expression', expression: 'tx.amountMinor / f.card_count_10m', whenEmpty: -1 },
  ],
  rules: [
    {
      id: 'card-velocity',
      version: 1,
      owner: 'risk-team',
      when: "f.card_count_10m > p.maxCount || list('watch', tx.device)",
      params: { maxCount: 6 },
      then: { verdict: 'challenge', score: 700, code: 'VELOCITY_CARD' },
      text: { en: 'Many payments', zh: '多次支付' },
      mode: 'live',
      rollout: 100,
      examples: [{ given: { f: { card_count_10m: 7 } }, expect: 'fires' }],
    },
  ],
  lists: [{ name: 'watch', kind: 'watch', entity: 'device', text: { en: 'Watched', zh: '观察' } }],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};

function compiled(given: ConfigurationDefinition) {
  const result = compileConfiguration(given);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

describe('a configuration', () => {
  it('is its canonical JSON, which reads back to the same definition, bytes and hash', () => {
    const first = compiled(definition);
    expect(first.sha256).toBe(createHash('sha256').update(first.canonicalJson).digest('hex'));
    const parsed = parseConfiguration(first.canonicalJson);
    expect(parsed).toEqual({ ok: true, value: definition });
    expect(parsed.ok && compiled(parsed.value).sha256).toBe(first.sha256);
  });

  it('has the same hash whatever the order its fields were written in, and another when anything changes', () => {
    const reversed = Object.fromEntries(Object.entries(definition).reverse());
    expect(canonicalJson(reversed)).toBe(canonicalJson(definition));
    expect(compiled({ ...definition, recentIds: 1001 }).sha256).not.toBe(compiled(definition).sha256);
  });

  it('runs: its rules read its catalogue by index', () => {
    const { ruleSet, catalogue, listNames } = compiled(definition);
    expect(catalogue.names).toEqual(['card_count_10m', 'amount_share']);
    expect(ruleSet.rules[0]?.expression.features).toEqual(['card_count_10m']);
    expect(listNames).toEqual(['watch']);
  });

  it('tells every problem of every section at once', () => {
    const [rule] = definition.rules;
    const [list] = definition.lists;
    if (rule === undefined || list === undefined) throw new Error('the fixture has a rule and a list');
    const result = compileConfiguration({
      ...definition,
      ruleSetVersion: '',
      latenessMs: -1,
      recentIds: 0,
      features: [...definition.features, { name: 'broken', aggregate: 'expression', expression: 'f.nope' }],
      rules: [rule, { ...rule, when: 'f.nope > p.maxCount' }],
      lists: [list, { ...list, entity: 'card' }],
      policy: {
        thresholds: { ...definition.policy.thresholds, lockdown: { challenge: 700, review: 600, decline: 2000 } },
        maxReasons: 0,
      },
    });
    const found = result.ok
      ? []
      : result.problems.map(({ section, path, index }) =>
          [section, index, ...path].filter((step) => step !== undefined).join('.'),
        );
    expect(found.sort()).toEqual([
      expect.stringMatching(/^features\.2\..*expression$/),
      'lists.1.name',
      'policy.maxReasons',
      'policy.thresholds.lockdown',
      'policy.thresholds.lockdown.decline',
      'rules.1.id',
      'rules.1.when',
      'settings.latenessMs',
      'settings.recentIds',
      'settings.ruleSetVersion',
    ]);
  });
});

describe('reading a publication', () => {
  it.each([
    ['{', 'SLUICE_CONFIGURATION_JSON', 'settings', ''],
    [canonicalJson({ ...definition, recentIds: '7' }), 'SLUICE_CONFIGURATION_SHAPE', 'settings', 'recentIds'],
    [canonicalJson({ ...definition, more: 1 }), 'SLUICE_CONFIGURATION_SHAPE', 'settings', ''],
    [
      canonicalJson({ ...definition, rules: [{ ...definition.rules[0], mode: 'loud' }] }),
      'SLUICE_CONFIGURATION_SHAPE',
      'rules',
      'mode',
    ],
  ])('names what is wrong in %.20s', (json, code, section, path) => {
    const parsed = parseConfiguration(json);
    const found = parsed.ok ? [] : parsed.problems.map((p) => [p.code, p.section, p.path.join('.')]);
    expect(found).toEqual([[code, section, path]]);
  });
});

describe('canonical JSON', () => {
  it('holds what JSON holds, the same for the same content', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const json = canonicalJson(value);
        expect(canonicalJson(JSON.parse(json))).toBe(json);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('refuses what JSON cannot hold', () => {
    for (const value of [NaN, Infinity, 1n, () => 0]) expect(() => canonicalJson({ value })).toThrow(TypeError);
  });
});
