import { arcsine, cosineOfDegrees, sineOfDegrees } from './trigonometry.ts';

/** Mean radius of the earth (IUGG). */
export const EARTH_RADIUS_KM = 6_371.0088;

/**
 * The great-circle distance of two places in degrees, by the haversine formula (Sinnott 1984), which is exact for near places
 * where the cosine rule is not.
 */
export function distanceKm(
  fromLatitude: number,
  fromLongitude: number,
  toLatitude: number,
  toLongitude: number,
): number {
  const north = sineOfDegrees((toLatitude - fromLatitude) / 2);
  const east = sineOfDegrees((toLongitude - fromLongitude) / 2);
  const haversine = north * north + cosineOfDegrees(fromLatitude) * cosineOfDegrees(toLatitude) * east * east;
  return 2 * EARTH_RADIUS_KM * arcsine(Math.sqrt(Math.min(1, haversine)));
}
