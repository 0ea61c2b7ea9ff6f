/**
 * The doubles that the state's inner loops share, in one array: a double that is passed to a function, or that a function
 * returns, is allocated unless the compiler happens to inline the call.
 */

/** Of the event at hand: its amount and time, */
export const AMOUNT = 0;
export const TIME = 1;
/** The engine's time. */
export const ENGINE_TIME = 2;
/** A time up to which events are sealed. */
export const BOUNDARY = 3;
/** What the event adds to sums of net amounts (netSums.ts): two lanes. */
export const NET_LANES = 4;
/** Of the current payment: when it happened, which is before TIME when it came too late. */
export const OWN_TIME = 6;

/** How many there are; the kernel has the first three as well (assembly/edges.ts). */
export const EVENT_NUMBERS = 7;
