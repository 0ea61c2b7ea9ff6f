import { join } from 'node:path';
import { readTrees } from '../../models/trees/readTrees.ts';
import type { Deployment, LoadResult } from './loadDeployment.ts';
import type { DeploymentModel } from './loadModel.ts';

/** What `sluice check FOLDER` prints: one line a problem, `file:line:column message [code]`, and a last line. */
export function checkReport(folder: string, result: LoadResult): string {
  if (result.ok) return [`${folder} is sound.`, ...summary(result.deployment).map((line) => `  ${line}`)].join('\n');
  const lines = result.problems.map(
    ({ file, line, column, code, message }) => `${join(folder, file)}:${line}:${column} ${message} [${code}]`,
  );
  const count = result.problems.length;
  return [...lines, `${count} problem${count === 1 ? '' : 's'} in ${folder}.`].join('\n');
}

/** The same as data, for `--json`. */
export function checkReportData(folder: string, result: LoadResult): Readonly<Record<string, unknown>> {
  if (!result.ok) return { folder, ok: false, problems: result.problems };
  const { name, configuration, model } = result.deployment;
  return {
    folder,
    ok: true,
    name,
    ruleSetVersion: configuration.definition.ruleSetVersion,
    configurationSha256: configuration.sha256,
    catalogueSha256: configuration.catalogue.sha256,
    features: configuration.catalogue.names.length,
    rules: configuration.definition.rules.length,
    lists: configuration.listNames.length,
    model:
      model === null ? null : { id: model.metadata.id, version: model.metadata.version, sha256: model.metadata.sha256 },
  };
}

function summary({ name, definition, model, mapping, settings }: Deployment): readonly string[] {
  const examples = definition.rules.reduce((sum, rule) => sum + rule.examples.length, 0);
  const modes = ['live', 'shadow', 'off'].map(
    (mode) => `${definition.rules.filter((rule) => rule.mode === mode).length} ${mode}`,
  );
  const { server } = settings.history;
  return [
    `deployment ${name}, rule set ${definition.ruleSetVersion}`,
    `${definition.features.length} features over ${entityCount(definition)} entities`,
    `${definition.rules.length} rules (${modes.join(', ')}); ${examples} examples turn out as they say`,
    `${definition.lists.length} lists`,
    model === null
      ? 'no model'
      : `model ${model.metadata.id} ${model.metadata.version}, ${model.onnx.length} bytes; reasons by ${explainedBy(model)}`,
    `history ${server.kind === 'embedded' ? 'embedded' : `at ${server.url}`}`,
    ...(mapping === null ? [] : ['a mapping for CSV files']),
  ];
}

function explainedBy({ onnx, metadata }: DeploymentModel): string {
  const trees = readTrees(onnx, metadata);
  return trees.ok ? 'TreeSHAP' : `occlusion, because ${trees.why}`;
}

function entityCount(definition: Deployment['definition']): number {
  return new Set(definition.features.flatMap(({ entity }) => (entity === undefined ? [] : [entity.join('+')]))).size;
}
