/** Keys and texts of a chosen hash, by running murmur3 backwards: what an attacker can do, so tests must. */

/** The word whose murmur3, alone, is `hash`. */
export function wordOfHash(hash: number): number {
  let state = hash ^ (hash >>> 16);
  state = unshift13(Math.imul(state, inverse(0xc2b2ae35)));
  state = Math.imul(state, inverse(0x85ebca6b));
  state = state ^ (state >>> 16) ^ 4;
  return unmix(unstep(state));
}

/** Texts of eight Latin-1 characters that all have one hash. */
export function textsOfOneHash(count: number): string[] {
  // After its header and first word a text is in some state; the second word takes every such state to the same one.
  const texts: string[] = [];
  for (let index = 0; index < count; index++) {
    const afterHeader = step(0, mix(8 << 1));
    const afterFirst = step(afterHeader, mix(index));
    const second = unmix(afterFirst ^ 0x12345678);
    texts.push(textOf(index) + textOf(second));
  }
  return texts;
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

/** The mixed first word after which the state is `state`. */
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
