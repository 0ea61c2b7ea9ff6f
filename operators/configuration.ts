import { canonicalJson, sha256Hex } from './canonicalJson.ts';
import { configurationSchema } from './configurationSchema.ts';
import type { Checked, ConfigurationDefinition, ConfigurationProblem } from './definitions.ts';
import { catalogueSteps, type CompiledCatalogue } from './features/catalogue.ts';
import { listHits, type ListHits } from './lists/listHits.ts';
import { compilePolicy, type Policy } from './policy.ts';
import { policyProblems, listProblems, settingProblems } from './settingProblems.ts';
import { ruleSetSteps, type RuleSet } from './rules/ruleSet.ts';
import { runSteps, type Steps } from './steps.ts';

/** Everything that decides, ready to run. Compiled once per publication. */
export interface CompiledConfiguration {
  readonly definition: ConfigurationDefinition;
  readonly catalogue: CompiledCatalogue;
  readonly ruleSet: RuleSet;
  readonly lists: ListHits;
  readonly listNames: readonly string[];
  readonly policy: Policy;
  /** What a rule-set publication carries. */
  readonly canonicalJson: string;
  /** SHA-256 of canonicalJson, hexadecimal. */
  readonly sha256: string;
}

/** Checks and compiles a configuration. Collects every problem of every section, not only the first. */
export function compileConfiguration(definition: ConfigurationDefinition): Checked<CompiledConfiguration> {
  return runSteps(configurationSteps(definition));
}

/** The same, a step for each feature and rule. */
export function* configurationSteps(definition: ConfigurationDefinition): Steps<Checked<CompiledConfiguration>> {
  const catalogue = yield* catalogueSteps(definition.features, definition.latenessMs);
  const scope = {
    features: definition.features.map(({ name }) => name),
    lists: definition.lists.map(({ name }) => name),
    groups: (definition.policy.ruleGroups ?? []).map(({ id }) => id),
  };
  const ruleSet = yield* ruleSetSteps(definition.rules, scope);
  const problems: ConfigurationProblem[] = [
    ...settingProblems(definition),
    ...(catalogue.ok ? [] : catalogue.problems),
    ...(ruleSet.ok ? [] : ruleSet.problems),
    ...listProblems(definition.lists),
    ...policyProblems(definition.policy),
  ];
  if (problems.length > 0 || !catalogue.ok || !ruleSet.ok) return { ok: false, problems };
  const json = canonicalJson(definition);
  return {
    ok: true,
    value: {
      definition,
      catalogue: catalogue.value,
      ruleSet: ruleSet.value,
      lists: listHits(definition.lists),
      listNames: scope.lists,
      policy: compilePolicy(definition.policy),
      canonicalJson: json,
      sha256: sha256Hex(json),
    },
  };
}

/** Reads the content of a rule-set publication back. Only the shape is checked here: compileConfiguration does the rest. */
export function parseConfiguration(json: string): Checked<ConfigurationDefinition> {
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch (error) {
    const message = `the configuration is no JSON: ${error instanceof Error ? error.message : ''}`;
    return { ok: false, problems: [{ code: 'SLUICE_CONFIGURATION_JSON', section: 'settings', path: [], message }] };
  }
  const parsed = configurationSchema.safeParse(content);
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map(({ path, message }) => shapeProblem(path, message)),
  };
}

const sections = ['features', 'rules', 'lists', 'policy'] as const;

function shapeProblem(path: readonly PropertyKey[], message: string): ConfigurationProblem {
  const [head, index] = path;
  const section = sections.find((name) => name === head);
  const code = 'SLUICE_CONFIGURATION_SHAPE';
  const steps = path.map((step) => (typeof step === 'number' ? step : String(step)));
  const where = steps.join('.');
  if (section === undefined) return { code, section: 'settings', path: steps, message: `${where}: ${message}` };
  if (typeof index !== 'number') return { code, section, path: steps.slice(1), message: `${where}: ${message}` };
  return { code, section, index, path: steps.slice(2), message: `${where}: ${message}` };
}
