import { basename, dirname } from 'node:path';
import type { Checked } from '../../operators/definitions.ts';
import { compileCatalogue, type CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { readFeatures } from './configEntries.ts';
import { ConfigFile } from './configFile.ts';
import { sortProblems, type DeploymentProblem } from './deploymentProblem.ts';

export type CatalogueLoadResult =
  | { readonly ok: true; readonly catalogue: CompiledCatalogue }
  | { readonly ok: false; readonly problems: readonly DeploymentProblem[] };

/** Reads and checks one file of features that need not be part of a deployment. Problems name the file as it was given. */
export async function loadCatalogue(path: string, latenessMs: number): Promise<CatalogueLoadResult> {
  const file = await ConfigFile.read(dirname(path), basename(path));
  const { values, places } = readFeatures(file);
  const compiled: Checked<CompiledCatalogue> | null =
    file.value === undefined ? null : compileCatalogue(values, latenessMs);
  for (const { code, index, path: at, message } of compiled?.ok === false ? compiled.problems : []) {
    const place = index === undefined ? undefined : places[index];
    if (place?.faulty === true) continue;
    file.add(place === undefined ? [] : [...place.path, ...(at[0] === index ? at.slice(1) : at)], code, message);
  }
  if (compiled?.ok === true && file.problems.length === 0) return { ok: true, catalogue: compiled.value };
  return { ok: false, problems: sortProblems(file.problems.map((problem) => ({ ...problem, file: path }))) };
}
