import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuleGroupDefinition } from '../definitions.ts';
import { compileRuleGroups, ruleGroupProblems } from './ruleGroups.ts';
import { compileRuleSet, type CompiledRule } from './ruleSet.ts';

const text = { en: 'g', zh: 'g' };
const NAMES = ['a', 'b', 'c'];

function rules(scores: readonly { readonly group: string | null; readonly score: number }[]): readonly CompiledRule[] {
  const compiled = compileRuleSet(
    scores.map(({ group, score }, index) => ({
      id: `rule-${index}`,
      version: 1,
      owner: 'o',
      when: 'true',
      params: {},
      then: { verdict: 'review' as const, score, code: 'R' },
      text,
      ...(group === null ? {} : { group }),
      mode: 'live' as const,
      rollout: 100,
      examples: [],
    })),
    { features: [], lists: [], groups: NAMES },
  );
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value.rules;
}

describe('points of rule groups', () => {
  const group = (id: string) =>
    fc.record({
      id: fc.constant(id),
      weight: fc.integer({ min: 0, max: 1000 }),
      cap: fc.integer({ min: 1, max: 1000 }),
      text: fc.constant(text),
    });

  it('are each group’s scores added up, weighted and capped, in whatever order rules fired', () => {
    fc.assert(
      fc.property(
        fc.tuple(...NAMES.map(group)),
        fc.array(fc.record({ group: fc.constantFrom('a', 'b', 'c', null), score: fc.integer({ min: 0, max: 1000 }) }), {
          maxLength: 12,
        }),
        (groups, scores) => {
          const counting = rules(scores);
          const expected = groups.flatMap(({ id, weight, cap }) => {
            const own = scores.filter((each) => each.group === id).map(({ score }) => BigInt(score));
            if (own.length === 0) return [];
            const weighted = Number((own.reduce((sum, score) => sum + score, 0n) * BigInt(weight)) / 100n);
            return [{ group: id, points: weighted > cap ? cap : weighted }];
          });
          const total = expected.reduce((sum, { points }) => sum + points, 0);
          const pointsOf = compileRuleGroups(groups);
          expect(pointsOf(counting)).toEqual({ total: Math.min(1000, total), groups: expected });
          expect(pointsOf([...counting].reverse())).toEqual(pointsOf(counting));
        },
      ),
    );
  });

  it('settings that make no sense are told with their place', () => {
    const sound: RuleGroupDefinition = { id: 'a', weight: 100, cap: 1000, text };
    const paths = (...groups: readonly RuleGroupDefinition[]): readonly string[] =>
      ruleGroupProblems(groups).map(({ path }) => path.join('.'));
    expect(paths(sound)).toEqual([]);
    expect(paths(sound, sound)).toEqual(['ruleGroups.1.id']);
    expect(paths({ ...sound, id: 'A b' })).toEqual(['ruleGroups.0.id']);
    for (const weight of [-1, 1.5, 1001, NaN]) expect(paths({ ...sound, weight })).toEqual(['ruleGroups.0.weight']);
    for (const cap of [0, 1001, 0.5]) expect(paths({ ...sound, cap })).toEqual(['ruleGroups.0.cap']);
    expect(paths({ ...sound, text: { en: 'x', zh: '' } })).toEqual(['ruleGroups.0.text.zh']);
    expect(paths(...Array.from({ length: 33 }, (_, index) => ({ ...sound, id: `g-${index}` })))).toEqual([
      'ruleGroups',
    ]);
  });
});
