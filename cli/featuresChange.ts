import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import type { DeploymentProblem } from '../infra/deployment/deploymentProblem.ts';
import { featureNameAt, withFeatures, withoutFeature, withVersion } from '../infra/deployment/editDeployment.ts';
import { featureReaders } from '../infra/deployment/featureReaders.ts';
import { loadDeployment, type Deployment } from '../infra/deployment/loadDeployment.ts';
import { nextRuleSetVersion } from '../operators/rules/ruleSetVersion.ts';
import { requireDeployment } from './deployment.ts';
import { FileReplacement, type NewText } from './fileReplacement.ts';
import { publishConfiguration, standingOf } from './publication.ts';
import { deployedUrl, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UserError } from './userError.ts';
import { readUserFile } from './userFile.ts';

export function featuresAddCommand(): Command {
  const command = new Command('add')
    .description('Add features to a running Sluice: each is exact from its first use, and no payment waits.')
    .argument('<file>', 'YAML with a list under `features:`, as in features.yaml')
    .addHelpText(
      'after',
      `
The features are checked. Sluice then computes their state from its whole ledger, while it goes on deciding without them,
and changes over at one ledger offset. The deployment's features.yaml and ruleSetVersion are brought up to date.
Ctrl-C before that changes nothing.`,
    );
  return withRunningOptions(command).action(async (file: string, options: ChangeOptions) => {
    const before = await requireDeployment(options.config);
    const features = readUserFile(join(options.config, 'features.yaml'));
    const changed = withFeatures(features, readUserFile(file), file);
    const firstLine = features.trimEnd().split('\n').length + 1;
    await change(options, before, { before: features, after: changed }, (problem) => {
      const { file: where, line, code, message } = problem;
      if (where !== 'features.yaml' || line < firstLine) return placed(options.config, problem);
      const name = featureNameAt(changed, line) ?? '';
      return `${file}: ${message.replace(/^features\[\d+\]\.?/, `feature '${name}': `)} [${code}]`;
    });
  });
}

export function featuresRemoveCommand(): Command {
  const command = new Command('remove')
    .description('Take a feature out of a running Sluice; its memory is free again.')
    .argument('<name>', 'the feature');
  return withRunningOptions(command).action(async (name: string, options: ChangeOptions) => {
    const before = await requireDeployment(options.config);
    const features = readUserFile(join(options.config, 'features.yaml'));
    const changed = withoutFeature(features, name);
    const readers = featureReaders(before, name);
    if (readers.length > 0)
      throw new UserError(`feature '${name}' is read by ${readers.join(', ')}: change that first`);
    await change(options, before, { before: features, after: changed }, (problem) => placed(options.config, problem));
  });
}

interface ChangeOptions extends SluiceAccessOptions {
  readonly reason: string;
}

function withRunningOptions(command: Command): Command {
  return withSluiceOptions(command).option('--reason <text>', 'why, for the ledger', '');
}

/** Tries the change on a copy of the deployment, publishes it, and only then puts it into the deployment. */
async function change(
  options: ChangeOptions,
  before: Deployment,
  features: NewText,
  explain: (problem: DeploymentProblem) => string,
): Promise<void> {
  const { config, reason } = options;
  const settings = readUserFile(join(config, 'sluice.yaml'));
  const version = nextRuleSetVersion(before.definition.ruleSetVersion);
  const newSettings = withVersion(settings, version);
  const files = { 'features.yaml': features, 'sluice.yaml': { before: settings, after: newSettings } };
  const after = await tried(config, files, explain);
  const url = options.url ?? deployedUrl(before);
  const replacement = new FileReplacement(config, files);
  const content = after.configuration.canonicalJson;
  const publication = { content, replaces: before.configuration.sha256, reason };
  let isPublished = false;
  try {
    const state = await publishConfiguration({ ...options, url }, publication);
    isPublished = true;
    const kept = replacement.commit();
    const { names } = after.configuration.catalogue;
    const known = before.configuration.catalogue.names;
    const changes = [
      ...names.filter((name) => !known.includes(name)).map((name) => `${name} added`),
      ...known.filter((name) => !names.includes(name)).map((name) => `${name} removed`),
    ];
    process.stdout.write(
      `${changes.join(', ')}: rule set ${version}, ${String(names.length)} features, ${standingOf(state)}.` +
        `${kept.length === 0 ? ` ${config} says so too.` : ''}
`,
    );
    if (kept.length > 0) throw new UserError(keptLine(config, kept));
  } finally {
    if (!isPublished) replacement.discard();
  }
}

async function tried(
  config: string,
  files: Readonly<Record<string, NewText>>,
  explain: (problem: DeploymentProblem) => string,
): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-change-'));
  try {
    cpSync(config, folder, { recursive: true });
    for (const [name, { after }] of Object.entries(files)) writeFileSync(join(folder, name), after);
    const result = await loadDeployment(folder);
    if (result.ok) return result.deployment;
    throw new UserError(result.problems.map(explain).join('\n'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function keptLine(config: string, kept: readonly string[]): string {
  return (
    `${config} was changed meanwhile and is left as it is; what is in force is in ${kept.join(' and ')}: ` +
    'bring it over before the next start, which would take it out again'
  );
}

function placed(config: string, { file, line, code, message }: DeploymentProblem): string {
  return `${join(config, file)}:${line} ${message} [${code}]`;
}
