import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../definitions.ts';
import { compileCatalogue } from './catalogue.ts';

const count: FeatureDefinition = {
  name: 'account_count_1d',
  aggregate: 'count',
  entity: ['account'],
  windowMs: 86_400_000,
};

function problemsOf(definitions: readonly FeatureDefinition[], latenessMs = 0) {
  const compiled = compileCatalogue(definitions, latenessMs);
  return compiled.ok ? [] : compiled.problems.map(({ code, path }) => [code, ...path].join(' '));
}

function hashOf(definition: FeatureDefinition, latenessMs = 0): string {
  const compiled = compileCatalogue([definition], latenessMs);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value.sha256;
}

describe('a feature catalogue', () => {
  it.each<[string, Partial<FeatureDefinition>, string]>([
    ['a name that is no identifier', { name: 'Account-Count' }, 'SLUICE_FEATURE_NAME 0 name'],
    ['a name of 65 characters', { name: 'a'.repeat(65) }, 'SLUICE_FEATURE_NAME 0 name'],
    ['no entity', { entity: [] }, 'SLUICE_FEATURE_FIELD 0 entity'],
    ['an entity twice', { entity: ['card', 'card'] }, 'SLUICE_FEATURE_ENTITY 0 entity 1'],
    ['a window under a second', { windowMs: 999 }, 'SLUICE_FEATURE_DURATION 0 windowMs'],
    ['a window over 90 days', { windowMs: 90 * 86_400_000 + 1 }, 'SLUICE_FEATURE_DURATION 0 windowMs'],
    ['a negative delay', { delayMs: -1 }, 'SLUICE_FEATURE_DURATION 0 delayMs'],
    ['a count of something', { of: 'amountMinor' }, 'SLUICE_FEATURE_FIELD 0 of'],
    ['a sum of nothing', { aggregate: 'sum' }, 'SLUICE_FEATURE_FIELD 0 of'],
    ['a net maximum', { aggregate: 'max', of: 'netAmountMinor' }, 'SLUICE_FEATURE_FIELD 0 of'],
    ['distinct values of an amount', { aggregate: 'distinct', of: 'amountMinor' }, 'SLUICE_FEATURE_FIELD 0 of'],
    ['a rate of everything', { aggregate: 'rate' }, 'SLUICE_FEATURE_FIELD 0 where'],
    ['a where that is a number', { where: 'tx.amountMinor' }, 'SLUICE_CEL_TYPE 0 where'],
    ['a where on features', { where: 'f.account_count_1d > 1' }, 'SLUICE_CEL_UNKNOWN_NAME 0 where'],
    ['an infinite whenEmpty', { whenEmpty: Infinity }, 'SLUICE_FEATURE_FIELD 0 whenEmpty'],
    ['seenBefore of an amount', { aggregate: 'seenBefore', of: 'amountMinor' }, 'SLUICE_FEATURE_FIELD 0 of'],
    ['seenBefore of its own entity', { aggregate: 'seenBefore', of: 'account' }, 'SLUICE_FEATURE_FIELD 0 of'],
    ['zScore of a text', { aggregate: 'zScore', of: 'merchant' }, 'SLUICE_FEATURE_FIELD 0 of'],
    ['last of a text', { aggregate: 'last', of: 'merchant' }, 'SLUICE_FEATURE_FIELD 0 of'],
    [
      'first of what a label may take out again',
      { aggregate: 'first', of: 'amountMinor', where: "label == 'fraud'" },
      'SLUICE_FEATURE_FIELD 0 where',
    ],
    ['geoVelocity of something', { aggregate: 'geoVelocity', of: 'amountMinor' }, 'SLUICE_FEATURE_FIELD 0 of'],
    [
      'geoVelocity from a payment to itself',
      { aggregate: 'geoVelocity', includeCurrent: true },
      'SLUICE_FEATURE_FIELD 0 includeCurrent',
    ],
    ['a numerator beside an aggregate', { numerator: 'account_count_1d' }, 'SLUICE_FEATURE_FIELD 0 numerator'],
    ['a ratio with a window', { aggregate: 'ratio' }, 'SLUICE_FEATURE_FIELD 0 windowMs'],
    ['an expression beside an aggregate', { expression: '1' }, 'SLUICE_FEATURE_FIELD 0 expression'],
  ])('refuses %s and says where', (_case, change, problem) => {
    expect(problemsOf([{ ...count, ...change }])).toContain(problem);
  });

  it('refuses a name used twice, and an expression that reads a feature declared below it', () => {
    const early: FeatureDefinition = { name: 'ratio', aggregate: 'expression', expression: 'f.account_count_1d / 2' };
    expect(problemsOf([count, count])).toEqual(['SLUICE_FEATURE_NAME 1 name']);
    expect(problemsOf([early, count])).toEqual(['SLUICE_CEL_UNKNOWN_NAME 0 expression']);
    expect(problemsOf([count, early])).toEqual([]);
  });

  it('refuses a ratio of what is not declared above it', () => {
    const ratio: FeatureDefinition = { name: 'share', aggregate: 'ratio', numerator: 'share' };
    const problems = ['SLUICE_FEATURE_FIELD 1 numerator', 'SLUICE_FEATURE_FIELD 1 denominator'];
    expect(problemsOf([count, ratio])).toEqual(problems);
    const sound = { ...ratio, numerator: count.name, denominator: count.name };
    expect(problemsOf([count, sound])).toEqual([]);
    expect(problemsOf([count, { ...sound, expression: '1' }])).toEqual(['SLUICE_FEATURE_FIELD 1 expression']);
  });

  it('refuses more features, or more lateness, than it can bear', () => {
    const many = Array.from({ length: 1_025 }, (_, index) => ({ ...count, name: `f${index}` }));
    expect(problemsOf(many)).toEqual(['SLUICE_FEATURE_LIMIT']);
    expect(problemsOf(many.slice(1))).toEqual([]);
    expect(problemsOf([count], 86_400_001)).toEqual(['SLUICE_SETTING_LATENESS latenessMs']);
  });

  it('has a hash that follows the meaning, not the texts or written-out defaults', () => {
    const hash = hashOf(count);
    expect(hashOf({ ...count, text: { en: 'Payments', zh: '支付' } })).toBe(hash);
    expect(hashOf({ ...count, delayMs: 0, includeCurrent: true, whenEmpty: 0 })).toBe(hash);
    expect(hashOf({ ...count, windowMs: 1_000 })).not.toBe(hash);
    expect(hashOf({ ...count, where: 'tx.amountMinor > 1' })).not.toBe(hash);
    expect(hashOf(count, 1)).not.toBe(hash);
  });
});
