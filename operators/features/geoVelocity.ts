import { arcsine, cosineOfDegrees, sineOfDegrees } from './trigonometry.ts';

/** Mean radius of the earth (IUGG). */
export const EARTH_RADIUS_KM = 6_371.0088;
/** Less time than this between two payments counts as this. */
export const LEAST_TIME_MS = 1_000;

const HOUR_MS = 3_600_000;

/**
 * Writes how fast one would have had to travel from one place to the other, in km/h: the great-circle distance by the
 * haversine formula (Sinnott 1984), which is exact for near places where the cosine rule is not, over the time between.
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
  const north = sineOfDegrees((toLatitude - fromLatitude) / 2);
  const east = sineOfDegrees((toLongitude - fromLongitude) / 2);
  const haversine = north * north + cosineOfDegrees(fromLatitude) * cosineOfDegrees(toLatitude) * east * east;
  const distanceKm = 2 * EARTH_RADIUS_KM * arcsine(Math.sqrt(Math.min(1, haversine)));
  out[outAt] = (distanceKm * HOUR_MS) / Math.max(Math.abs(timeMs), LEAST_TIME_MS);
}
