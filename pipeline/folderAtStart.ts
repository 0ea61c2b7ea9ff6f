import type { CompiledConfiguration } from '../operators/configuration.ts';
import type { PublicationLog } from './engine/publicationLog.ts';

/**
 * Why a start leaves in force what is, though the deployment folder says something else; null: the folder is published. The folder
 * is a draft: it may have stayed behind a publication or a rollback, and a restart must not take those back. Nor is a
 * restart a second person.
 */
export function whyFolderWaits({ definition, sha256 }: CompiledConfiguration, log: PublicationLog): string | null {
  if (log.inForceOffset < 0) return null;
  if (log.approvals > 0)
    return 'the deployment folder differs from what is in force, and a second person must agree: propose it with sluice rules publish';
  const published = log.entries.filter(({ effect }) => effect === 'inForce');
  const inForce = published.at(-1);
  const version = definition.ruleSetVersion;
  if (version === inForce?.version) return null;
  const isReplaced = published.some((entry) => entry.version === version || entry.sha256 === sha256);
  return isReplaced
    ? `the deployment folder holds version ${version}, which was replaced while Sluice ran: see sluice rules list, then publish the folder or go back with sluice rules rollback ${version}`
    : null;
}
