import type { z } from 'zod';
import { closestName } from '../infra/deployment/closestName.ts';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { askSluice, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UserError } from './userError.ts';

export type ListSummary = z.infer<typeof REPLY_SCHEMAS.Lists>['lists'][number];
export type ListEntry = z.infer<typeof REPLY_SCHEMAS.ListEntry>;

/** The list of this name, as the running Sluice declares it. Throws UserError when there is none. */
export async function requireList(access: SluiceAccessOptions, name: string): Promise<ListSummary> {
  const { lists } = await askSluice(access, { method: 'GET', path: '/v1/lists', shape: REPLY_SCHEMAS.Lists });
  const list = lists.find((each) => each.name === name);
  if (list !== undefined) return list;
  const closest = closestName(
    name,
    lists.map((each) => each.name),
  );
  const hint = closest === undefined ? 'see sluice lists show' : `did you mean ${closest}?`;
  throw new UserError(`there is no list '${name}'; ${hint} [SLUICE_LIST_UNKNOWN]`);
}

/** What the list is about, in words: `ip addresses and blocks`. */
export function subjectOf({ entity, hashed }: Pick<ListSummary, 'entity' | 'hashed'>): string {
  if (hashed !== undefined) return `${entity}, hashed`;
  return entity === 'ip' ? 'ip or block' : entity === 'bin' ? 'BIN or range' : entity;
}
