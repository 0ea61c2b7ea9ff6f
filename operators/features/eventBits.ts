/** Whether the event whose bits start at `bitsAt` has this bit. */
export function hasBit(words: Int32Array, bitsAt: number, bit: number): boolean {
  return ((words[bitsAt + (bit >>> 5)]! >>> (bit & 31)) & 1) === 1;
}
