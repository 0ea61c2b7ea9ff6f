import { OWN_TIME, TIME } from './eventNumbers.ts';

/**
 * At which hours of the day (UTC) a key's events are: 24 counts in 12 doubles, two to a double, the odd hour's 2^26 times over the
 * even one's. Counts are exact up to 2^26 (67 million) events in a window, as sums are.
 */
export const HOUR_FIELDS = 12;

const HOUR_MS = 3_600_000;
const HOURS = 24;
const ODD_HOUR = 67_108_864;

/** Integers of one step: predicate, sign and row position. */
const HOUR_STEP = 3;

/** Runs a group's steps on a key's row; `holds` has 1 for each predicate that holds. */
export function runHours(
  steps: Int32Array,
  row: Float64Array,
  base: number,
  holds: Uint8Array,
  event: Float64Array,
): void {
  for (let step = 0; step < steps.length; step += HOUR_STEP)
    if (holds[steps[step]!] !== 0) countHour(row, base + steps[step + 2]!, steps[step + 1]!, event);
}

/** Counts an event in (sign 1) or out (-1). */
export function countHour(row: Float64Array, at: number, sign: number, event: Float64Array): void {
  const hour = hourOf(event[TIME]!);
  row[at + (hour >>> 1)]! += (hour & 1) === 0 ? sign : sign * ODD_HOUR;
}

/**
 * Writes how unusual the hour of the payment's own time is for a key with n events, m of them in that hour or one beside it: the share
 * of events away from it, with one more event spread evenly over the day, seven eighths of it away:
 *
 *   (n - m + 7/8) / (n + 1) = (8 (n - m) + 7) / (8 (n + 1))
 *
 * So it is 7/8 where nothing is known, nears 0 for a key that always pays at that hour and 1 for one that never does,
 * and a few events say less than many (Laplace's rule of succession). An hour beside counts as near since habits do not
 * end with the hour; it is one rounding away from exact. False when there are no events.
 */
export function writeHourDeviation(
  event: Float64Array,
  row: Float64Array,
  countsAt: number,
  at: number,
  out: Float64Array,
  outAt: number,
): boolean {
  const events = row[countsAt]!;
  if (events === 0) return false;
  const hour = hourOf(event[OWN_TIME]!);
  const near =
    countAt(row, at, (hour + HOURS - 1) % HOURS) + countAt(row, at, hour) + countAt(row, at, (hour + 1) % HOURS);
  out[outAt] = (8 * (events - near) + 7) / (8 * (events + 1));
  return true;
}

function countAt(row: Float64Array, at: number, hour: number): number {
  const both = row[at + (hour >>> 1)]!;
  const odd = Math.floor(both / ODD_HOUR);
  return (hour & 1) === 0 ? both - odd * ODD_HOUR : odd;
}

function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) % HOURS;
}
