import { sha256Hex } from '../canonicalJson.ts';
import type { ListDefinition } from '../definitions.ts';
import { ListRange, MAX_BIN_DIGITS } from './listRange.ts';

/** As in schemas/list-change.avsc, but for snoozes, whose values are longer. */
export const MAX_LIST_VALUE_LENGTH = 64;

/** An entry's value as the list keeps it, or what is wrong with what was given; the message never repeats it. */
export type ListValue =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string };

/**
 * A value as people write it, in the one form that the list knows: spaces around it do not count; an address and a block are
 * written as RFC 5952 has it, a country in capitals; a hashed list keeps the SHA-256 (hexadecimal) of the text in lower case,
 * NFKC, with single spaces, and takes 64 hexadecimal digits as they are.
 */
export function listValue({ entity, hashed }: Pick<ListDefinition, 'entity' | 'hashed'>, given: string): ListValue {
  const text = given.trim();
  if (text === '') return wrong('is empty');
  if (hashed === 'sha256') return right(SHA_256.test(text) ? text.toLowerCase() : sha256Hex(foldedText(text)));
  if (text.length > MAX_LIST_VALUE_LENGTH) return wrong(`must have at most ${MAX_LIST_VALUE_LENGTH} characters`);
  switch (entity) {
    case 'ip':
      return ipValue(text);
    case 'bin': {
      const isBin = range.parseBin(text.replace(/\s*-\s*/, '-'));
      return isBin ? right(range.text('bin')) : wrong(BIN_MESSAGE);
    }
    case 'country': {
      const country = text.toUpperCase();
      return /^[A-Z]{2}$/.test(country)
        ? right(country)
        : wrong('must be a country of two letters (ISO 3166-1), such as CN');
    }
    case 'mcc':
      return /^[0-9]{4}$/.test(text) ? right(text) : wrong('must be a merchant category of four digits, such as 5411');
    default:
      return right(text);
  }
}

/** What is hashed: the same e-mail address or name is the same text, however it is written. */
export function foldedText(text: string): string {
  return text.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

const SHA_256 = /^[0-9A-Fa-f]{64}$/;
const BIN_MESSAGE = `must be a BIN or a prefix of one with 4 to ${MAX_BIN_DIGITS} digits, or a range of such, as in 411100-411199`;
const range = new ListRange();

function ipValue(text: string): ListValue {
  const isAligned = range.parseIp(text);
  if (isAligned) return right(range.text('ip'));
  const [address = '', length = ''] = text.split('/');
  if (length === '' || !range.parseIp(address))
    return wrong('must be an IP address or a block of them, such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32');
  if (!/^\d{1,3}$/.test(length) || Number(length) > (range.width === 1 ? 32 : 128))
    return wrong(`the length after / must be from 0 to ${range.width === 1 ? 32 : 128}`);
  range.parseIp(text);
  return wrong(`has bits set beyond its first ${length}: write the block as ${range.text('ip')}`);
}

function right(value: string): ListValue {
  return { ok: true, value };
}

function wrong(message: string): ListValue {
  return { ok: false, message };
}
