import { HOLDS } from './layout';

/** Whether a predicate of the event at hand holds. */
export function holds(bit: u32): bool {
  return ((load<u32>(HOLDS + ((bit >>> 5) << 2)) >>> (bit & 31)) & 1) != 0;
}
