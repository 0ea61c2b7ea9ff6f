import { letThroughProblems } from './letThrough.ts';
import { isWhole } from './rules/ruleFaults.ts';
import { ruleGroupProblems } from './rules/ruleGroups.ts';
import { SNOOZES } from './lists/snoozes.ts';
import type { ConfigurationDefinition, ConfigurationProblem, ListDefinition, PolicyDefinition } from './definitions.ts';

export const maxLists = 64;
export const maxRecentIds = 50_000_000;
export const maxReasonsPerVerdict = 20;
const riskLevels = ['normal', 'elevated', 'lockdown'] as const;
const listEntity = /^(account|card|device|ip|merchant|terminal|payee|bin|country|mcc|attributes\..{1,64})$/;
const hashable = /^(account|device|payee|attributes\..*)$/;
const listKinds: readonly string[] = ['block', 'allow', 'watch'];

/** Faults of ruleSetVersion and recentIds; the catalogue checks latenessMs. */
export function settingProblems(definition: ConfigurationDefinition): readonly ConfigurationProblem[] {
  const checks: readonly (readonly [boolean, string, string])[] = [
    [
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(definition.ruleSetVersion),
      'ruleSetVersion',
      'must be 1 to 64 letters, digits, dots, hyphens and underscores, such as 2026-11.4',
    ],
    [isWhole(definition.recentIds, 1, maxRecentIds), 'recentIds', `must be a whole number from 1 to ${maxRecentIds}`],
  ];
  return checks
    .filter(([holds]) => !holds)
    .map(([, field, message]) => ({
      code: 'SLUICE_SETTING',
      section: 'settings',
      path: [field],
      message: `${field} ${message}`,
    }));
}

/** Faults of list declarations. */
export function listProblems(lists: readonly ListDefinition[]): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (lists.length > maxLists) {
    const message = `${lists.length} lists; at most ${maxLists} are allowed`;
    problems.push({ code: 'SLUICE_LIST_COUNT', section: 'lists', path: [], message });
  }
  const seen = new Set<string>();
  for (const [index, { name, kind, entity, hashed, text }] of lists.entries()) {
    const checks: readonly (readonly [boolean, string, readonly string[], string])[] = [
      [
        /^[a-z0-9][a-z0-9-]{0,63}$/.test(name),
        'NAME',
        ['name'],
        'name must be 1 to 64 lower-case letters, digits and hyphens',
      ],
      [!seen.has(name), 'DUPLICATE', ['name'], `a second list '${name}'`],
      [listKinds.includes(kind), 'KIND', ['kind'], `kind must be one of ${listKinds.join(', ')}`],
      [name !== SNOOZES, 'RESERVED', ['name'], 'is the list that snoozed rules are kept on'],
      [
        listEntity.test(entity),
        'ENTITY',
        ['entity'],
        'entity must be account, card, device, ip, merchant, terminal, payee, bin, country, mcc or attributes.NAME',
      ],
      [
        hashed === undefined || hashable.test(entity),
        'HASHED',
        ['hashed'],
        'only lists of accounts, devices, payees and attributes can be hashed',
      ],
      [text.en.trim() !== '', 'TEXT', ['text', 'en'], 'text.en is missing'],
      [text.zh.trim() !== '', 'TEXT', ['text', 'zh'], 'text.zh is missing'],
    ];
    seen.add(name);
    for (const [holds, code, path, message] of checks)
      if (!holds)
        problems.push({
          code: `SLUICE_LIST_${code}`,
          section: 'lists',
          index,
          path,
          message: `list '${name}': ${message}`,
        });
  }
  return problems;
}

/** Faults of the decision policy. */
export function policyProblems({
  thresholds,
  maxReasons,
  letThrough,
  ruleGroups,
}: PolicyDefinition): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const fault = (path: readonly string[], message: string): void => {
    problems.push({ code: 'SLUICE_POLICY', section: 'policy', path, message: `${path.join('.')} ${message}` });
  };
  for (const level of riskLevels) {
    const { challenge, review, decline } = thresholds[level];
    for (const [name, value] of Object.entries({ challenge, review, decline }))
      if (!(value >= 1 && value <= 1001))
        fault(['thresholds', level, name], 'must be 1 to 1001 (1001: never by the model)');
    if (challenge > review || review > decline)
      fault(['thresholds', level], 'must rise: challenge <= review <= decline');
  }
  if (!isWhole(maxReasons, 1, maxReasonsPerVerdict))
    fault(['maxReasons'], `must be a whole number from 1 to ${maxReasonsPerVerdict}`);
  return [...problems, ...ruleGroupProblems(ruleGroups), ...letThroughProblems(letThrough)];
}
