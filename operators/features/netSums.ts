import { isInWindow, type CorrectedState } from './corrections.ts';
import { hasBit } from './eventBits.ts';
import { AMOUNT, NET_LANES } from './eventNumbers.ts';
import { isReversed } from './factTable.ts';

/** Integers of one net step: predicate, sign, and the row positions of count and sum. */
const NET_STEP = 4;
/** How far apart the lanes are. */
const LANE_20 = 1_048_576;

/** Splits what is left of the event's amount into the two lanes of an exact sum (kernel/assembly/lanes.ts). */
export function splitNet(event: Float64Array, refunded: number, facts: number): void {
  const netMinor = isReversed(facts) ? 0 : event[AMOUNT]! - refunded;
  const high = Math.floor(netMinor * (1 / LANE_20));
  event[NET_LANES] = netMinor - high * LANE_20;
  event[NET_LANES + 1] = high;
}

/** Runs a group's net steps on a key's row; `holds` has 1 for each predicate that holds. */
export function runNets(
  steps: Int32Array,
  row: Float64Array,
  base: number,
  holds: Uint8Array,
  event: Float64Array,
): void {
  for (let step = 0; step < steps.length; step += NET_STEP) {
    if (holds[steps[step]!] === 0) continue;
    const sign = steps[step + 1]!;
    row[base + steps[step + 2]!]! += sign;
    addNet(row, base + steps[step + 3]!, sign, event);
  }
}

/**
 * Adds an event, of which this is known and whose net amount is split, to the net sums of the windows that it is in at the
 * engine's time (sign 1), or takes it off (-1). Its words start at `at`.
 */
export function applyToNets(
  { plan, tables, event }: CorrectedState,
  words: Int32Array,
  at: number,
  facts: number,
  sign: number,
): void {
  const bitsAt = at + tables.length;
  for (const part of plan.netSums) {
    const { column, predicate, countAt, sumAt } = part;
    const slot = words[at + column]!;
    if (slot < 0 || !isInWindow(part, event)) continue;
    const { firstBit, factTable } = plan.predicates[predicate]!;
    if (!hasBit(words, bitsAt, firstBit + plan.factBits[factTable + facts]!)) continue;
    const { kernel } = tables[column]!;
    const row = kernel.doubles;
    const base = kernel.rowBase(slot);
    row[base + countAt]! += sign;
    addNet(row, base + sumAt, sign, event);
  }
}

function addNet(row: Float64Array, at: number, sign: number, event: Float64Array): void {
  row[at]! += sign * event[NET_LANES]!;
  row[at + 1]! += sign * event[NET_LANES + 1]!;
}
