import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { ProgressLine } from './progressLine.ts';
import { askSluice, SluiceAwayError, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UserError } from './userError.ts';

export interface NewConfiguration {
  /** Canonical JSON. */
  readonly content: string;
  /** SHA-256 of the configuration that it was made from. */
  readonly replaces: string;
  readonly reason: string;
}

export type PublicationState = z.infer<typeof REPLY_SCHEMAS.PublicationState>;

const LOOK_MS = 100;
const shape = REPLY_SCHEMAS.PublicationState;

/**
 * Publishes a configuration to a running Sluice, shows how far it is, and resolves once it is in force. Ctrl-C gives it up, if
 * it is not in force by then.
 */
export async function publishConfiguration(
  access: SluiceAccessOptions,
  publication: NewConfiguration,
): Promise<PublicationState> {
  const progress = new ProgressLine();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const path = '/v1/publications';
  let state = await askSluice(access, { method: 'POST', path, body: publication, shape });
  while (state.stage === 'backfilling' || state.stage === 'publishing') {
    const { doneRecords, totalRecords } = state;
    const share = totalRecords === 0 ? 0 : doneRecords / totalRecords;
    progress.show(`${doneRecords.toLocaleString('en')} of ${totalRecords.toLocaleString('en')} ledger records`, share);
    await sleep(LOOK_MS);
    state = await look(access, interrupted.signal.aborted ? 'DELETE' : 'GET');
  }
  progress.clear();
  if (state.stage === 'published') return state;
  throw new UserError(`It was not published, and nothing has changed: ${state.error ?? 'Sluice was started anew'}`);
}

async function look(access: SluiceAccessOptions, method: 'GET' | 'DELETE'): Promise<PublicationState> {
  try {
    return await askSluice(access, { method, path: '/v1/publications/latest', shape });
  } catch (error) {
    if (!(error instanceof SluiceAwayError)) throw error;
    throw new UserError('Sluice went away before the publication; nothing has changed.');
  }
}
