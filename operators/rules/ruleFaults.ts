import type { ConfigurationProblem, RuleDefinition } from '../definitions.ts';

export type RuleFault = Pick<ConfigurationProblem, 'code' | 'path' | 'message'>;

const maxParams = 32;
const maxParamListLength = 1000;
const maxTextLength = 300;
const maxExamples = 50;
const ruleVerdicts: readonly string[] = ['challenge', 'review', 'decline'];
const ruleModes: readonly string[] = ['live', 'shadow', 'off'];

/** Faults of a rule that show without compiling it. */
export function ruleFaults(rule: RuleDefinition): readonly RuleFault[] {
  const { id, version, owner, then, text, group, mode, rollout, params, examples } = rule;
  const checks: readonly (readonly [boolean, string, readonly (string | number)[], string])[] = [
    [/^[a-z0-9][a-z0-9-]{0,63}$/.test(id), 'ID', ['id'], 'id must be 1 to 64 lower-case letters, digits and hyphens'],
    [isWhole(version, 1, 1_000_000), 'VERSION', ['version'], 'version must be a whole number from 1 on'],
    [isText(owner, 64), 'OWNER', ['owner'], 'owner must be 1 to 64 characters'],
    [
      ruleVerdicts.includes(then.verdict) || (then.verdict === 'approve' && group !== undefined),
      'VERDICT',
      ['then', 'verdict'],
      verdictMessage(then.verdict),
    ],
    [isWhole(then.score, 0, 1000), 'SCORE', ['then', 'score'], 'score must be a whole number from 0 to 1000'],
    [
      /^[A-Z][A-Z0-9_]{0,63}$/.test(then.code),
      'CODE',
      ['then', 'code'],
      'code must be 1 to 64 capital letters, digits and underscores',
    ],
    [isText(text.en, maxTextLength), 'TEXT', ['text', 'en'], `text.en must be 1 to ${maxTextLength} characters`],
    [isText(text.zh, maxTextLength), 'TEXT', ['text', 'zh'], `text.zh must be 1 to ${maxTextLength} characters`],
    [ruleModes.includes(mode), 'MODE', ['mode'], `mode must be one of ${ruleModes.join(', ')}`],
    [rollout >= 0 && rollout <= 100, 'ROLLOUT', ['rollout'], 'rollout must be 0 to 100 (percent of accounts)'],
    [Object.keys(params).length <= maxParams, 'PARAM', ['params'], `at most ${maxParams} params are allowed`],
    [examples.length <= maxExamples, 'EXAMPLE', ['examples'], `at most ${maxExamples} examples are allowed`],
    ...Object.entries(params).map(
      ([name, value]) => [isParam(name, value), 'PARAM', ['params', name], paramMessage] as const,
    ),
  ];
  return checks
    .filter(([holds]) => !holds)
    .map(([, code, path, message]) => ({ code: `SLUICE_RULE_${code}`, path, message }));
}

const paramMessage = `a param is a name of letters, digits and _ with a finite number, true, false, a text or at most ${maxParamListLength} texts`;

function verdictMessage(verdict: string): string {
  if (verdict === 'approve')
    return (
      'a rule cannot approve: give it challenge, review or decline, or use an allow list (only a rule of a group may leave ' +
      'its verdict out: it then adds its score to the points of the group)'
    );
  return `verdict must be one of ${ruleVerdicts.join(', ')}`;
}

export function isWhole(value: number, least: number, greatest: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= greatest;
}

export function isText(value: string, maxLength: number): boolean {
  return value.trim().length > 0 && value.length <= maxLength;
}

function isParam(name: string, value: RuleDefinition['params'][string]): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)) return false;
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value.length <= maxParamListLength;
}
