import fc from 'fast-check';
import { randomCondition } from '../../../operators/cel/testing/randomExpression.ts';
import { compileConfiguration, type CompiledConfiguration } from '../../../operators/configuration.ts';
import type { ConfigurationDefinition, PolicyDefinition, RuleDefinition } from '../../../operators/definitions.ts';

import { compileRuleSet } from '../../../operators/rules/ruleSet.ts';

/** Params of random conditions, as randomScope has them. */
const params: RuleDefinition['params'] = { n: 2.5, flag: true, word: 'otp', words: ['CN', "it's \\ 店"] };

/** A value of each feature that was seen, so that a comparison with it tells payments apart. */
export interface SeenFeature {
  readonly name: string;
  readonly values: readonly number[];
}

/**
 * Random rules and policies in the place of a configuration's own: conditions of every kind over the features seen, some failing, in
 * every mode, rollout and verdict. `whole` is a feature of whole numbers, the only one that % is tried on.
 */
export function randomConfiguration(
  base: ConfigurationDefinition,
  seen: readonly SeenFeature[],
  whole: string,
): fc.Arbitrary<CompiledConfiguration | null> {
  const feature = fc.constantFrom(...seen);
  const anyCondition = fc
    .tuple(randomCondition, feature, feature, fc.constantFrom(...base.lists.map(({ name }) => name)))
    .map(([source, a, b, list]) =>
      source
        .replaceAll('f.a', `f.${a.name}`)
        .replaceAll('f.b', `f.${b.name}`)
        .replaceAll('f.c', `f.${whole}`)
        .replaceAll('list("known"', `list("${list}"`),
    );
  const comparison = feature.chain(({ name, values }) =>
    fc
      .tuple(fc.constantFrom('<', '<=', '>', '>=', '=='), fc.constantFrom(...values))
      .map(([operator, value]) => `f.${name} ${operator} ${numberLiteral(value)}`),
  );
  const field = fc.constantFrom('account', 'device', 'merchant', 'payee', 'card.token', 'ip');
  const listed = fc
    .tuple(fc.constantFrom(...base.lists.map(({ name }) => name)), field)
    .map(([list, name]) => `list('${list}', tx.${name})`);
  const model = fc.integer({ min: 0, max: 1000 }).map((score) => `m.score >= ${score}`);
  const attribute = fc.constantFrom('tx.attributes.x > 1', "tx.attributes.y == 'CN' || f.card_count_10m > 1");
  const condition = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(comparison, comparison).map((both) => both.join(' && ')) },
    { weight: 2, arbitrary: anyCondition },
    listed,
    model,
    attribute,
    comparison,
  );
  const rule = fc.record({
    when: condition,
    verdict: fc.constantFrom('challenge' as const, 'review' as const, 'decline' as const),
    mode: fc.constantFrom('live' as const, 'live' as const, 'live' as const, 'shadow' as const, 'off' as const),
    rollout: fc.constantFrom(100, 100, 100, 37.5, 5),
    score: fc.integer({ min: 0, max: 1000 }),
    group: fc.constantFrom('small', 'great', null),
    isPointsOnly: fc.boolean(),
  });
  const threshold = fc.integer({ min: 1, max: 1001 });
  const thresholds = fc
    .tuple(threshold, threshold, threshold)
    .map((three) => [...three].sort((a, b) => a - b))
    .map(([challenge = 1, review = 1, decline = 1]) => ({ challenge, review, decline }));
  return fc
    .record({
      rules: fc.array(rule, { minLength: 2, maxLength: 8 }),
      thresholds: fc.record({ normal: thresholds, elevated: thresholds, lockdown: thresholds }),
      weights: fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 300 })),
      caps: fc.tuple(fc.integer({ min: 1, max: 400 }), fc.constantFrom(1000, 700)),
      letThrough: fc.record({
        percent: fc.constantFrom(10, 10, 2.5),
        maxAmountMinor: fc.record({ CNY: fc.constantFrom(20_000, 1e12) }),
        salt: fc.string({ minLength: 1, maxLength: 8 }).filter((salt) => salt.trim() !== ''),
      }),
    })
    .map(({ rules, thresholds: levels, weights: [few, many], caps: [low, high], letThrough }) => {
      const text = { en: 'group', zh: 'group' };
      const ruleGroups = [
        { id: 'small', weight: few, cap: low, text },
        { id: 'great', weight: many, cap: high, text },
      ];
      const definitions = rules.map(
        ({ when, verdict, mode, rollout, score, group, isPointsOnly }, index): RuleDefinition => ({
          id: `rule-${index}`,
          version: 1,
          owner: 'test',
          when,
          params: Object.fromEntries(
            Object.entries(params).filter(([name]) => new RegExp(`\\bp\\.${name}\\b`).test(when)),
          ),
          then: { verdict: isPointsOnly && group !== null ? 'approve' : verdict, score, code: 'TEST' },
          ...(group === null ? {} : { group }),
          text: { en: 'test', zh: 'test' },
          mode,
          rollout,
          examples: [],
        }),
      );
      return withRules(base, definitions, { ...base.policy, thresholds: levels, ruleGroups, letThrough });
    });
}

/** Leaves out what does not compile: closed fields compared with other texts, expressions that are too large. */
function withRules(
  base: ConfigurationDefinition,
  rules: readonly RuleDefinition[],
  policy: PolicyDefinition,
): CompiledConfiguration | null {
  const scope = {
    features: base.features.map(({ name }) => name),
    lists: base.lists.map(({ name }) => name),
    groups: (policy.ruleGroups ?? []).map(({ id }) => id),
  };
  const usable = rules.filter((rule) => compileRuleSet([rule], scope).ok);
  const compiled = compileConfiguration({ ...base, ruleSetVersion: 'random', rules: usable, policy });
  return compiled.ok ? compiled.value : null;
}

function numberLiteral(value: number): string {
  if (!Number.isFinite(value)) return '0';
  return value < 0 ? `-${Math.abs(value)}` : String(value);
}
