import type { CrossedState } from './edgeCrossing.ts';
import { hasBit } from './eventBits.ts';
import { AMOUNT, ENGINE_TIME, TIME } from './eventNumbers.ts';
import { countHour } from './hourProfile.ts';
import type { ColumnKernel } from './kernel/columnKernel.ts';
import { byteOffset } from './kernel/programWords.ts';
import type { KeyTable } from './keyTable.ts';
import type { PairCounts } from './pairCounts.ts';
import type { WindowPart } from './plan.ts';

/** The aggregates that an event's correction reaches. */
export interface CorrectedState extends CrossedState {
  readonly tables: readonly KeyTable[];
  readonly pairs: readonly PairCounts[];
}

/**
 * Moves an event between the windows' conditions when what is known of it changes from `before` to `after`: only in windows that it is
 * in at the engine's time. The event's words start at `at`; its numbers are in `event`.
 */
export function correctEvent(
  { plan, tables, pairs, shares, event }: CorrectedState,
  words: Int32Array,
  at: number,
  before: number,
  after: number,
): void {
  const bitsAt = at + tables.length;
  const correct = <Part extends WindowPart>(
    parts: readonly Part[],
    apply: (part: Part, sign: number, slot: number, kernel: ColumnKernel) => void,
  ): void => {
    for (const part of parts) {
      const { firstBit, factTable } = plan.predicates[part.predicate]!;
      const slot = words[at + part.column]!;
      if (factTable === 0 || slot < 0 || !isInWindow(part, event)) continue;
      const bitAfter = firstBit + plan.factBits[factTable + after]!;
      const bitBefore = firstBit + plan.factBits[factTable + before]!;
      const sign = Number(hasBit(words, bitsAt, bitAfter)) - Number(hasBit(words, bitsAt, bitBefore));
      if (sign === 0) continue;
      apply(part, sign, slot, tables[part.column]!.kernel);
    }
  };
  const amountMinor = event[AMOUNT]!;
  correct(plan.sums, ({ countAt, sumAt, squaresAt }, sign, slot, { calls }) => {
    calls.correctSums(slot, sign, byteOffset(countAt), byteOffset(sumAt), byteOffset(squaresAt), amountMinor);
  });
  correct(plan.candidates, (part, sign, slot, kernel) => {
    const list = kernel.rowAddress(slot) + byteOffset(part.at);
    // Facts change whole lists only; in one without a sign only times matter.
    const value = part.sign === 0 ? 0 : amountMinor;
    if (sign > 0) kernel.calls.addWhole(list, event[TIME]!, value);
    else kernel.calls.removeWhole(list, event[TIME]!, value);
  });
  correct(plan.distincts, (part, sign, slot) => {
    const value = words[at + part.pairs.valueColumn]!;
    if (value >= 0) pairs[part.pairs.index]!.count(slot, value, sign, part.window, part.at);
  });
  correct(plan.shares, (part, sign, slot, kernel) => {
    const value = words[at + part.valueColumn]!;
    if (value >= 0) shares[part.index]!.count(slot, value, sign, kernel.doubles, kernel.rowBase(slot) + part.at);
  });
  correct(plan.hours, (part, sign, slot, kernel) => {
    countHour(kernel.doubles, kernel.rowBase(slot) + part.at, sign, event);
  });
}

/** Whether the event is in the window at the engine's time. */
export function isInWindow({ enterAgeMs, leaveAgeMs }: WindowPart, event: Float64Array): boolean {
  const ageMs = event[ENGINE_TIME]! - event[TIME]!;
  return ageMs >= enterAgeMs && ageMs < leaveAgeMs;
}
