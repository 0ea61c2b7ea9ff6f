import type { Candidates } from './candidates.ts';
import type { EventDoubles } from './eventDoubles.ts';
import { BOUNDARY, ENGINE_TIME, TIME, VALUE } from './eventNumbers.ts';

export interface OldestSteps {
  readonly oldest: Int32Array;
  /** By step, the age at which an event leaves its window. */
  readonly oldestAgesMs: Float64Array;
}

/** Integers of one step: predicate, row position and which number. */
const OLDEST_STEP = 3;

/**
 * Runs a group's steps on a key's row. Each window keeps the numbers of all its events in a list, since any of them may
 * become the oldest. Adding one at its place in time takes a step for each later one, so more than one for late events
 * only; every event is dropped once. The words of the event's numbers start at `doublesAt`.
 */
export function runOldest(
  { oldest: steps, oldestAgesMs }: OldestSteps,
  candidates: Candidates,
  row: Float64Array,
  base: number,
  holds: Uint8Array,
  words: Int32Array,
  doublesAt: number,
  event: Float64Array,
  doubles: EventDoubles,
): void {
  for (let step = 0, index = 0; step < steps.length; step += OLDEST_STEP, index++) {
    if (holds[steps[step]!] === 0) continue;
    const at = base + steps[step + 1]!;
    event[BOUNDARY] = event[ENGINE_TIME]! - oldestAgesMs[index]!;
    candidates.expire(row, at, event);
    // Time may have jumped over the whole window.
    if (event[TIME]! <= event[BOUNDARY]) continue;
    if (!doubles.take(0, steps[step + 2]!, words, doublesAt, event)) continue;
    event[VALUE] = doubles.taken[0]!;
    candidates.addWhole(row, at, event);
  }
}

/** Writes the oldest event's number; false when the window has none. */
export function writeOldest(
  candidates: Candidates,
  row: Float64Array,
  at: number,
  leaveAgeMs: number,
  event: Float64Array,
  out: Float64Array,
  outAt: number,
): boolean {
  event[BOUNDARY] = event[ENGINE_TIME]! - leaveAgeMs;
  candidates.expire(row, at, event);
  const oldest = candidates.oldest(row, at);
  if (oldest === 0) return false;
  out[outAt] = candidates.page(oldest)[candidates.valueOffset(oldest)]!;
  return true;
}
