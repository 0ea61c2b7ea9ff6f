import { distanceKm } from './distanceKm.ts';

/** Less time than this between two payments counts as this. */
export const LEAST_TIME_MS = 1_000;

const HOUR_MS = 3_600_000;

/**
 * Writes how fast one would have had to travel from one place to the other, in km/h: the distance over the time between.
 */
export function writeGeoVelocity(
  fromLatitude: number,
  fromLongitude: number,
  toLatitude: number,
  toLongitude: number,
  timeMs: number,
  out: Float64Array,
  outAt: number,
): void {
  const km = distanceKm(fromLatitude, fromLongitude, toLatitude, toLongitude);
  out[outAt] = (km * HOUR_MS) / Math.max(Math.abs(timeMs), LEAST_TIME_MS);
}
