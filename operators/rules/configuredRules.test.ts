import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ruleFileSchema } from '../configurationSchema.ts';
import type { RuleDefinition } from '../definitions.ts';
import { runExamples } from './ruleExamples.ts';
import { compileRuleSet } from './ruleSet.ts';

const configRoot = join(import.meta.dirname, '../../config');
const deployments = readdirSync(configRoot, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(configRoot, entry.name)).includes('rules'))
  .map(({ name }) => name);
const featureFile = z.object({ features: z.array(z.object({ name: z.string() })) });
const listNames = ['watch-devices', 'watch-payees'];

function readYaml(...path: string[]): unknown {
  return parse(readFileSync(join(configRoot, ...path), 'utf8'));
}

function rulesOf(deployment: string): readonly RuleDefinition[] {
  return readdirSync(join(configRoot, deployment, 'rules'))
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => ruleFileSchema.parse(readYaml(deployment, 'rules', file)).rules);
}

describe.each(deployments)('config/%s/rules', (deployment) => {
  const rules = rulesOf(deployment);
  const features = featureFile.parse(readYaml(deployment, 'features.yaml')).features.map(({ name }) => name);
  const scope = { features, lists: listNames };
  const compiled = compileRuleSet(rules, scope);

  it('compile against the catalogue beside them', () => {
    expect(compiled.ok ? [] : compiled.problems).toEqual([]);
  });

  it('turn out as every one of their examples says', () => {
    expect(compiled.ok ? runExamples(compiled.value.rules, scope) : 'not compiled').toEqual([]);
  });

  it.each(rules)('$id has an example that fires and one that stays silent', ({ examples }) => {
    expect(new Set(examples.map(({ expect: outcome }) => outcome))).toEqual(new Set(['fires', 'silent']));
  });
});

describe('the default rules', () => {
  it('are at least 14, with two in shadow', () => {
    const rules = rulesOf('default');
    expect(rules.length).toBeGreaterThanOrEqual(14);
    expect(rules.filter(({ mode }) => mode === 'shadow')).toHaveLength(2);
  });
});
