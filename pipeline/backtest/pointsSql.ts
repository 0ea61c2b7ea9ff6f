import type { PolicyDefinition, RuleDefinition, RuleGroupDefinition, Thresholds } from '../../operators/definitions.ts';
import { MAX_POINTS } from '../../operators/rules/ruleGroups.ts';

/** A live rule and SQL that is 1 where it counts, else 0. */
export type CountedRule = readonly [rule: RuleDefinition, sql: string];

/** The points of all groups together, as compileRuleGroups has them; null where no rule is in a group. */
export function pointsSql(groups: readonly RuleGroupDefinition[], rules: readonly CountedRule[]): string | null {
  const parts = groups.flatMap(({ id, weight, cap }) => {
    const scores = rules.filter(([{ group }]) => group === id).map(([{ then }, sql]) => `${then.score} * ${sql}`);
    return scores.length === 0 ? [] : [`least(${cap}, intDiv(${weight} * (${scores.join(' + ')}), 100))`];
  });
  return parts.length === 0 ? null : `toUInt32(least(${MAX_POINTS}, ${parts.join(' + ')}))`;
}

/** Place of the verdict that a score from 0 to 1000 gives at the payment's risk level. */
export function scoreVerdictSql(score: string, { normal, elevated, lockdown }: PolicyDefinition['thresholds']): string {
  return (
    `multiIf(p.risk_level = 'elevated', ${reachedSql(score, elevated)}, ` +
    `p.risk_level = 'lockdown', ${reachedSql(score, lockdown)}, ${reachedSql(score, normal)})`
  );
}

function reachedSql(score: string, { challenge, review, decline }: Thresholds): string {
  const reached = (threshold: number): string => `${score} >= ${threshold}`;
  return `multiIf(${reached(decline)}, 3, ${reached(review)}, 2, ${reached(challenge)}, 1, 0)`;
}
