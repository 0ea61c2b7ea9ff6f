import { canonicalJson } from '../canonicalJson.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../definitions.ts';
import { unifiedDiff } from './unifiedDiff.ts';

/** How a rule counts: what a list of rules says of it. */
export interface RuleStanding {
  readonly version: number;
  readonly mode: RuleDefinition['mode'];
  readonly rollout: number;
}

/** What became of one rule from one rule set to another. */
export interface RuleChange {
  readonly rule: string;
  /** Null: it was not there before. */
  readonly from: RuleStanding | null;
  /** Null: it is gone. */
  readonly to: RuleStanding | null;
  /** The parts of the rule that differ: mode, rollout, when, params and so on. Empty where it came or went. */
  readonly fields: readonly string[];
}

/** The rules that differ, in the order of the later rule set; those that are gone at the end. */
export function ruleChanges(before: readonly RuleDefinition[], after: readonly RuleDefinition[]): RuleChange[] {
  const changes: RuleChange[] = [];
  const earlier = new Map(before.map((rule) => [rule.id, rule]));
  for (const rule of after) {
    const was = earlier.get(rule.id);
    earlier.delete(rule.id);
    if (was === undefined) changes.push({ rule: rule.id, from: null, to: standingOf(rule), fields: [] });
    else if (!isSame(was, rule))
      changes.push({ rule: rule.id, from: standingOf(was), to: standingOf(rule), fields: differingFields(was, rule) });
  }
  for (const rule of earlier.values()) changes.push({ rule: rule.id, from: standingOf(rule), to: null, fields: [] });
  return changes;
}

/** What differs beside the rules, a line for each part; in words, for people. */
export function otherChanges(before: ConfigurationDefinition, after: ConfigurationDefinition): string[] {
  const lines: string[] = [];
  const [earlier, later] = [namedParts(before), namedParts(after)];
  for (const part of ['features', 'lists', 'rule groups'] as const) {
    const was = new Map(earlier[part]);
    const is = new Map(later[part]);
    const added = [...is.keys()].filter((name) => !was.has(name));
    const removed = [...was.keys()].filter((name) => !is.has(name));
    const changed = [...is.keys()].filter((name) => was.has(name) && was.get(name) !== is.get(name));
    const told = [says('added', added), says('removed', removed), says('changed', changed)].filter(
      (text) => text !== '',
    );
    if (told.length > 0) lines.push(`${part}: ${told.join('; ')}`);
    else if ([...was.keys()].join() !== [...is.keys()].join()) lines.push(`${part}: in another order`);
  }
  for (const part of ['thresholds', 'maxReasons', 'letThrough'] as const) {
    const [was, is] = [canonicalJson(before.policy[part] ?? 'none'), canonicalJson(after.policy[part] ?? 'none')];
    if (was !== is) lines.push(`policy.${part}: ${was} -> ${is}`);
  }
  for (const part of ['latenessMs', 'recentIds', 'approvals'] as const) {
    const [was, is] = [canonicalJson(before[part] ?? 0), canonicalJson(after[part] ?? 0)];
    if (was !== is) lines.push(`${part}: ${was} -> ${is}`);
  }
  const order = (rules: readonly RuleDefinition[]): string => rules.map(({ id }) => id).join();
  if (ruleChanges(before.rules, after.rules).length === 0 && order(before.rules) !== order(after.rules))
    lines.push('rules: in another order');
  return lines;
}

/** What has a name, beside the rules: each by its name, with its content. */
function namedParts({ features, lists, policy }: ConfigurationDefinition) {
  return {
    features: features.map((each) => [each.name, canonicalJson(each)] as const),
    lists: lists.map((each) => [each.name, canonicalJson(each)] as const),
    'rule groups': (policy.ruleGroups ?? []).map((each) => [each.id, canonicalJson(each)] as const),
  };
}

/** The changes as a unified diff, rule by rule; empty where there is none. */
export function rulesDiff(before: readonly RuleDefinition[], after: readonly RuleDefinition[]): string {
  const find = (rules: readonly RuleDefinition[], id: string): readonly string[] =>
    rules.filter((rule) => rule.id === id).flatMap(ruleLines);
  return ruleChanges(before, after)
    .map(({ rule, from, to }) =>
      unifiedDiff(
        { name: from === null ? 'no such rule' : `${rule} version ${from.version}`, lines: find(before, rule) },
        { name: to === null ? 'no such rule' : `${rule} version ${to.version}`, lines: find(after, rule) },
      ),
    )
    .join('');
}

/** The rule as lines that name what they tell. */
export function ruleLines(rule: RuleDefinition): string[] {
  const { id, version, owner, mode, rollout, when, params, then, text, group, examples } = rule;
  return [
    `rule: ${id}`,
    `version: ${version}`,
    `owner: ${owner}`,
    `mode: ${mode}`,
    `rollout: ${rollout}`,
    ...when
      .trim()
      .split('\n')
      .map((line, index) => `${index === 0 ? 'when: ' : '      '}${line}`),
    ...Object.entries(params).map(([name, value]) => `params.${name}: ${canonicalJson(value)}`),
    then.verdict === 'approve'
      ? `then: ${then.score} points, code ${then.code}`
      : `then: ${then.verdict}, ${group === undefined ? `score ${then.score}` : `${then.score} points`}, code ${then.code}`,
    ...(group === undefined ? [] : [`group: ${group}`]),
    `text.en: ${text.en}`,
    `text.zh: ${text.zh}`,
    ...examples.map(({ given, expect }) => `example: ${expect} on ${canonicalJson(given)}`),
  ];
}

/**
 * The rules with their versions counted up where a rule does something else than under the same version before (another
 * condition, params or effect), so that the history of decisions keeps the two apart.
 */
export function withRaisedVersions(
  before: readonly RuleDefinition[],
  after: readonly RuleDefinition[],
): readonly RuleDefinition[] {
  return after.map((rule) => {
    const was = before.find(({ id }) => id === rule.id);
    if (was === undefined || rule.version > was.version || deed(was) === deed(rule)) return rule;
    return { ...rule, version: was.version + 1 };
  });
}

/** The rules with `changed` in the places of those of the same ids, new ones at the end, and without `removed`. */
export function withRules(
  rules: readonly RuleDefinition[],
  changed: readonly RuleDefinition[],
  removed: readonly string[] = [],
): readonly RuleDefinition[] {
  const left = new Map(changed.map((rule) => [rule.id, rule]));
  const kept = rules.flatMap((rule) => {
    if (removed.includes(rule.id)) return [];
    const other = left.get(rule.id);
    left.delete(rule.id);
    return [other ?? rule];
  });
  return [...kept, ...left.values()];
}

function standingOf({ version, mode, rollout }: RuleDefinition): RuleStanding {
  return { version, mode, rollout };
}

/** All that decides when the rule fires and what it then does. */
export function deed({ when, params, then, group }: RuleDefinition): string {
  return canonicalJson({ when, params, then, group });
}

function isSame(a: RuleDefinition, b: RuleDefinition): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function differingFields(a: RuleDefinition, b: RuleDefinition): string[] {
  const fields = [
    'version',
    'owner',
    'mode',
    'rollout',
    'when',
    'params',
    'then',
    'group',
    'text',
    'examples',
  ] as const;
  return fields.filter((field) => canonicalJson(a[field] ?? null) !== canonicalJson(b[field] ?? null));
}

const MAX_NAMES = 5;

function says(word: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  return `${names.slice(0, MAX_NAMES).join(', ')}${more} ${word}`;
}
