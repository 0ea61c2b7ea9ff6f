/** Bounds of the feature state. Passing one is counted (FeatureStatistics), never silent. */

const DAY_MS = 86_400_000;

export const MAX_FEATURES = 1_024;
export const MAX_FEATURE_NAME_LENGTH = 64;
export const MIN_WINDOW_MS = 1_000;
export const MAX_WINDOW_MS = 90 * DAY_MS;
export const MAX_DELAY_MS = 90 * DAY_MS;
export const MAX_LATENESS_MS = DAY_MS;
/** Greatest amount a transaction may carry (schemas/): the exact sums are built for it. */
export const MAX_AMOUNT_MINOR = 1e12;
/** Live keys of one entity or entity tuple. */
export const MAX_KEYS_PER_ENTITY = 16_000_000;
/**
 * An entity's keys with their rows (kernel/assembly/rows.ts): what 32-bit addresses reach, less 256 MiB that new keys leave to the counted values
 * and candidates of those that are there. Further keys are refused.
 */
export const MAX_KEY_BYTES_PER_ENTITY = 4_294_967_296 - 268_435_456;
/**
 * Different values that one key's distinct count holds one by one; beyond, it is estimated from a sample of so many. A top share does not
 * take in further values until others have left.
 */
export const MAX_DISTINCT_PER_KEY = 4_096;
/** Samples of one entity and field, one for each key and window with more values, 64 KiB each. */
export const MAX_DISTINCT_SAMPLES = 16_384;
/**
 * Candidates that one key's min, max or first holds, or its timeSince where facts may change it; a further one takes the newest
 * one's place, so first is exact until all that are older have left.
 */
export const MAX_CANDIDATES_PER_KEY = 4_096;
/** Latest time of an event: what an event block holds, the year 10889. */
export const MAX_TIME_MS = 281_474_976_710_655;
/** Events held for the longest window: 180 days of 1,000 a second. When they are more, the oldest leave all windows early. */
export const MAX_RESERVOIR_EVENTS = 16_000_000_000;
/**
 * Events kept in memory because a late one may still come before them. When they are more, the oldest are sealed early:
 * what then comes before those counts as late beyond the bound.
 */
export const MAX_HEAD_EVENTS = 16_000_000;
/** What those may take, if it is less: they lie in one memory of 4 GiB, in chunks of which late events may leave half empty. */
export const MAX_HEAD_BYTES = 1_610_612_736;
/**
 * Blocks of sealed events (1,024 each) that are kept in memory while the disk does not take them: over an hour of 1,000 payments a
 * second, some 50 KB each. The same of the offset index's pages. When there are more, the engine stops.
 */
export const MAX_WAITING_BLOCKS = 4_096;
/** Events of which something became known after they were sealed (8 bytes each). When they are more, further facts change nothing. */
export const MAX_FACT_CHANGES = 64_000_000;
/**
 * Events that may enter or leave windows in one payment's step, over all edges; a tick may take four times as many. What else has
 * become due waits in the backlogs: no answer changes by it. Each takes 5 to 25 us.
 */
export const MAX_CROSSINGS_PER_STEP = 64;
/** Events in the backlogs of all edges. Where there would be more, the oldest cross at once, and the step takes as long as that does. */
export const MAX_BACKLOG_EVENTS = 262_144;
