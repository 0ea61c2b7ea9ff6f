/** How busy people are, by local hour; the busiest hour is 1. */
const WEIGHT_BY_HOUR = [
  0.12, 0.07, 0.05, 0.04, 0.04, 0.07, 0.2, 0.45, 0.6, 0.62, 0.66, 0.84, 0.97, 0.82, 0.68, 0.66, 0.7, 0.85, 1, 0.98,
  0.88, 0.7, 0.45, 0.24,
] as const;

/** Monday to Sunday; the busiest day is 1. */
const WEIGHT_BY_WEEKDAY = [0.84, 0.83, 0.84, 0.87, 0.96, 1, 0.94] as const;

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Share of the busiest moment's payments that people make at this moment where they live: 0 to 1. */
export function rhythmWeight(timeMs: number, utcOffsetHours: number): number {
  const localMs = timeMs + utcOffsetHours * HOUR_MS;
  const hour = Math.floor(localMs / HOUR_MS) % 24;
  // 1 January 1970 was a Thursday.
  const weekday = (Math.floor(localMs / DAY_MS) + 3) % 7;
  return (WEIGHT_BY_HOUR[hour] ?? 0) * (WEIGHT_BY_WEEKDAY[weekday] ?? 0);
}

/** rhythmWeight averaged over a week. */
export const MEAN_RHYTHM_WEIGHT =
  (WEIGHT_BY_HOUR.reduce((sum, weight) => sum + weight, 0) / 24) *
  (WEIGHT_BY_WEEKDAY.reduce((sum, weight) => sum + weight, 0) / 7);
