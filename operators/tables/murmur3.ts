/**
 * MurmurHash3_x86_32 with seed 0 (Austin Appleby, public domain) of whole 32-bit words, the bytes of each in little-endian
 * order. Every bit of the result depends on every bit of the words, so that tables may take its high and its low bits.
 */
export function murmur3(words: Int32Array, from: number, length: number): number {
  let hash = 0;
  for (let index = from; index < from + length; index++) hash = mixed(hash, words[index]!);
  return finished(hash, length);
}

/** The same of a single word. */
export function murmur3OfWord(word: number): number {
  return finished(mixed(0, word), 1);
}

/** The same of two words. */
export function murmur3OfPair(first: number, second: number): number {
  return finished(mixed(mixed(0, first), second), 2);
}

function mixed(hash: number, word: number): number {
  const spread = Math.imul(word, 0xcc9e2d51);
  const result = hash ^ Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
  return (Math.imul((result << 13) | (result >>> 19), 5) + 0xe6546b64) | 0;
}

function finished(hash: number, length: number): number {
  let result = hash ^ (length << 2);
  result = Math.imul(result ^ (result >>> 16), 0x85ebca6b);
  result = Math.imul(result ^ (result >>> 13), 0xc2b2ae35);
  return result ^ (result >>> 16);
}
