import type { Label, Outcome, Transaction } from '../../schemas/types.ts';
import type { SavedState } from '../savedState.ts';
import type { FeatureCatalogue } from './catalogue.ts';
import {
  MAX_BACKLOG_EVENTS,
  MAX_CANDIDATES_PER_KEY,
  MAX_CROSSINGS_PER_STEP,
  MAX_DISTINCT_PER_KEY,
  MAX_DISTINCT_SAMPLES,
  MAX_HEAD_EVENTS,
  MAX_KEYS_PER_ENTITY,
  MAX_FACT_CHANGES,
  MAX_RESERVOIR_EVENTS,
} from './limits.ts';
import type { StateSurvey } from './stateSurvey.ts';

/**
 * All windows of all entities. The engine's time is the greatest event time seen; a window of length w and delay d
 * covers (time - d - w, time - d], and holds every event seen so far whose own time is inside it.
 *
 * Values: sum, avg, std, min and max are in minor units of the payment's own currency (amounts of different currencies
 * are not converted: put `tx.currency == '...'` into `where` where a key pays in several). std is the population's
 * (divided by n). timeSince is in seconds, from the newest matching event to the engine's time. distinct counts the
 * events that have the field. A payment without the entity gets NaN for the entity's features and is not added to it.
 * A `where` or expression that fails on a payment is false, or NaN.
 */
export interface FeatureState extends SavedState {
  readonly catalogue: FeatureCatalogue;
  /** The engine's time, epoch milliseconds; 0 before the first event. */
  readonly timeMs: number;
  /** Live keys over all entities. */
  readonly keyCount: number;
  /** Blocks of older events, and of their offsets, that wait in memory for the disk. */
  readonly waitingBlocks: number;
  /** Moves time on (a tick). A time in the past changes nothing. */
  advanceTime(timeMs: number): void;
  /**
   * Adds a payment and writes its features, in the catalogue's order, to out[outBase...]. Returns whether it came later
   * than the lateness bound (it then counts at time - bound, or at the newest sealed event's time if that is later).
   */
  addTransaction(tx: Transaction, ledgerOffset: number, out: Float64Array, outBase: number): boolean;
  /** Applies a label to its payment, wherever the payment's windows now stand. Unknown offsets are counted and ignored. */
  addLabel(label: Label): void;
  /** The same of what the gateway or the issuer then did; the last outcome counts. */
  addOutcome(outcome: Outcome): void;
  /**
   * A payment that takes back the payment at `originalOffset` (-1: unknown), and is yet to be added: a reversal, or a refund
   * of no less than its amount. Any other payment changes nothing here.
   */
  addReversal(reversal: Transaction, originalOffset: number): void;
  /** What the state holds, and how often it passed a bound. Not for the hot path. */
  statistics(): FeatureStatistics;
  /** Begins to look at all that the state holds, in bounded steps. */
  survey(): StateSurvey;
  /** Lets go of the events outside the memory. Nothing may be asked of the state after that. */
  close(): void;
}

export interface FeatureStatistics {
  /** Events held for the longest window. */
  readonly events: number;
  /** Those of them that are in memory, since a late event may still come before them. */
  readonly headEvents: number;
  /** Events that are due to enter or leave a window and wait for it, unless a payment asks for one of their keys; once for each edge. */
  readonly backlogEvents: number;
  /** Events of which something became known after they were sealed. */
  readonly factChanges: number;
  /** Live keys of each entity, tuple (joined by +) and field counted by distinct. */
  readonly keys: Readonly<Record<string, number>>;
  /** Bytes of all typed arrays: the state's memory. */
  readonly bytes: number;
  /** Of these, bytes of the events held; the rest is by key. */
  readonly eventBytes: number;
  readonly lateBeyondBound: number;
  /** Labels whose payment is unknown, or older than every window. */
  readonly unknownLabels: number;
  /** The same of outcomes. */
  readonly unknownOutcomes: number;
  /** The same of reversals and refunds. */
  readonly unknownReversals: number;
  /** `where` clauses and expressions that could not be evaluated. */
  readonly failedExpressions: number;
  /** Keys that found their entity's table full. Their payments get NaN. */
  readonly refusedKeys: number;
  /**
   * Distinct counts of a key in a window that are estimates at present: there are, or were up to two windows ago, more than
   * MAX_DISTINCT_PER_KEY values (DistinctSamples). Not a bound that was passed.
   */
  readonly estimatedDistincts: number;
  /**
   * Values that topShare could not take in, their key holding MAX_DISTINCT_PER_KEY, or a distinct that found
   * MAX_DISTINCT_SAMPLES: a share is then off, a count too low.
   */
  readonly uncountedValues: number;
  /** Candidates that min, max, first or timeSince lost to MAX_CANDIDATES_PER_KEY: the value may then be off. */
  readonly droppedCandidates: number;
  /** Labels, outcomes and reversals that changed nothing because there were MAX_FACT_CHANGES. */
  readonly droppedFacts: number;
  /** Events that left their windows early because there were MAX_RESERVOIR_EVENTS. */
  readonly forcedOut: number;
  /** Events that entered or left windows beyond what a step may take, because MAX_BACKLOG_EVENTS waited. */
  readonly hurriedCrossings: number;
}

export interface FeatureLimits {
  readonly maxKeysPerEntity: number;
  readonly maxDistinctPerKey: number;
  readonly maxDistinctSamples: number;
  readonly maxCandidatesPerKey: number;
  readonly maxReservoirEvents: number;
  readonly maxHeadEvents: number;
  readonly maxFactChanges: number;
  readonly maxCrossingsPerStep: number;
  readonly maxBacklogEvents: number;
  /** Events per chunk of the reservoir's head: what a late event may have to move. */
  readonly chunkCapacity: number;
  /** Events per sealed block: what a cursor reads at once. */
  readonly blockCapacity: number;
}

export const defaultLimits: FeatureLimits = {
  maxKeysPerEntity: MAX_KEYS_PER_ENTITY,
  maxDistinctPerKey: MAX_DISTINCT_PER_KEY,
  maxDistinctSamples: MAX_DISTINCT_SAMPLES,
  maxCandidatesPerKey: MAX_CANDIDATES_PER_KEY,
  maxReservoirEvents: MAX_RESERVOIR_EVENTS,
  maxHeadEvents: MAX_HEAD_EVENTS,
  maxFactChanges: MAX_FACT_CHANGES,
  maxCrossingsPerStep: MAX_CROSSINGS_PER_STEP,
  maxBacklogEvents: MAX_BACKLOG_EVENTS,
  chunkCapacity: 512,
  blockCapacity: 1_024,
};
