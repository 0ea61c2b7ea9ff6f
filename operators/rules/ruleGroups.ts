import type { GroupScore } from '../../schemas/types.ts';
import type { ConfigurationProblem, RuleGroupDefinition } from '../definitions.ts';
import { isText, isWhole } from './ruleFaults.ts';
import type { CompiledRule } from './ruleSet.ts';

export const maxRuleGroups = 32;
export const MAX_POINTS = 1000;
const maxWeight = 1000;
const maxTextLength = 300;

/** Points of a decision's groups: whole numbers, so that the order of rules does not matter. */
export interface RulePoints {
  /** 0 to 1000: the groups' points together. */
  readonly total: number;
  /** Groups of which a rule counted, in the order declared. */
  readonly groups: readonly GroupScore[];
}

export const NO_POINTS: RulePoints = { total: 0, groups: [] };

/**
 * Points of a group: the scores of its rules that count, added up, times its weight in percent, rounded down, at most its cap. The
 * decision's points are those of all groups added up, at most 1000.
 */
export function compileRuleGroups(
  definitions: readonly RuleGroupDefinition[],
): (counting: readonly CompiledRule[]) => RulePoints {
  const places = new Map(definitions.map(({ id }, place) => [id, place]));
  const sums = new Int32Array(definitions.length);
  return (counting) => {
    sums.fill(-1);
    let isAny = false;
    for (const { definition } of counting) {
      const place = definition.group === undefined ? undefined : places.get(definition.group);
      if (place === undefined) continue;
      sums[place] = Math.max(0, sums[place] ?? 0) + definition.then.score;
      isAny = true;
    }
    if (!isAny) return NO_POINTS;
    const groups: GroupScore[] = [];
    let total = 0;
    for (const [place, { id, weight, cap }] of definitions.entries()) {
      const sum = sums[place] ?? -1;
      if (sum < 0) continue;
      const points = Math.min(cap, Math.floor((weight * sum) / 100));
      groups.push({ group: id, points });
      total += points;
    }
    return { total: Math.min(MAX_POINTS, total), groups };
  };
}

/** Faults of the groups, by their path in the policy. */
export function ruleGroupProblems(groups: readonly RuleGroupDefinition[] = []): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const fault = (path: readonly (string | number)[], message: string): void => {
    problems.push({ code: 'SLUICE_RULE_GROUP', section: 'policy', path: ['ruleGroups', ...path], message });
  };
  if (groups.length > maxRuleGroups) fault([], `${groups.length} rule groups; at most ${maxRuleGroups} are allowed`);
  const seen = new Set<string>();
  for (const [index, { id, weight, cap, text }] of groups.entries()) {
    const checks: readonly (readonly [boolean, readonly string[], string])[] = [
      [/^[a-z0-9][a-z0-9-]{0,63}$/.test(id), ['id'], 'id must be 1 to 64 lower-case letters, digits and hyphens'],
      [!seen.has(id), ['id'], 'is declared twice'],
      [
        isWhole(weight, 0, maxWeight),
        ['weight'],
        `weight must be a whole percentage from 0 to ${maxWeight}; 100 leaves scores as they are`,
      ],
      [isWhole(cap, 1, MAX_POINTS), ['cap'], `cap must be a whole number from 1 to ${MAX_POINTS}`],
      [isText(text.en, maxTextLength), ['text', 'en'], `text.en must be 1 to ${maxTextLength} characters`],
      [isText(text.zh, maxTextLength), ['text', 'zh'], `text.zh must be 1 to ${maxTextLength} characters`],
    ];
    seen.add(id);
    for (const [holds, path, message] of checks) if (!holds) fault([index, ...path], `rule group '${id}': ${message}`);
  }
  return problems;
}
