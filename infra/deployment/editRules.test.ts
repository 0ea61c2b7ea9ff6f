import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ruleFileSchema } from '../../operators/configurationSchema.ts';
import type { RuleDefinition } from '../../operators/definitions.ts';
import { packageRoot } from '../../schemas/packageRoot.ts';
import { rulesFile, withoutRule, withRule, withRuleFields } from './editRules.ts';

const folder = join(packageRoot, 'config/default/rules');
const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
const cases = files.flatMap((text) => rulesOf(text).map((rule) => [rule.id, text, rule] as const));

function rulesOf(text: string | null): readonly RuleDefinition[] {
  return ruleFileSchema.parse(parse(text ?? '')).rules;
}

function linesNotIn(text: string, other: string): string[] {
  const held = other.split('\n');
  return text.split('\n').filter((line) => !held.includes(line));
}

describe.each(cases)('the text of a rules file, of %s', (id, text, rule) => {
  const others = rulesOf(text).filter((each) => each.id !== id);

  it('gets other fields in their places, and nothing else changes', () => {
    const changed = { ...rule, version: 41, mode: 'off', rollout: 12.5 } as const;
    const edited = withRuleFields(text, changed, ['version', 'mode', 'rollout']) ?? '';
    expect(rulesOf(edited)).toEqual(rulesOf(text).map((each) => (each.id === id ? changed : each)));
    expect(edited.split('\n').length).toBe(text.split('\n').length);
    expect(linesNotIn(edited, text).length).toBeLessThanOrEqual(3);
  });

  it('gets another rule in its place', () => {
    const changed = { ...rule, when: `${rule.when} && true`, text: { en: 'It: "other" # no comment', zh: '另' } };
    expect(rulesOf(withRule(text, changed))).toEqual(rulesOf(text).map((each) => (each.id === id ? changed : each)));
  });

  it('loses it', () => {
    expect(rulesOf(withoutRule(text, id))).toEqual(others);
  });

  it('can be written anew', () => {
    expect(rulesOf(rulesFile([rule, ...others]))).toEqual([rule, ...others]);
  });
});

describe('a rules file', () => {
  const short =
    "rules:\n  - { id: a, version: 1, owner: x, when: 'true', then: { verdict: review, score: 1, code: A }, text: { en: a, zh: a } }\n";
  const [rule] = rulesOf(short);
  if (rule === undefined) throw new Error('no rule');

  it('gets fields that were left out, in a line or in a block', () => {
    const changed = { ...rule, mode: 'shadow', rollout: 5 } as const;
    expect(rulesOf(withRuleFields(short, changed, ['mode', 'rollout']))).toEqual([changed]);
    const block = rulesFile([rule]).replace(/^ +(mode|rollout): .*\n/gm, '');
    expect(block).not.toContain('mode');
    expect(rulesOf(withRuleFields(block, changed, ['mode', 'rollout']))).toEqual([changed]);
  });

  it('that has not the rule, or is no list, is not edited', () => {
    for (const text of [short.replace('id: a', 'id: b'), 'rules: 3\n', '', 'rules: [\n']) {
      expect(withRuleFields(text, rule, ['mode'])).toBeNull();
      expect(withRule(text, rule)).toBeNull();
      expect(withoutRule(text, rule.id)).toBeNull();
    }
  });

  it('that loses its last rule stays sound', () => {
    expect(rulesOf(withoutRule(short, 'a'))).toEqual([]);
  });
});
