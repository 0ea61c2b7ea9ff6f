import type { CrossedState } from './edgeCrossing.ts';
import { correctCandidates, correctSums } from './edgeProgram.ts';
import { hasBit } from './eventBits.ts';
import { ENGINE_TIME, TIME } from './eventNumbers.ts';
import { splitAmount, splitSquare } from './exactSums.ts';
import { countHour } from './hourProfile.ts';
import type { KeyTable } from './keyTable.ts';

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
  const timeMs = event[TIME]!;
  const engineTimeMs = event[ENGINE_TIME]!;
  const change = (part: { predicate: number; column: number; enterAgeMs: number; leaveAgeMs: number }): number => {
    const { firstBit, factTable } = plan.predicates[part.predicate]!;
    if (factTable === 0 || words[at + part.column]! < 0) return 0;
    if (timeMs > engineTimeMs - part.enterAgeMs || timeMs <= engineTimeMs - part.leaveAgeMs) return 0;
    const bitAfter = firstBit + plan.factBits[factTable + after]!;
    const bitBefore = firstBit + plan.factBits[factTable + before]!;
    return Number(hasBit(words, bitsAt, bitAfter)) - Number(hasBit(words, bitsAt, bitBefore));
  };
  splitAmount(event);
  splitSquare(event);
  for (const part of plan.sums) {
    const sign = change(part);
    if (sign === 0) continue;
    const slot = words[at + part.column]!;
    const table = tables[part.column]!;
    correctSums(table.segment(slot), table.rowBase(slot), sign, part, event);
  }
  for (const part of plan.candidates) {
    const sign = change(part);
    if (sign === 0) continue;
    const slot = words[at + part.column]!;
    const table = tables[part.column]!;
    const listAt = table.rowBase(slot) + part.at;
    correctCandidates(candidates, part, sign, table.segment(slot), listAt, event);
  }
  for (const part of plan.distincts) {
    const sign = change(part);
    const value = words[at + part.pairs.valueColumn]!;
    if (sign === 0 || value < 0) continue;
    const slot = words[at + part.column]!;
    const table = tables[part.column]!;
    const countAt = table.rowBase(slot) + part.at;
    pairs[part.pairs.index]!.count(slot, value, sign, part.window, table.segment(slot), countAt);
  }
  for (const part of plan.shares) {
    const sign = change(part);
    const value = words[at + part.valueColumn]!;
    if (sign === 0 || value < 0) continue;
    const slot = words[at + part.column]!;
    const table = tables[part.column]!;
    shares[part.index]!.count(slot, value, sign, table.segment(slot), table.rowBase(slot) + part.at);
  }
  for (const part of plan.hours) {
    const sign = change(part);
    if (sign === 0) continue;
    const slot = words[at + part.column]!;
    const table = tables[part.column]!;
    countHour(table.segment(slot), table.rowBase(slot) + part.at, sign, event);
  }
}
