import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { ProgressLine } from './progressLine.ts';
import { askSluice, SluiceAwayError, type SluiceAccessOptions, type SluiceQuestion } from './sluiceAccess.ts';
import { UserError } from './userError.ts';

export interface NewConfiguration {
  /** Canonical JSON. */
  readonly content: string;
  /** SHA-256 of the configuration that it was made from. */
  readonly replaces: string;
  readonly reason: string;
  /** Why it is to be in force though the review team could not work off its alerts. */
  readonly force?: string;
}

export type PublicationState = z.infer<typeof REPLY_SCHEMAS.PublicationState>;

const LOOK_MS = 100;
const shape = REPLY_SCHEMAS.PublicationState;

/** Publishes a configuration to a running Sluice, as `publishing` does. */
export function publishConfiguration(
  access: SluiceAccessOptions,
  publication: NewConfiguration,
): Promise<PublicationState> {
  return publishing(access, { method: 'POST', path: '/v1/publications', body: publication });
}

/**
 * Asks a running Sluice for a publication, shows how far it is, and resolves once it is in force, proposed or rejected. Ctrl-C
 * gives it up, if it is not in the ledger by then.
 */
export async function publishing(
  access: SluiceAccessOptions,
  request: Pick<SluiceQuestion<PublicationState>, 'method' | 'path' | 'body'>,
): Promise<PublicationState> {
  const progress = new ProgressLine();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  let state = await askSluice(access, { ...request, shape });
  while (state.stage === 'backtesting' || state.stage === 'backfilling' || state.stage === 'publishing') {
    const { stage, doneRecords, totalRecords } = state;
    if (stage === 'backtesting') progress.show('backtest: what this gives the review team', 0);
    const share = totalRecords === 0 ? 0 : doneRecords / totalRecords;
    if (totalRecords > 0)
      progress.show(
        `${doneRecords.toLocaleString('en')} of ${totalRecords.toLocaleString('en')} ledger records`,
        share,
      );
    await sleep(LOOK_MS);
    state = await look(access, interrupted.signal.aborted ? 'DELETE' : 'GET');
  }
  progress.clear();
  if (state.alertsPerDay !== null) process.stdout.write(alertsText(state.alertsPerDay));
  if (state.stage !== 'failed' && state.stage !== 'none') return state;
  throw new UserError(`It was not published, and nothing has changed: ${state.error ?? 'Sluice was started anew'}`);
}

function alertsText({ before, after, capacityPerDay }: NonNullable<PublicationState['alertsPerDay']>): string {
  const text = (alerts: number): string => alerts.toLocaleString('en', { maximumFractionDigits: 1 });
  return `Alerts a day: ${text(before)} before, ${text(after)} after; capacity ${text(capacityPerDay)}\n`;
}

/** `in force from ledger offset 812; decisions were held for 3 ms at most`, or what it waits for. */
export function standingOf({ stage, ledgerOffset, heldMs }: PublicationState): string {
  const offset = String(ledgerOffset);
  if (stage === 'rejected') return 'rejected; nothing else has changed';
  return stage === 'proposed'
    ? `proposed as ${offset}; in force once somebody else approves it: sluice rules approve ${offset}`
    : `in force from ledger offset ${offset}; decisions were held for ${String(heldMs)} ms at most`;
}

async function look(access: SluiceAccessOptions, method: 'GET' | 'DELETE'): Promise<PublicationState> {
  try {
    return await askSluice(access, { method, path: '/v1/publications/latest', shape });
  } catch (error) {
    if (!(error instanceof SluiceAwayError)) throw error;
    throw new UserError('Sluice went away before the publication; nothing has changed.');
  }
}
