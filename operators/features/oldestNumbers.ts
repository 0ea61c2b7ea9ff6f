import type { EventDoubles } from './eventDoubles.ts';
import { ENGINE_TIME, TIME } from './eventNumbers.ts';
import type { ColumnKernel } from './kernel/columnKernel.ts';
import { byteOffset } from './kernel/programWords.ts';

export interface OldestSteps {
  readonly oldest: Int32Array;
  /** By step, the age at which an event leaves its window. */
  readonly oldestAgesMs: Float64Array;
}

/** Whole lists have none in the row. */
const NO_ROOM = 0;
/** Integers of one step: predicate, row position and which number. */
const OLDEST_STEP = 3;

/**
 * Runs a group's steps on a key's row. Each window keeps the numbers of all its events in a list, since any of them may
 * become the oldest. Adding one at its place in time takes a step for each later one, so more than one for late events
 * only; every event is dropped once. The words of the event's numbers start at `doublesAt`.
 */
export function runOldest(
  { oldest: steps, oldestAgesMs }: OldestSteps,
  { calls }: ColumnKernel,
  base: number,
  holds: Uint8Array,
  words: Int32Array,
  doublesAt: number,
  event: Float64Array,
  doubles: EventDoubles,
): void {
  for (let step = 0, index = 0; step < steps.length; step += OLDEST_STEP, index++) {
    if (holds[steps[step]!] === 0) continue;
    const list = byteOffset(base + steps[step + 1]!);
    const boundaryMs = event[ENGINE_TIME]! - oldestAgesMs[index]!;
    calls.expire(list, NO_ROOM, boundaryMs);
    // Time may have jumped over the whole window.
    if (event[TIME]! <= boundaryMs) continue;
    if (doubles.take(0, steps[step + 2]!, words, doublesAt, event))
      calls.addWhole(list, event[TIME]!, doubles.taken[0]!);
  }
}

/** Writes the oldest event's number; false when the window has none. */
export function writeOldest(
  { calls, doubles }: ColumnKernel,
  at: number,
  leaveAgeMs: number,
  event: Float64Array,
  out: Float64Array,
  outAt: number,
): boolean {
  const list = byteOffset(at);
  calls.expire(list, NO_ROOM, event[ENGINE_TIME]! - leaveAgeMs);
  const oldest = calls.oldestOf(list);
  if (oldest === 0) return false;
  out[outAt] = doubles[oldest >>> 3]!;
  return true;
}
