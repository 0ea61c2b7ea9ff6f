import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuleDefinition } from '../definitions.ts';
import { ruleChanges, rulesDiff, withRaisedVersions, withRules } from './ruleChanges.ts';
import { nextRuleSetVersion } from './ruleSetVersion.ts';
import { unifiedDiff } from './unifiedDiff.ts';

function rule(id: string, given: Partial<RuleDefinition> = {}): RuleDefinition {
  return {
    id,
    version: 1,
    owner: 'risk',
    when: 'tx.amountMinor > p.limit',
    params: { limit: 5 },
    then: { verdict: 'review', score: 700, code: 'BIG' },
    text: { en: 'Big', zh: '大' },
    mode: 'live',
    rollout: 100,
    examples: [],
    ...given,
  };
}

const rules = fc.uniqueArray(
  fc
    .record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      version: fc.integer({ min: 1, max: 2 }),
      when: fc.constantFrom('tx.amountMinor > p.limit', 'tx.amountMinor < p.limit\n&& true'),
      mode: fc.constantFrom('live' as const, 'shadow' as const, 'off' as const),
      rollout: fc.constantFrom(1, 50, 100),
    })
    .map(({ id, ...given }) => rule(id, given)),
  { selector: ({ id }) => id },
);

describe('the changes from one rule set to another', () => {
  it('say of each rule that it is new, gone, or what differs', () => {
    const before = [rule('a'), rule('b'), rule('c')];
    const after = [rule('a', { mode: 'shadow', rollout: 25 }), rule('c'), rule('d', { version: 3 })];
    expect(ruleChanges(before, after)).toEqual([
      {
        rule: 'a',
        from: { version: 1, mode: 'live', rollout: 100 },
        to: { version: 1, mode: 'shadow', rollout: 25 },
        fields: ['mode', 'rollout'],
      },
      { rule: 'd', from: null, to: { version: 3, mode: 'live', rollout: 100 }, fields: [] },
      { rule: 'b', from: { version: 1, mode: 'live', rollout: 100 }, to: null, fields: [] },
    ]);
  });

  it('make the later one of the earlier one', () => {
    fc.assert(
      fc.property(rules, rules, (before, after) => {
        const changes = ruleChanges(before, after);
        const changed = after.filter(({ id }) => changes.some((change) => change.rule === id));
        const removed = changes.filter(({ to }) => to === null).map((change) => change.rule);
        const byId = (list: readonly RuleDefinition[]): unknown[] => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
        expect(byId(withRules(before, changed, removed))).toEqual(byId(after));
        expect(rulesDiff(before, after) === '').toBe(changes.length === 0);
      }),
    );
  });

  it('count up the version of a rule that does something else, and of no other', () => {
    const before = [rule('a', { version: 4 }), rule('b', { version: 4 }), rule('c', { version: 4 })];
    const after = [
      rule('a', { version: 4, params: { limit: 6 } }),
      rule('b', { version: 4, mode: 'off', text: { en: 'Other', zh: '大' } }),
      rule('c', { version: 9, when: 'true' }),
    ];
    expect(withRaisedVersions(before, after).map(({ version }) => version)).toEqual([5, 4, 9]);
  });
});

describe('a unified diff', () => {
  it('holds both texts, line by line, and as many common lines as there can be', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = unifiedDiff({ name: 'x', lines: before }, { name: 'y', lines: after });
        if (diff === '') {
          expect(before).toEqual(after);
          return;
        }
        const [, , , ...body] = diff.trimEnd().split('\n');
        const side = (marks: string): string[] =>
          body.filter((line) => marks.includes(line.slice(0, 1))).map((line) => line.slice(1));
        expect(side(' -')).toEqual(before);
        expect(side(' +')).toEqual(after);
        expect(side(' ').length).toBe(longestCommon(before, after));
      }),
    );
  });
});

/** By the definition, without a table. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  const [first, ...others] = a;
  if (first === undefined || b.length === 0) return 0;
  const place = b.indexOf(first);
  const taken = place < 0 ? 0 : 1 + longestCommon(others, b.slice(place + 1));
  return Math.max(taken, longestCommon(others, b));
}

it.each([
  ['2026-11.9', [], '2026-11.10'],
  ['2026-11.1', ['2026-11.2', '2026-11.3'], '2026-11.4'],
  ['7', [], '8'],
  ['spring', ['spring.1'], 'spring.2'],
])('the version after %s, with %j in use, is %s', (version, used, next) => {
  expect(nextRuleSetVersion(version, used)).toBe(next);
});
