/**
 * The doubles that the state's inner loops share, in one array: a double that is passed to a function, or that a function
 * returns, is allocated unless the compiler happens to inline the call.
 */

/** Of the event at hand: its amount and time, */
export const AMOUNT = 0;
export const TIME = 1;
/** and what it adds to sums and to sums of squares (exactSums.ts): two lanes, three lanes. */
export const AMOUNT_LANES = 2;
export const SQUARE_LANES = 4;
/** The engine's time. */
export const ENGINE_TIME = 7;
/** For lists of candidates: the value to add or remove, and the time up to which events have left. */
export const VALUE = 8;
export const BOUNDARY = 9;
/** What the event adds to sums of net amounts (netSums.ts): two lanes. */
export const NET_LANES = 10;
/** Of the current payment: when it happened, which is before TIME when it came too late. */
export const OWN_TIME = 12;

export function createEventNumbers(): Float64Array {
  return new Float64Array(13);
}
