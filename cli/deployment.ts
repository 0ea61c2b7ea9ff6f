import { loadDeployment, type Deployment } from '../infra/deployment/loadDeployment.ts';
import { loadDeploymentPlace, type DeploymentPlace } from '../infra/deployment/deploymentPlace.ts';
import { checkReport } from '../infra/deployment/checkReport.ts';
import { UserError } from './userError.ts';

/** Loads a deployment folder that must be sound; a UserError lists every problem. */
export async function requireDeployment(folder: string): Promise<Deployment> {
  const result = await loadDeployment(folder);
  if (result.ok) return result.deployment;
  throw new UserError(checkReport(folder, result));
}

/** Where a deployment's data are; its rules and features may have mistakes. */
export async function requirePlace(folder: string): Promise<DeploymentPlace> {
  const result = await loadDeploymentPlace(folder);
  if (result.ok) return result.place;
  throw new UserError(checkReport(folder, result));
}

/** Where a deployment keeps its data unless --data says otherwise. */
export function dataFolder(deployment: DeploymentPlace, given: string | undefined): string {
  return given ?? `data/${deployment.name}`;
}
