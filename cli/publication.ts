import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { ProgressLine } from './progressLine.ts';
import { UserError } from './userError.ts';

export interface RunningAddress {
  readonly url: string;
  readonly key: string;
}

export interface NewConfiguration {
  /** Canonical JSON. */
  readonly content: string;
  /** SHA-256 of the configuration that it was made from. */
  readonly replaces: string;
  readonly reason: string;
}

export type PublicationState = z.infer<typeof REPLY_SCHEMAS.PublicationState>;

const LOOK_MS = 100;
const LATEST = '/v1/publications/latest';

/**
 * Publishes a configuration to a running Sluice, shows how far it is, and resolves once it is in force. Ctrl-C gives it up, if
 * it is not in force by then.
 */
export async function publishConfiguration(
  to: RunningAddress,
  publication: NewConfiguration,
): Promise<PublicationState> {
  const progress = new ProgressLine();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  let state = await call(to, 'POST', '/v1/publications', JSON.stringify(publication));
  while (state.stage === 'backfilling' || state.stage === 'publishing') {
    const { doneRecords, totalRecords } = state;
    const share = totalRecords === 0 ? 0 : doneRecords / totalRecords;
    progress.show(`${doneRecords.toLocaleString('en')} of ${totalRecords.toLocaleString('en')} ledger records`, share);
    await sleep(LOOK_MS);
    state = await call(to, interrupted.signal.aborted ? 'DELETE' : 'GET', LATEST);
  }
  progress.clear();
  if (state.stage === 'published') return state;
  throw new UserError(`It was not published, and nothing has changed: ${state.error ?? 'Sluice was started anew'}`);
}

async function call(
  { url, key }: RunningAddress,
  method: 'POST' | 'GET' | 'DELETE',
  path: string,
  body?: string,
): Promise<PublicationState> {
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });
  } catch {
    throw new UserError(
      body === undefined
        ? `Sluice at ${url} went away before the publication; nothing has changed.`
        : `No Sluice answers at ${url}. Start it (sluice up), or give its address with --url.`,
    );
  }
  const json: unknown = await response.json().catch(() => null);
  if (response.ok) return REPLY_SCHEMAS.PublicationState.parse(json);
  const refused = REPLY_SCHEMAS.Error.safeParse(json);
  if (!refused.success) throw new UserError(`${url} is no Sluice: it answered ${response.status}`);
  const { code, field, message } = refused.data.error;
  throw new UserError(`Refused${field === null ? '' : ` (${field})`}: ${message} [${code}]`);
}
