/** Keys and texts of a chosen hash, by running murmur3 backwards: what an attacker can do, so tests must. */

/** The word whose murmur3, alone, is `hash`. */
export function wordOfHash(hash: number): number {
  return unmix(unstep(unfinished(hash, 4)));
}

/** Texts of eight Latin-1 characters that all have one hash. */
export function textsOfOneHash(count: number): string[] {
  return Array.from({ length: count }, (_, index) => textThrough(index, 0x12345678));
}

/** Texts of eight Latin-1 characters of these hashes. */
export function textsOfHashes(count: number, hashOf: (index: number) => number): string[] {
  return Array.from({ length: count }, (_, index) => textThrough(index, unstep(unfinished(hashOf(index), 3 << 2))));
}

/** A text with this first word, whose second one takes the state that is then reached to `step`'s `target`. */
function textThrough(first: number, target: number): string {
  // After its header and first word a text is in some state; the second word takes every such state to the same one.
  const afterFirst = step(step(0, mix(8 << 1)), mix(first));
  return textOf(first) + textOf(unmix(afterFirst ^ target));
}

/** The state after all words, of so many bytes, that gives this hash. */
function unfinished(hash: number, bytes: number): number {
  let state = hash ^ (hash >>> 16);
  state = unshift13(Math.imul(state, inverse(0xc2b2ae35)));
  state = Math.imul(state, inverse(0x85ebca6b));
  return state ^ (state >>> 16) ^ bytes;
}

function textOf(word: number): string {
  return String.fromCharCode(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
}

function mix(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function unmix(mixed: number): number {
  const rotated = Math.imul(mixed, inverse(0x1b873593));
  return Math.imul((rotated >>> 15) | (rotated << 17), inverse(0xcc9e2d51));
}

function step(hash: number, mixed: number): number {
  const state = hash ^ mixed;
  return (Math.imul((state << 13) | (state >>> 19), 5) + 0xe6546b64) | 0;
}

/** What a mixed word and the state before it differ by when the state after it is `state`: from 0, the mixed word. */
function unstep(state: number): number {
  const rotated = Math.imul(state - 0xe6546b64, inverse(5));
  return (rotated >>> 13) | (rotated << 19);
}

/** x, from x ^ (x >>> 13). */
function unshift13(value: number): number {
  return value ^ (value >>> 13) ^ (value >>> 26);
}

/** The inverse of an odd number modulo 2^32, by Newton's method. */
function inverse(odd: number): number {
  let result = odd;
  for (let round = 0; round < 5; round++) result = Math.imul(result, 2 - Math.imul(odd, result));
  return result;
}
