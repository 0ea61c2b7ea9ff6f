import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogueMisfits } from '../../models/catalogueFit.ts';
import { modelMetadataSchema } from '../../models/modelPackage.ts';
import type { ModelMetadata } from '../../models/modelPackage.ts';
import type { CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { ConfigFile } from './configFile.ts';
import type { DeploymentProblem } from './deploymentProblem.ts';

const METADATA = 'model/model.json';
const MODEL = 'model/model.onnx';

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
  const misfits = catalogue === null ? [] : catalogueMisfits(metadata, catalogue);
  for (const { path, code, message } of misfits) file.add(path, code, message);
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
