import type { CrossedState } from './edgeCrossing.ts';
import { correctCandidates, correctSums } from './edgeProgram.ts';
import { hasBit } from './eventBits.ts';
import { ENGINE_TIME, TIME } from './eventNumbers.ts';
import { splitAmount, splitSquare } from './exactSums.ts';
import { countHour } from './hourProfile.ts';
import type { KeyTable } from './keyTable.ts';
import type { WindowPart } from './plan.ts';

/** The aggregates that an event's correction reaches. */
export interface CorrectedState extends CrossedState {
  readonly tables: readonly KeyTable[];
}

/**
 * Moves an event between the windows' conditions when what is known of it changes from `before` to `after`: only in windows that it is
 * in at the engine's time. The event's words start at `at`; its numbers are in `event`.
 */
export function correctEvent(
  { plan, tables, candidates, pairs, shares, event }: CorrectedState,
  words: Int32Array,
  at: number,
  before: number,
  after: number,
): void {
  const bitsAt = at + tables.length;
  const correct = <Part extends WindowPart>(
    parts: readonly Part[],
    apply: (part: Part, sign: number, slot: number, row: Float64Array, base: number) => void,
  ): void => {
    for (const part of parts) {
      const { firstBit, factTable } = plan.predicates[part.predicate]!;
      const slot = words[at + part.column]!;
      if (factTable === 0 || slot < 0 || !isInWindow(part, event)) continue;
      const bitAfter = firstBit + plan.factBits[factTable + after]!;
      const bitBefore = firstBit + plan.factBits[factTable + before]!;
      const sign = Number(hasBit(words, bitsAt, bitAfter)) - Number(hasBit(words, bitsAt, bitBefore));
      if (sign === 0) continue;
      const table = tables[part.column]!;
      apply(part, sign, slot, table.segment(slot), table.rowBase(slot));
    }
  };
  splitAmount(event);
  splitSquare(event);
  correct(plan.sums, (part, sign, _slot, row, base) => {
    correctSums(row, base, sign, part, event);
  });
  correct(plan.candidates, (part, sign, _slot, row, base) => {
    correctCandidates(candidates, part, sign, row, base + part.at, event);
  });
  correct(plan.distincts, (part, sign, slot, row, base) => {
    const value = words[at + part.pairs.valueColumn]!;
    if (value >= 0) pairs[part.pairs.index]!.count(slot, value, sign, part.window, row, base + part.at, event);
  });
  correct(plan.shares, (part, sign, slot, row, base) => {
    const value = words[at + part.valueColumn]!;
    if (value >= 0) shares[part.index]!.count(slot, value, sign, row, base + part.at);
  });
  correct(plan.hours, (part, sign, _slot, row, base) => {
    countHour(row, base + part.at, sign, event);
  });
}

/** Whether the event is in the window at the engine's time. */
export function isInWindow({ enterAgeMs, leaveAgeMs }: WindowPart, event: Float64Array): boolean {
  const ageMs = event[ENGINE_TIME]! - event[TIME]!;
  return ageMs >= enterAgeMs && ageMs < leaveAgeMs;
}
