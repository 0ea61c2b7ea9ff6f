import { NO_NUMBER, type EventDoubles } from './eventDoubles.ts';
import { ENGINE_TIME, OWN_TIME, TIME } from './eventNumbers.ts';
import { writeGeoVelocity } from './geoVelocity.ts';

/** Integers of one step: predicate, row position, and which numbers (the second may be none). */
const NEWEST_STEP = 4;

/**
 * Runs a group's steps on a key's row, which keeps [time, number, number] of the newest event that has the numbers. Windows
 * that differ only in length share it: when the newest has left one, so have all others. Of events at one time the last
 * in the ledger is the newest, for they cross an edge in that order. The words of the event's numbers start at `doublesAt`.
 */
export function runNewest(
  steps: Int32Array,
  row: Float64Array,
  base: number,
  holds: Uint8Array,
  words: Int32Array,
  doublesAt: number,
  event: Float64Array,
  doubles: EventDoubles,
): void {
  for (let step = 0; step < steps.length; step += NEWEST_STEP) {
    const at = base + steps[step + 1]!;
    if (holds[steps[step]!] === 0 || event[TIME]! < row[at]!) continue;
    if (!doubles.take(0, steps[step + 2]!, words, doublesAt, event)) continue;
    const second = steps[step + 3]!;
    if (second !== NO_NUMBER) {
      if (!doubles.take(1, second, words, doublesAt, event)) continue;
      row[at + 2] = doubles.taken[1]!;
    }
    row[at] = event[TIME]!;
    row[at + 1] = doubles.taken[0]!;
  }
}

/** Writes the newest event's number; false when it has left the window. */
export function writeNewest(
  row: Float64Array,
  at: number,
  leaveAgeMs: number,
  event: Float64Array,
  out: Float64Array,
  outAt: number,
): boolean {
  if (row[at]! <= Math.max(0, event[ENGINE_TIME]! - leaveAgeMs)) return false;
  out[outAt] = row[at + 1]!;
  return true;
}

/**
 * Writes the speed from the newest event's place to the current payment's, whose latitude is its `latitude`th number and
 * whose longitude is the next: NaN when it has none. False when no event with a place is in the window.
 */
export function writeSpeed(
  row: Float64Array,
  at: number,
  leaveAgeMs: number,
  latitude: number,
  event: Float64Array,
  doubles: EventDoubles,
  out: Float64Array,
  outAt: number,
): boolean {
  const { current } = doubles;
  if (Number.isNaN(current[latitude]) || Number.isNaN(current[latitude + 1])) {
    out[outAt] = Number.NaN;
    return true;
  }
  const newestMs = row[at]!;
  if (newestMs <= Math.max(0, event[ENGINE_TIME]! - leaveAgeMs)) return false;
  const betweenMs = event[OWN_TIME]! - newestMs;
  writeGeoVelocity(row[at + 1]!, row[at + 2]!, current[latitude]!, current[latitude + 1]!, betweenMs, out, outAt);
  return true;
}
