import type { Refusal } from '../../pipeline/gateway.ts';
import { HttpError } from './httpError.ts';

const NOT_READY_RETRY_SECONDS = 1;

const STATUS: Readonly<Record<string, number>> = {
  SLUICE_BACKTEST_BUSY: 409,
  SLUICE_BACKTEST_NO_HISTORY: 409,
  SLUICE_PUBLICATION_BASE: 409,
  SLUICE_PUBLICATION_BUSY: 409,
  SLUICE_PUBLICATION_UNCHANGED: 409,
  SLUICE_PROPOSAL_OWN: 409,
  SLUICE_PROPOSAL_UNKNOWN: 404,
  SLUICE_RULE_UNKNOWN: 404,
  SLUICE_VERSION_UNKNOWN: 404,
};

/** The reply to what was not published, proposed, approved or rejected. */
export function publicationError(refusal: Refusal): HttpError {
  if (refusal.code === 'SLUICE_NOT_READY') return new HttpError(503, refusal, NOT_READY_RETRY_SECONDS);
  return new HttpError(STATUS[refusal.code] ?? 400, refusal);
}
