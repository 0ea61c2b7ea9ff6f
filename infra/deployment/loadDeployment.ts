import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { compileConfiguration } from '../../operators/configuration.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import { ruleFileSchema } from '../../operators/configurationSchema.ts';
import type {
  ConfigurationDefinition,
  ConfigurationProblem,
  FeatureDefinition,
  ListDefinition,
  PolicyDefinition,
  RuleDefinition,
} from '../../operators/definitions.ts';
import { compileCatalogue } from '../../operators/features/catalogue.ts';
import { runExamples } from '../../operators/rules/ruleExamples.ts';
import { ruleSetCostProblems } from '../../operators/rules/ruleSetCost.ts';
import type { CsvMapping } from '../../pipeline/csvMapping.ts';
import { itemsOf, nameOf, readFeatures, type Entries } from './configEntries.ts';
import { ConfigFile } from './configFile.ts';
import { missingFolder, sortProblems, type DeploymentProblem } from './deploymentProblem.ts';
import type { DeploymentSettings } from './deploymentSettings.ts';
import { loadModel } from './loadModel.ts';
import type { DeploymentModel } from './loadModel.ts';
import { mappingFileSchema } from './mappingFile.ts';
import { listEntrySchema, policySchema, sluiceFileSchema } from './sluiceFile.ts';

/** A deployment folder, read and checked as a whole. */
export interface Deployment {
  readonly name: string;
  /** Absolute path of the folder. */
  readonly folder: string;
  readonly definition: ConfigurationDefinition;
  /** The definition compiled: what decides. */
  readonly configuration: CompiledConfiguration;
  readonly settings: DeploymentSettings;
  readonly model: DeploymentModel | null;
  /** How to import a CSV file; null when the folder has no mapping.yaml. */
  readonly mapping: CsvMapping | null;
}

export type LoadResult =
  | { readonly ok: true; readonly deployment: Deployment }
  | { readonly ok: false; readonly problems: readonly DeploymentProblem[] };

// Takes the place of a part whose shape is wrong, so that the rest can be checked; its own problems are left out.
const ANY_POLICY: PolicyDefinition = {
  maxReasons: 1,
  thresholds: {
    normal: { challenge: 1, review: 1, decline: 1 },
    elevated: { challenge: 1, review: 1, decline: 1 },
    lockdown: { challenge: 1, review: 1, decline: 1 },
  },
};

/** Reads and checks everything in a deployment folder: every problem is reported, not only the first. */
export async function loadDeployment(folder: string): Promise<LoadResult> {
  if (!existsSync(folder)) return { ok: false, problems: [missingFolder(folder)] };
  const sluiceFile = await ConfigFile.read(folder, 'sluice.yaml');
  const featureFile = await ConfigFile.read(folder, 'features.yaml');
  const mappingFile = existsSync(join(folder, 'mapping.yaml')) ? await ConfigFile.read(folder, 'mapping.yaml') : null;
  const ruleFiles = await readRuleFiles(folder, sluiceFile);

  const sluice = sluiceFile.parse(sluiceFileSchema);
  const policy = sluiceFile.value === undefined ? undefined : sluiceFile.parse(policySchema, ['policy']);
  const lists = readLists(sluiceFile);
  const features = readFeatures(featureFile);
  const rules = readRules(ruleFiles);
  const mapping = mappingFile?.parse(mappingFileSchema);

  const definition: ConfigurationDefinition = {
    ruleSetVersion: sluice?.ruleSetVersion ?? 'unknown',
    latenessMs: sluice?.latenessMs ?? 0,
    recentIds: sluice?.recentIds ?? 1,
    ...(sluice?.approvals === 1 ? { approvals: 1 } : {}),
    features: features.values,
    rules: rules.values,
    lists: lists.values,
    policy: policy ?? ANY_POLICY,
  };
  const configuration = compileConfiguration(definition);
  const found = configuration.ok
    ? [
        ...runExamples(configuration.value.ruleSet.rules, {
          features: configuration.value.catalogue.names,
          lists: configuration.value.listNames,
        }),
        ...ruleSetCostProblems(configuration.value.ruleSet),
      ]
    : configuration.problems;
  for (const problem of found) place(problem, { sluiceFile, featureFile, features, rules, lists, policy });

  const catalogue = compileCatalogue(definition.features, definition.latenessMs);
  const hasFaultyFeature = featureFile.problems.length > 0 || !catalogue.ok;
  const loadedModel = await loadModel(folder, hasFaultyFeature ? null : catalogue.value);

  const files = [sluiceFile, featureFile, ...ruleFiles, ...(mappingFile === null ? [] : [mappingFile])];
  const problems = [...files.flatMap((file) => file.problems), ...loadedModel.problems];
  if (problems.length > 0 || !configuration.ok || sluice === undefined)
    return { ok: false, problems: sortProblems(problems) };
  return {
    ok: true,
    deployment: {
      name: sluice.name,
      folder: resolve(folder),
      definition,
      configuration: configuration.value,
      settings: sluice.settings,
      model: loadedModel.model,
      mapping: mapping ?? null,
    },
  };
}

async function readRuleFiles(folder: string, sluiceFile: ConfigFile): Promise<readonly ConfigFile[]> {
  if (!existsSync(join(folder, 'rules'))) return [];
  const names = (await readdir(join(folder, 'rules'))).sort();
  for (const name of names.filter((other) => /\.(yml|YAML|YML)$/.test(other)))
    sluiceFile.add([], 'SLUICE_CONFIG_FILE', `rules/${name} would not be read: rename it to end in .yaml`);
  const files: ConfigFile[] = [];
  for (const name of names.filter((other) => other.endsWith('.yaml')))
    files.push(await ConfigFile.read(folder, `rules/${name}`));
  return files;
}

function readLists(file: ConfigFile): Entries<ListDefinition> {
  const entries: Entries<ListDefinition> = { values: [], places: [] };
  for (const [path, value] of itemsOf(file, 'lists', false)) {
    const list = file.parse(listEntrySchema, path);
    const standIn = { kind: 'watch', entity: 'account', text: { en: '-', zh: '-' } } as const;
    entries.values.push(list ?? { name: nameOf(value, 'name'), ...standIn });
    entries.places.push({ file, path, faulty: list === undefined });
  }
  return entries;
}

function readRules(files: readonly ConfigFile[]): Entries<RuleDefinition> {
  const entries: Entries<RuleDefinition> = { values: [], places: [] };
  for (const file of files)
    for (const [path] of itemsOf(file, 'rules', true)) {
      const rule = file.parse(ruleFileSchema.shape.rules.element, path);
      if (rule === undefined) continue;
      entries.values.push(rule);
      entries.places.push({ file, path, faulty: false });
    }
  return entries;
}

interface Origins {
  readonly sluiceFile: ConfigFile;
  readonly featureFile: ConfigFile;
  readonly features: Entries<FeatureDefinition>;
  readonly rules: Entries<RuleDefinition>;
  readonly lists: Entries<ListDefinition>;
  readonly policy: PolicyDefinition | undefined;
}

/** Notes a problem of the compiled configuration in the file it comes from. */
function place(problem: ConfigurationProblem, origins: Origins): void {
  const { code, section, index, path, message } = problem;
  const { sluiceFile, featureFile } = origins;
  switch (section) {
    case 'features':
    case 'rules':
    case 'lists': {
      const { places } = origins[section];
      const origin = index === undefined ? undefined : places[index];
      if (origin?.faulty === true) return;
      // Without the features or lists that a rule may name, nothing can be said about it.
      if (section === 'rules' && (sluiceFile.value === undefined || featureFile.value === undefined)) return;
      // The catalogue's paths start with the feature's index, those of rules and lists inside the item.
      const inside = path[0] === index ? path.slice(1) : path;
      if (origin !== undefined) origin.file.add([...origin.path, ...inside], code, message);
      else if (section === 'features') featureFile.add([section], code, message);
      else (places[0]?.file ?? sluiceFile).add([section], code, message);
      return;
    }
    case 'policy':
      if (origins.policy !== undefined) sluiceFile.add(['policy', ...path], code, message);
      return;
    case 'settings':
    case 'model':
      // What the file's own shape already says need not be said twice.
      if (!sluiceFile.problems.some((known) => known.code === 'SLUICE_CONFIG_VALUE'))
        sluiceFile.add(path, code, message);
  }
}
