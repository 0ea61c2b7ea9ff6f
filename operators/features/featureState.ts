import type { Label, Transaction } from '../../schemas/types.ts';
import type { FeatureCatalogue } from './catalogue.ts';

/**
 * All windows of all entities. The engine's time is the greatest event time seen; a window of length w and delay d
 * covers (time - d - w, time - d], and holds every event seen so far whose own time is inside it.
 */
export interface FeatureState {
  readonly catalogue: FeatureCatalogue;
  /** The engine's time, epoch milliseconds. */
  readonly timeMs: number;
  /** Live keys over all entities. */
  readonly keyCount: number;
  /** Moves time on (a tick). A time in the past changes nothing. */
  advanceTime(timeMs: number): void;
  /**
   * Adds a payment and writes its features, in the catalogue's order, to out[outBase...]. Returns whether it came later
   * than the lateness bound (it then counts at time - bound).
   */
  addTransaction(tx: Transaction, ledgerOffset: number, out: Float64Array, outBase: number): boolean;
  /** Applies a label to its payment, wherever the payment's windows now stand. Unknown offsets are counted and ignored. */
  addLabel(label: Label): void;
}
