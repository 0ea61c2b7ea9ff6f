import { readsAny, type FactsRead, type KnownFacts } from '../cel/facts.ts';
import type { CompiledFeature, CompiledWhere } from './catalogue.ts';
import { EventBlock } from './eventBlock.ts';
import { WORDS_PER_DOUBLE } from './eventDoubles.ts';
import type { FeatureLimits } from './featureState.ts';
import { MAX_HEAD_BYTES } from './limits.ts';
import { REFUND_WORDS } from './refundWords.ts';
import type { ReservoirOptions } from './reservoir.ts';

/**
 * How a catalogue is computed: what each key's row holds, and what happens to it when an event crosses an *edge*.
 *
 * An edge is an age: an event crosses it when the engine's time reaches its own time plus that age. A window of length
 * w and delay d is entered at the edge d and left at the edge d + w. Features that share (entity, window, delay, where)
 * share their parts.
 */
export interface FeaturePlan {
  readonly columns: readonly ColumnPlan[];
  readonly predicates: readonly PredicatePlan[];
  /** Bits an event needs: bit 0 is always set, then each predicate's. */
  readonly bitCount: number;
  /** By rising age. */
  readonly edgeAgesMs: readonly number[];
  readonly sums: readonly SumPart[];
  /** Sums of what is left of amounts after refunds and reversals. */
  readonly netSums: readonly SumPart[];
  readonly recencies: readonly RecencyPart[];
  readonly candidates: readonly CandidatePart[];
  readonly distincts: readonly DistinctPart[];
  readonly pairs: readonly PairsPlan[];
  readonly shares: readonly SharePart[];
  readonly hours: readonly HourPart[];
  readonly newest: readonly NewestPart[];
  /** Fields whose numbers events keep, beside the amount. */
  readonly doubles: readonly string[];
  readonly reads: readonly ReadPlan[];
  /** What predicates and net sums together read of what becomes known of events. */
  readonly facts: FactsRead;
  /** By FactTable and an event's state, which of a predicate's bits counts. */
  readonly factBits: Uint8Array;
}

/** One key of an event: an entity, a tuple of them, or a field that only distinct counts. */
export interface ColumnPlan {
  readonly fields: readonly string[];
  /** For a tuple: the columns of its fields, which come before it and are kept at least as long. */
  readonly members: readonly number[];
  /** Age at which an event stops counting for any of the key's windows. */
  retentionMs: number;
  /** Doubles in a key's row; the first is the number of events held. */
  rowLength: number;
}

/** A `where`. It has a bit for each combination of the facts that it reads: firstBit + factBits[factTable + state] counts. */
export interface PredicatePlan {
  readonly where: CompiledWhere | null;
  readonly firstBit: number;
  /** Where its table begins in the plan's factBits; 0 when it reads no facts. */
  readonly factTable: number;
  /** The facts that each bit stands for. */
  readonly combinations: readonly KnownFacts[];
}

/** What a key's row holds for a window. Positions in the row (`at`, `…At`) are set when it is arranged (rowLayout.ts). */
export interface WindowPart {
  readonly column: number;
  readonly predicate: number;
  readonly enterAgeMs: number;
  readonly leaveAgeMs: number;
}

/** Additive aggregates of one window; a position of 0 means that nothing reads it. */
export interface SumPart extends WindowPart {
  countAt: number;
  /** Two lanes. */
  sumAt: number;
  /** Three lanes. */
  squaresAt: number;
}

/** Time of the newest event of windows, all entered at one age, that no fact can change. */
export interface RecencyPart extends WindowPart {
  at: number;
}

/** Of windows all entered at one age. */
export interface CandidatePart extends WindowPart {
  /** Of the longest of the windows. */
  leaveAgeMs: number;
  at: number;
  /** How many candidates the row itself holds. */
  room: number;
  /** 1 keeps greatest amounts, -1 least; 0: only times matter. */
  readonly sign: number;
  /** What becomes known may take an event out again, so none is pruned. */
  readonly isWhole: boolean;
  /** For first, which of its numbers an event adds (EventDoubles); null for the amount of min and max. */
  readonly number: number | null;
}

export interface DistinctPart extends WindowPart {
  readonly pairs: PairsPlan;
  /** Its place among the windows of these pairs. */
  readonly window: number;
  at: number;
}

/** How often the most common value stands in one window. */
export interface SharePart extends WindowPart {
  readonly valueColumn: number;
  /** Its place among the plan's shares. */
  readonly index: number;
  at: number;
}

/** The events of one window by hour of the day. */
export interface HourPart extends WindowPart {
  at: number;
}

/** [time, number, number] of the newest event of windows, all entered at one age. */
export interface NewestPart extends WindowPart {
  at: number;
  /** Places in `doubles`, or AMOUNT_ITSELF; the second may be NO_NUMBER. */
  readonly first: number;
  readonly second: number;
}

/** Pairs of a key and a value, counted in several windows. */
export interface PairsPlan {
  readonly index: number;
  readonly column: number;
  readonly valueColumn: number;
  /** By window. */
  readonly leaveAgesMs: number[];
}

/** Where a feature's value is found. */
export type ReadPlan = {
  readonly column: number;
  readonly includeCurrent: boolean;
  readonly whenEmpty: number;
  readonly leaveAgeMs: number;
} & (
  | { readonly kind: 'count' | 'sum' | 'avg' | 'std' | 'zScore' | 'seen'; readonly part: SumPart }
  | { readonly kind: 'rate'; readonly part: SumPart; readonly all: SumPart }
  | { readonly kind: 'recency'; readonly part: RecencyPart }
  | { readonly kind: 'extreme' | 'newestCandidate' | 'oldest'; readonly part: CandidatePart }
  | { readonly kind: 'distinct'; readonly part: DistinctPart }
  | { readonly kind: 'newest' | 'geoVelocity'; readonly part: NewestPart }
  | { readonly kind: 'topShare'; readonly part: SharePart }
  | { readonly kind: 'hourDeviation'; readonly part: HourPart; readonly all: SumPart }
  | { readonly kind: 'expression'; readonly feature: Extract<CompiledFeature, { kind: 'expression' }> }
);

/** Words of an event's bits. */
export function bitWordsOf({ bitCount }: FeaturePlan): number {
  return (bitCount + 31) >>> 5;
}

/** Where an event's words have its numbers, after its key slots and bits; */
export function doublesFromOf(plan: FeaturePlan): number {
  return plan.columns.length + bitWordsOf(plan);
}

/** and where they have what was refunded of it, if anything asks. */
export function refundsFromOf(plan: FeaturePlan): number {
  return doublesFromOf(plan) + WORDS_PER_DOUBLE * plan.doubles.length;
}

/** Events of the head, at most. */
export function headLimitOf(plan: FeaturePlan, limits: FeatureLimits): number {
  const eventBytes = EventBlock.byteLength(1, reservoirOptionsOf(plan, limits).wordCount);
  return Math.min(limits.maxHeadEvents, Math.floor(MAX_HEAD_BYTES / eventBytes));
}

/** The reservoir that a plan's windows need. */
export function reservoirOptionsOf(plan: FeaturePlan, limits: FeatureLimits): ReservoirOptions {
  const hasRefunds = plan.netSums.length > 0;
  return {
    ...limits,
    wordCount: refundsFromOf(plan) + (hasRefunds ? REFUND_WORDS : 0),
    cursorCount: plan.edgeAgesMs.length,
    hasOffsetIndex: readsAny(plan.facts),
    hasRefunds,
  };
}
