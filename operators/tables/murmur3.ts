/**
 * MurmurHash3_x86_32 with seed 0 (Austin Appleby, public domain) of whole 32-bit words, the bytes of each in little-endian
 * order. Every bit of the result depends on every bit of the words, so that tables may take its high and its low bits.
 */
export function murmur3(words: Int32Array, from: number, length: number): number {
  let hash = 0;
  for (let index = from; index < from + length; index++) {
    let word = Math.imul(words[index]!, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= length << 2;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
