/** UTF-16 units of a text, at most; the schemas allow less. */
export const MAX_TEXT_UNITS = 512;
/** A text's header, then two units a word when it is wide. */
export const MAX_TEXT_WORDS = 1 + MAX_TEXT_UNITS / 2;

/*
 * A text packed into 32-bit words: a header (its length, and whether it is wide), then four units a word, or two if it is wide: if any of
 * its units is beyond Latin-1. Texts are equal when all words are.
 */

/** Packs a text into words from `from` on; returns how many, 0 for a text that is too long. */
export function packText(text: string, words: Int32Array, from: number): number {
  const { length } = text;
  if (length > MAX_TEXT_UNITS) return 0;
  let index = 0;
  let at = from + 1;
  let seen = 0;
  for (; index + 4 <= length; index += 4) {
    const first = text.charCodeAt(index);
    const second = text.charCodeAt(index + 1);
    const third = text.charCodeAt(index + 2);
    const fourth = text.charCodeAt(index + 3);
    seen |= first | second | third | fourth;
    words[at++] = first | (second << 8) | (third << 16) | (fourth << 24);
  }
  if (index < length) {
    let word = 0;
    for (let shift = 0; index < length; index++, shift += 8) {
      const unit = text.charCodeAt(index);
      seen |= unit;
      word |= unit << shift;
    }
    words[at++] = word;
  }
  const isWide = seen > 0xff;
  words[from] = (length << 1) | Number(isWide);
  return isWide ? packWide(text, words, from) : at - from;
}

function packWide(text: string, words: Int32Array, from: number): number {
  let at = from + 1;
  for (let index = 0; index < text.length; index += 2) {
    // charCodeAt gives NaN past the end, which is 0 here.
    words[at++] = text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16);
  }
  return at - from;
}

/** The text whose words start at `at`. */
export function unpackText(words: Int32Array, at: number): string {
  const header = words[at]!;
  const perWord = (header & 1) === 1 ? 2 : 4;
  const bits = 32 / perWord;
  const mask = perWord === 2 ? 0xffff : 0xff;
  let text = '';
  for (let index = 0; index < header >>> 1; index++) {
    const word = words[at + 1 + Math.floor(index / perWord)]!;
    text += String.fromCharCode((word >>> ((index % perWord) * bits)) & mask);
  }
  return text;
}

/** Words of a text, its header among them. */
export function wordsOfHeader(header: number): number {
  const length = header >>> 1;
  return 1 + ((header & 1) === 1 ? (length + 1) >>> 1 : (length + 3) >>> 2);
}
