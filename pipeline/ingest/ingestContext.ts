import type { Verdict } from '../../schemas/types.ts';
import type { Sender } from '../gateway.ts';
import type { Clock, DecisionStore, Ledger, Telemetry, Timer } from '../ports.ts';
import type { GivenFallbacks } from './givenFallbacks.ts';
import type { PendingVerdicts } from './pendingVerdicts.ts';

/** What every ingest stage may use. */
export interface IngestServices {
  readonly ledger: Ledger;
  readonly decisions: DecisionStore;
  readonly pending: PendingVerdicts;
  readonly fallbacks: GivenFallbacks;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Of deadlines. */
  readonly timer: Timer;
  /** A payment got no decision in time, and its caller the fallback. */
  readonly onFallback: () => void;
  /** Key of the card tokens, at least 32 bytes. */
  readonly cardKey: Uint8Array;
  readonly settings: IngestSettings;
}

export interface IngestSettings {
  /** From acceptance to the fallback verdict. */
  readonly deadlineMs: number;
  readonly fallbackVerdict: Verdict;
  /** How far ahead of this machine's clock a payment's time may be, and how far behind. */
  readonly maxFutureMs: number;
  readonly maxPastMs: number;
  /** Payments on their way at once; more are refused. */
  readonly maxPending: number;
}

/** One input on its way through the stages. */
export interface IngestContext {
  readonly services: IngestServices;
  readonly sender: Sender;
  readonly acceptedAtMs: number;
}
