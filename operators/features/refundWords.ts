/** Words that hold what was refunded of an event: its last ones, where its catalogue has net sums. */
export const REFUND_WORDS = 2;
const TWO_TO_32 = 4_294_967_296;

/** The amount in the two words at `at`. */
export function refundedMinor(words: Int32Array, at: number): number {
  return words[at + 1]! * TWO_TO_32 + (words[at]! >>> 0);
}

export function setRefunded(words: Int32Array, at: number, amountMinor: number): void {
  words[at] = amountMinor | 0;
  words[at + 1] = Math.floor(amountMinor / TWO_TO_32);
}
