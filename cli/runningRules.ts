import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import type { PublicationReply, RuleSetReply } from './ruleTables.ts';
import { askSluice, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UserError } from './userError.ts';

export type PublicationDetailsReply = z.infer<typeof REPLY_SCHEMAS.PublicationDetails>;

const PAGE = 100;

/** The rule set in force. */
export function rulesInForce(access: SluiceAccessOptions): Promise<RuleSetReply> {
  return askSluice(access, { method: 'GET', path: '/v1/rules', shape: REPLY_SCHEMAS.RuleSet });
}

export function publicationAt(access: SluiceAccessOptions, ledgerOffset: number): Promise<PublicationDetailsReply> {
  const path = `/v1/publications/${String(ledgerOffset)}`;
  return askSluice(access, { method: 'GET', path, shape: REPLY_SCHEMAS.PublicationDetails });
}

/** What is in force, whole. */
export async function configurationInForce(access: SluiceAccessOptions): Promise<PublicationDetailsReply> {
  return publicationAt(access, (await rulesInForce(access)).ledgerOffset);
}

export async function openProposals(access: SluiceAccessOptions): Promise<readonly PublicationReply[]> {
  const shape = REPLY_SCHEMAS.Proposals;
  return (await askSluice(access, { method: 'GET', path: '/v1/proposals', shape })).proposals;
}

/** Newest first, at most so many; of one rule those that changed it. */
export async function publicationHistory(
  access: SluiceAccessOptions,
  options: { readonly rule: string | null; readonly limit: number },
): Promise<readonly PublicationReply[]> {
  const found: PublicationReply[] = [];
  for (let before: number | null = null; found.length < options.limit;) {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, options.limit - found.length)) });
    if (options.rule !== null) query.set('rule', options.rule);
    if (before !== null) query.set('before', String(before));
    const path = `/v1/publications?${query.toString()}`;
    const page: z.infer<typeof REPLY_SCHEMAS.PublicationPage> = await askSluice(access, {
      method: 'GET',
      path,
      shape: REPLY_SCHEMAS.PublicationPage,
    });
    found.push(...page.publications);
    if (page.next === null) break;
    before = page.next;
  }
  return found;
}

/** The newest publication of a version that decided. */
export async function publicationOfVersion(
  access: SluiceAccessOptions,
  version: string,
): Promise<PublicationDetailsReply> {
  const all = await publicationHistory(access, { rule: null, limit: Number.MAX_SAFE_INTEGER });
  const found = all.find((each) => each.effect === 'inForce' && each.version === version);
  if (found === undefined)
    throw new UserError(`No version ${version} was ever in force; see sluice rules history. [SLUICE_VERSION_UNKNOWN]`);
  return publicationAt(access, found.ledgerOffset);
}
