import { distanceKm } from '../features/distanceKm.ts';

/** The middle of the values, of an even number the mean of the two middle ones; NaN when any is. */
export function median(values: readonly number[]): number {
  if (values.some(Number.isNaN)) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Whether two numbers differ by at most `ratio` of the greater one; false where any is undefined or the difference is infinite. */
export function isNear(a: number, b: number, ratio: number): boolean {
  const difference = Math.abs(a - b);
  return difference < Infinity && difference <= ratio * Math.max(Math.abs(a), Math.abs(b));
}

/** distanceKm of places in degrees; NaN where one is none. */
export function placesKm(latitude: number, longitude: number, otherLatitude: number, otherLongitude: number): number {
  const isPlace = Math.abs(latitude) <= 90 && Math.abs(otherLatitude) <= 90;
  if (!isPlace || !(Math.abs(longitude) <= 180 && Math.abs(otherLongitude) <= 180)) return NaN;
  return distanceKm(latitude, longitude, otherLatitude, otherLongitude);
}
