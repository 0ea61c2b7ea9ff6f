import type { Label, Outcome, Transaction } from '../../schemas/types.ts';
import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { correctEvent, type CorrectedState } from './corrections.ts';
import { AMOUNT, TIME } from './eventNumbers.ts';
import { outcomeAsRead, withLabel, withOutcome, withReversal } from './factTable.ts';
import type { FeatureStatistics } from './featureState.ts';
import { applyToNets, splitNet } from './netSums.ts';
import type { Reservoir } from './reservoir.ts';
import type { WindowEdges } from './windowEdges.ts';

/**
 * What becomes known of payments after they came: kept with their events, and the windows that hold them by then are corrected.
 * Without features that read a kind of fact that kind changes nothing.
 */
export class LearntFacts implements SavedState {
  readonly #state: CorrectedState;
  readonly #reservoir: Reservoir;
  readonly #edges: WindowEdges;
  #unknownLabels = 0;
  #unknownOutcomes = 0;
  #unknownReversals = 0;
  #dropped = 0;

  constructor(state: CorrectedState, reservoir: Reservoir, edges: WindowEdges) {
    this.#state = state;
    this.#reservoir = reservoir;
    this.#edges = edges;
  }

  get statistics(): Pick<FeatureStatistics, 'unknownLabels' | 'unknownOutcomes' | 'unknownReversals' | 'droppedFacts'> {
    return {
      unknownLabels: this.#unknownLabels,
      unknownOutcomes: this.#unknownOutcomes,
      unknownReversals: this.#unknownReversals,
      droppedFacts: this.#dropped,
    };
  }

  addLabel({ transactionOffset, label }: Label): void {
    if (!this.#state.plan.facts.label) return;
    if (this.#findHeld(transactionOffset)) this.#learn(withLabel(this.#foundFacts, label));
    else this.#unknownLabels += 1;
  }

  addOutcome({ transactionOffset, outcome }: Outcome): void {
    const { facts } = this.#state.plan;
    if (facts.outcomes.length === 0) return;
    // What no feature tells apart is kept alike, so that it takes no room when it comes late.
    const read = outcomeAsRead(outcome, facts);
    if (this.#findHeld(transactionOffset)) this.#learn(withOutcome(this.#foundFacts, read));
    else this.#unknownOutcomes += 1;
  }

  addReversal({ type, amountMinor }: Transaction, originalOffset: number): void {
    if (!this.#state.plan.facts.reversed || (type !== 'reversal' && type !== 'refund')) return;
    if (!this.#findHeld(originalOffset)) {
      this.#unknownReversals += 1;
      return;
    }
    const { foundBlock, foundIndex } = this.#reservoir;
    const whole = foundBlock.amountMinor(foundIndex);
    if (type === 'reversal' || amountMinor >= whole) this.#learn(withReversal(this.#foundFacts));
    else this.#learn(this.#foundFacts, Math.min(whole, this.#reservoir.foundRefunded + amountMinor));
  }

  save(output: StateOutput): void {
    output.number(this.#unknownLabels);
    output.number(this.#unknownOutcomes);
    output.number(this.#unknownReversals);
    output.number(this.#dropped);
  }

  load(input: StateInput): void {
    this.#unknownLabels = input.number();
    this.#unknownOutcomes = input.number();
    this.#unknownReversals = input.number();
    this.#dropped = input.number();
  }

  /** Finds a payment that some window may still hold. Without features that read facts no offsets are kept. */
  #findHeld(ledgerOffset: number | null): boolean {
    const reservoir = this.#reservoir;
    if (ledgerOffset === null || !reservoir.find(ledgerOffset, this.#edges.oldestPosition)) return false;
    this.#state.event[TIME] = reservoir.foundBlock.timeMs(reservoir.foundIndex);
    return !this.#edges.isPastAll;
  }

  /** What is known of the event found. */
  get #foundFacts(): number {
    const { foundBlock, foundIndex } = this.#reservoir;
    return foundBlock.facts[foundIndex]!;
  }

  /** Sets what is known of the event found, and moves it between the conditions of the windows that it is in. */
  #learn(after: number, refunded = this.#reservoir.foundRefunded): void {
    const state = this.#state;
    const { event } = state;
    const reservoir = this.#reservoir;
    const hasNets = state.plan.netSums.length > 0;
    const before = this.#foundFacts;
    const refundedBefore = reservoir.foundRefunded;
    if (before === after && (refundedBefore === refunded || !hasNets)) return;
    const { foundBlock, foundIndex } = reservoir;
    const at = foundIndex * reservoir.wordCount;
    this.#edges.settleEvent(foundBlock.words, at);
    if (!reservoir.setFoundFacts(after, refunded)) {
      this.#dropped += 1;
      return;
    }
    event[TIME] = foundBlock.timeMs(foundIndex);
    event[AMOUNT] = foundBlock.amountMinor(foundIndex);
    correctEvent(state, foundBlock.words, at, before, after);
    if (!hasNets) return;
    splitNet(event, refundedBefore, before);
    applyToNets(state, foundBlock.words, at, before, -1);
    splitNet(event, refunded, after);
    applyToNets(state, foundBlock.words, at, after, 1);
  }
}
