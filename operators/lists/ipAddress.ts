/** Bits of an address by its family. */
export const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

/** 0: no address. */
export type AddressFamily = 0 | 4 | 6;

const GROUPS = 8;
const groups = new Uint16Array(GROUPS);

/**
 * Parses an address into 32-bit words, the most significant first: one of IPv4, four of IPv6 (`into` has room for four). IPv4
 * is four decimal numbers without leading zeros; IPv6 is written as RFC 4291 section 2.2 has it, without a zone. An IPv4 address
 * in IPv6's form (::ffff:203.0.113.7) is that IPv4 address. Allocates nothing for IPv4.
 */
export function parseAddress(text: string, into: Uint32Array): AddressFamily {
  if (!text.includes(':')) return parseFour(text, 0, into) ? 4 : 0;
  if (!parseSix(text)) return 0;
  const isMapped = groups[5] === 0xffff && groups.subarray(0, 5).every((group) => group === 0);
  if (isMapped) {
    into[0] = ((groups[6]! << 16) | groups[7]!) >>> 0;
    return 4;
  }
  for (let word = 0; word < 4; word++) into[word] = ((groups[word * 2]! << 16) | groups[word * 2 + 1]!) >>> 0;
  return 6;
}

/** The address in the form that RFC 5952 recommends, which for IPv4 is the usual one. */
export function addressText(family: 4 | 6, words: Uint32Array): string {
  if (family === 4) {
    const word = words[0]!;
    return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
  }
  const parts = Array.from(
    { length: GROUPS },
    (_, index) => (words[index >>> 1]! >>> (index % 2 === 0 ? 16 : 0)) & 0xffff,
  );
  const { start, length } = longestZeros(parts);
  const hexadecimal = (from: number, to: number): string =>
    parts
      .slice(from, to)
      .map((part) => part.toString(16))
      .join(':');
  if (length < 2) return hexadecimal(0, GROUPS);
  return `${hexadecimal(0, start)}::${hexadecimal(start + length, GROUPS)}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(parts: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, part] of parts.entries()) {
    length = part === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}

function parseFour(text: string, from: number, into: Uint32Array): boolean {
  let word = 0;
  let parts = 0;
  let digits = 0;
  let value = 0;
  for (let index = from; index <= text.length; index++) {
    const unit = index === text.length ? DOT : text.charCodeAt(index);
    if (unit === DOT) {
      if (digits === 0 || value > 255 || ++parts > 4) return false;
      word = (word * 256 + value) >>> 0;
      digits = 0;
      value = 0;
      continue;
    }
    if (unit < ZERO || unit > NINE || (digits > 0 && value === 0) || ++digits > 3) return false;
    value = value * 10 + unit - ZERO;
  }
  into[0] = word;
  return parts === 4;
}

const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const four = new Uint32Array(1);

/** Into `groups`. */
function parseSix(text: string): boolean {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return false;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (before === null || after === null) return false;
  const missing = GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return false;
  groups.fill(0);
  groups.set(before, 0);
  groups.set(after, GROUPS - after.length);
  return true;
}

/** The groups between colons; an IPv4 address at the end of the whole is two. */
function groupsOf(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const result: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(part)) result.push(Number.parseInt(part, 16));
    else if (isEnd && index === parts.length - 1 && parseFour(part, 0, four))
      result.push(four[0]! >>> 16, four[0]! & 0xffff);
    else return null;
  }
  return result.length <= GROUPS ? result : null;
}
