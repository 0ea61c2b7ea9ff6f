import { existsSync } from 'node:fs';
import { ConfigFile } from './configFile.ts';
import { missingFolder, sortProblems } from './deploymentProblem.ts';
import type { Deployment, LoadResult } from './loadDeployment.ts';
import { sluiceFileSchema } from './sluiceFile.ts';

/** What leads to a deployment's data: for commands that ask what was recorded, to which rules and features say nothing. */
export type DeploymentPlace = Pick<Deployment, 'name' | 'settings'>;

export type PlaceResult = { readonly ok: true; readonly place: DeploymentPlace } | Extract<LoadResult, { ok: false }>;

/** Reads sluice.yaml alone, and of it neither lists nor policy: a mistake in a draft keeps nobody from what was recorded. */
export async function loadDeploymentPlace(folder: string): Promise<PlaceResult> {
  if (!existsSync(folder)) return { ok: false, problems: [missingFolder(folder)] };
  const file = await ConfigFile.read(folder, 'sluice.yaml');
  const sluice = file.parse(sluiceFileSchema);
  if (sluice === undefined) return { ok: false, problems: sortProblems(file.problems) };
  return { ok: true, place: { name: sluice.name, settings: sluice.settings } };
}
