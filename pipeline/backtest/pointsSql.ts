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

/**
 * Place of the verdict that points give at the payment's risk level: how many thresholds they reach, for these rise. Names the points
 * once: ClickHouse reads a name as if all that it stands for were written there again.
 */
export function pointsVerdictSql(
  points: string,
  { normal, elevated, lockdown }: PolicyDefinition['thresholds'],
): string {
  const list = ({ challenge, review, decline }: Thresholds): string => `[${challenge}, ${review}, ${decline}]`;
  return (
    `toUInt8(arrayCount(threshold -> threshold <= ${points}, multiIf(p.risk_level = 'elevated', ${list(elevated)}, ` +
    `p.risk_level = 'lockdown', ${list(lockdown)}, ${list(normal)})))`
  );
}
