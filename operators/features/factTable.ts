import { LABELS, NOTHING_KNOWN, OUTCOMES, readsAny, type FactsRead, type KnownFacts } from '../cel/facts.ts';

/**
 * What is known of an event is one byte in the reservoir: label + 3 * reversed + 6 * outcome, each by its place in LABELS and
 * OUTCOMES. A further outcome at the end of OUTCOMES leaves the bytes of events held as they are.
 */
const REVERSED_STEP = LABELS.length;
const OUTCOME_STEP = REVERSED_STEP * 2;
export const FACT_STATES = OUTCOME_STEP * OUTCOMES.length;

export function withLabel(state: number, label: KnownFacts['label']): number {
  return state - (state % REVERSED_STEP) + LABELS.indexOf(label);
}

export function withOutcome(state: number, outcome: KnownFacts['outcome']): number {
  return (state % OUTCOME_STEP) + OUTCOME_STEP * OUTCOMES.indexOf(outcome);
}

export function withReversal(state: number): number {
  return isReversed(state) ? state : state + REVERSED_STEP;
}

export function isReversed(state: number): boolean {
  return state % OUTCOME_STEP >= REVERSED_STEP;
}

function factsOf(state: number): KnownFacts {
  return {
    label: LABELS[state % REVERSED_STEP]!,
    reversed: isReversed(state),
    outcome: OUTCOMES[Math.floor(state / OUTCOME_STEP)]!,
  };
}

/** Which of a predicate's bits counts: one for each combination of the facts that it reads. */
export interface FactTable {
  /** Facts that stand for a combination, in the order of the bits. */
  readonly combinations: readonly KnownFacts[];
  /** By an event's state: which bit. */
  readonly bits: Uint8Array;
}

export function factTable(read: FactsRead): FactTable {
  const combinations: KnownFacts[] = [];
  const numbers = new Map<string, number>();
  const bits = Uint8Array.from({ length: FACT_STATES }, (_, state) => {
    const facts = asRead(factsOf(state), read);
    const id = JSON.stringify(facts);
    const bit = numbers.get(id) ?? combinations.push(facts) - 1;
    numbers.set(id, bit);
    return bit;
  });
  return { combinations, bits };
}

/** All that some reader tells apart. */
export function allRead(reads: readonly FactsRead[]): FactsRead {
  return {
    label: reads.some(({ label }) => label),
    reversed: reads.some(({ reversed }) => reversed),
    outcomes: OUTCOMES.filter((outcome) => reads.some(({ outcomes }) => outcomes.includes(outcome))),
  };
}

/** The first of the outcomes that are all alike to the reader, or the outcome itself. */
export function outcomeAsRead(outcome: KnownFacts['outcome'], { outcomes }: FactsRead): KnownFacts['outcome'] {
  if (outcomes.includes(outcome)) return outcome;
  return OUTCOMES.find((candidate) => !outcomes.includes(candidate)) ?? outcome;
}

/** The facts with all that the reader does not tell apart made alike. */
function asRead(facts: KnownFacts, read: FactsRead): KnownFacts {
  if (!readsAny(read)) return NOTHING_KNOWN;
  return {
    label: read.label ? facts.label : 'none',
    reversed: read.reversed && facts.reversed,
    outcome: outcomeAsRead(facts.outcome, read),
  };
}
