const msPerHour = 3_600_000;
const msPerDay = 86_400_000;

/** Milliseconds ahead of UTC of "+08:00", "-03:30" or "Z"; undefined when it is none. Named zones are not known. */
export function offsetMs(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const match = /^([+-])(\d\d):([0-5]\d)$/.exec(zone);
  const hours = Number(match?.[2]);
  if (match === null || hours > 14) return undefined;
  return (match[1] === '-' ? -1 : 1) * (hours * msPerHour + Number(match[3]) * 60_000);
}

/** Hour of the day, 0 to 23, of epoch milliseconds at an offset from UTC. NaN for NaN. */
export function hour(timeMs: number, zoneOffsetMs: number): number {
  return Math.floor(floorModulo(timeMs + zoneOffsetMs, msPerDay) / msPerHour);
}

/** Day of the week, 0 for Sunday to 6 for Saturday as in CEL's getDayOfWeek, at an offset from UTC. NaN for NaN. */
export function dayOfWeek(timeMs: number, zoneOffsetMs: number): number {
  // 1 January 1970 was a Thursday.
  return floorModulo(Math.floor((timeMs + zoneOffsetMs) / msPerDay) + 4, 7);
}

function floorModulo(value: number, modulus: number): number {
  return value - Math.floor(value / modulus) * modulus;
}
