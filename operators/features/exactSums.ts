/**
 * An amount split into the two lanes of an exact sum, 2^20 apart (assembly/crossing.ts). Not for every event: the amount may be
 * allocated.
 */
export function splitLanes(amountMinor: number, lanes: Float64Array, at: number): void {
  const high = Math.floor(amountMinor * (1 / LANE_20));
  lanes[at] = amountMinor - high * LANE_20;
  lanes[at + 1] = high;
}

const LANE_20 = 1_048_576;
