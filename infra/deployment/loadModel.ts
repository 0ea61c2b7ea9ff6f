import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelMetadataSchema, scoresCatalogue } from '../../models/modelPackage.ts';
import type { ModelMetadata } from '../../models/modelPackage.ts';
import { sha256OfFirst, type CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { ConfigFile } from './configFile.ts';
import type { DeploymentProblem } from './deploymentProblem.ts';

const METADATA = 'model/model.json';
const MODEL = 'model/model.onnx';
const MAX_NAMED = 5;

export interface DeploymentModel {
  readonly metadata: ModelMetadata;
  readonly onnx: Uint8Array;
}

export interface LoadedModel {
  /** Null without a model, and when there are problems. */
  readonly model: DeploymentModel | null;
  readonly problems: readonly DeploymentProblem[];
}

/** Reads `model/` of a deployment, if there is one, and holds it against the catalogue (null: it is faulty itself). */
export async function loadModel(folder: string, catalogue: CompiledCatalogue | null): Promise<LoadedModel> {
  if (!existsSync(join(folder, 'model'))) return { model: null, problems: [] };
  const file = await ConfigFile.read(folder, METADATA);
  const metadata = file.parse(modelMetadataSchema);
  const onnx = await readModel(folder, file);
  if (metadata === undefined) return { model: null, problems: file.problems };
  if (onnx !== undefined) {
    const sha256 = createHash('sha256').update(onnx).digest('hex');
    if (sha256 !== metadata.sha256)
      file.add(
        ['sha256'],
        'SLUICE_MODEL_HASH',
        `${MODEL} is another file than the one described here: its SHA-256 is ${sha256}`,
      );
  }
  if (catalogue !== null) compareInputs(file, metadata, catalogue);
  const model = onnx === undefined || file.problems.length > 0 ? null : { metadata, onnx };
  return { model, problems: file.problems };
}

async function readModel(folder: string, file: ConfigFile): Promise<Uint8Array | undefined> {
  try {
    return await readFile(join(folder, MODEL));
  } catch {
    file.add([], 'SLUICE_MODEL_MISSING', `${MODEL} is missing or cannot be read`);
    return undefined;
  }
}

function compareInputs(file: ConfigFile, metadata: ModelMetadata, catalogue: CompiledCatalogue): void {
  const unknown = metadata.inputs.filter((name) => !catalogue.names.includes(name));
  // Features after the model's are no concern of its.
  const known = catalogue.names.slice(0, metadata.inputs.length);
  const missing = known.filter((name) => !metadata.inputs.includes(name));
  const advice = 'Train the model anew (make train), or bring back the features.yaml it was trained with.';
  if (unknown.length > 0) {
    const index = metadata.inputs.indexOf(unknown[0] ?? '');
    const message = `the model wants features that features.yaml does not have: ${listed(unknown)}. ${advice}`;
    file.add(['inputs', index], 'SLUICE_MODEL_INPUTS', message);
  }
  if (missing.length > 0) {
    const message =
      `features.yaml has features among the model's that it does not know: ${listed(missing)}. ` +
      `Move them to the end of features.yaml, or: ${advice}`;
    file.add(['inputs'], 'SLUICE_MODEL_INPUTS', message);
  }
  if (unknown.length > 0 || missing.length > 0) return;
  const index = metadata.inputs.findIndex((name, place) => name !== catalogue.names[place]);
  if (index >= 0) {
    const [have, want] = [metadata.inputs[index] ?? '', catalogue.names[index] ?? ''];
    const message = `the model's inputs are in another order than features.yaml: here ${have}, there ${want}. ${advice}`;
    file.add(['inputs', index], 'SLUICE_MODEL_INPUTS', message);
  } else if (!scoresCatalogue(metadata, catalogue)) {
    const message =
      "features.yaml computes other values than the model was trained on: the hash of the model's features is " +
      `${sha256OfFirst(catalogue, metadata.inputs.length)}. ${advice}`;
    file.add(['catalogueSha256'], 'SLUICE_MODEL_CATALOGUE', message);
  }
  for (const section of ['reasonFeatures', 'baselines'] as const) {
    const names = section === 'reasonFeatures' ? metadata.reasonFeatures : Object.keys(metadata.baselines);
    for (const [place, name] of names.entries())
      if (!catalogue.names.includes(name))
        file.add(
          [section, section === 'baselines' ? name : place],
          'SLUICE_MODEL_INPUTS',
          `there is no feature ${name}`,
        );
  }
}

function listed(names: readonly string[]): string {
  const rest = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
