import { createHmac } from 'node:crypto';
import { isUtf8 } from 'node:buffer';

/** What remains of a card number. */
export interface CardToken {
  /** `tok_` and the HMAC-SHA256 of the digits under the deployment's key, base64url: the same card, the same token. */
  readonly token: string;
  /** Issuer identification number: 8 digits for card numbers of 16 and more (ISO/IEC 7812-1:2017), else 6. */
  readonly bin: string;
  /** PCI DSS 3.4.1 allows BIN and last four to be shown together for these lengths. */
  readonly last4: string;
}

export const MIN_CARD_DIGITS = 12;
export const MAX_CARD_DIGITS = 19;

/** `pan`: 12 to 19 digits; spaces and dashes between them do not matter. `key`: at least 32 bytes. */
export function tokenise(pan: string, key: Uint8Array): CardToken {
  const digits = digitsOf(pan);
  return {
    token: tokenOf(digits, key),
    bin: digits.slice(0, digits.length >= 16 ? 8 : 6),
    last4: digits.slice(-4),
  };
}

/** The token of any text: for an identifier that is no card number but holds one. */
export function tokenOf(text: string, key: Uint8Array): string {
  return `tok_${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** Whether the whole text is one card number: 12 to 19 digits of a known issuer range, single separators, Luhn. */
export function isCardNumber(text: string): boolean {
  if (!mayHoldCardNumber(text) || !WHOLE.test(text)) return false;
  return isIssuedAndValid(digitsOf(text));
}

/**
 * Whether an identifier is or holds a card number written the way people write one: 13 to 19 digits in a row, or in
 * groups of 4-4-4-4… or 4-6-5 or 4-6-4. Stricter than `maskCardNumbers` because a mistake here refuses a payment: digits
 * inside a hexadecimal id (a UUID has runs of 13 digits once in a thousand) do not count.
 */
export function holdsCardNumber(identifier: string): boolean {
  if (!mayHoldCardNumber(identifier)) return false;
  if (isCardNumber(identifier)) return true;
  const text = withAsciiDigits(identifier);
  for (const chunk of text.match(/[0-9A-Za-z]{13,}/g) ?? []) {
    if (/^[0-9A-Fa-f]*$/.test(chunk) && !/^[0-9]*$/.test(chunk)) continue;
    if (chunk.match(/[0-9]{13,}/g)?.some(isIssuedAndValid) === true) return true;
  }
  return text.match(GROUPED)?.some((group) => isIssuedAndValid(digitsOf(group))) === true;
}

/**
 * The text with every card number masked except its last four digits. Masks rather too much than too little: every run of
 * 12 to 19 digits that passes Luhn, and in any run of digits every stretch that is a card number by issuer range and
 * Luhn. Digits may be separated by spaces, dashes and dots, of any script, or written as JSON escapes.
 */
export function maskCardNumbers(text: string): string {
  return mayHoldCardNumber(text) ? maskRuns(text, TEXT_RUN, TEXT_DIGIT) : text;
}

/** The same for bytes of any kind: text inside binary (Avro, UTF-16) is masked as well. */
export function maskBytes(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes);
  if (!isUtf8(buffer)) return maskBinary(buffer);
  const text = buffer.toString('utf8');
  // Avro is often valid UTF-8, and UTF-16 digits always are: only the binary pass knows their zero bytes.
  return maskBinary(Buffer.from(maskCardNumbers(text), 'utf8'));
}

function maskBinary(buffer: Buffer): Buffer {
  return Buffer.from(maskRuns(buffer.toString('latin1'), BINARY_RUN, BINARY_DIGIT), 'latin1');
}

const SEPARATOR = '[ \\t.\\-\\u00a0\\u2000-\\u2015\\u202f\\u3000\\uff0d\\uff0e]';
const ESCAPED_DIGIT = '\\\\+u(?:003[0-9]|[fF]{2}1[0-9])';
const TEXT_DIGIT = new RegExp(`\\p{Nd}|${ESCAPED_DIGIT}`, 'gu');
const TEXT_RUN = runsOf(`(?:\\p{Nd}|${ESCAPED_DIGIT})`, `(?:${SEPARATOR}|\\\\+u(?:0020|002[dDeE]|00[aA]0))`);
// Full-width digits as the bytes of their UTF-8.
const BINARY_DIGIT = new RegExp(`[0-9]|\\u00ef\\u00bc[\\u0090-\\u0099]|${ESCAPED_DIGIT}`, 'gu');
const BINARY_RUN = runsOf(`(?:[0-9]|\\u00ef\\u00bc[\\u0090-\\u0099]|${ESCAPED_DIGIT})`, '[ \\t.\\-\\0\\u00a0]');
const WHOLE = new RegExp(`^\\p{Nd}(?:${SEPARATOR}?\\p{Nd}){${MIN_CARD_DIGITS - 1},${MAX_CARD_DIGITS - 1}}$`, 'u');
const GROUPED =
  /(?<![0-9A-Za-z])[0-9]{4}([ .-])(?:[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?|[0-9]{6}\1[0-9]{4,5})(?![0-9A-Za-z])/g;

function runsOf(digit: string, separator: string): RegExp {
  return new RegExp(`${digit}(?:${separator}{0,3}${digit}){${MIN_CARD_DIGITS - 1},}`, 'gu');
}

function maskRuns(text: string, runs: RegExp, digit: RegExp): string {
  return text.replace(runs, (run) => {
    const digits = digitsOf(run, digit);
    const isMasked = maskedPositions(digits);
    let index = -1;
    return run.replace(digit, (written) => {
      index += 1;
      return isMasked[index] === true ? '*'.repeat(written.length) : written;
    });
  });
}

/** Which digits of a run belong to card numbers. Overlapping ones make one stretch, whose last four digits stay. */
function maskedPositions(digits: string): readonly boolean[] {
  const isMasked = new Array<boolean>(digits.length).fill(false);
  if (digits.length <= MAX_CARD_DIGITS && passesLuhn(digits)) return isMasked.fill(true, 0, digits.length - 4);
  let stretchEnd = 0;
  for (let start = 0; start < digits.length; start += 1) {
    const length = longestCardNumber(digits, start);
    const end = start + length;
    if (length === 0 || end <= stretchEnd) continue;
    // A stretch that goes on takes back the four digits it had kept.
    isMasked.fill(true, start < stretchEnd ? stretchEnd - 4 : start, end - 4);
    stretchEnd = end;
  }
  return isMasked;
}

function longestCardNumber(digits: string, start: number): number {
  for (let length = Math.min(MAX_CARD_DIGITS, digits.length - start); length >= MIN_CARD_DIGITS; length -= 1) {
    const candidate = digits.slice(start, start + length);
    if (isIssuedAndValid(candidate)) return length;
  }
  return 0;
}

/** Luhn first: it is quicker and passes one in ten. */
function isIssuedAndValid(digits: string): boolean {
  return passesLuhn(digits) && isIssued(digits);
}

/** Luhn's check of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  let isDoubled = false;
  for (let index = digits.length - 1; index >= 0; index -= 1) {
    const digit = digits.charCodeAt(index) - 0x30;
    const weighted = isDoubled ? 2 * digit : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
    isDoubled = !isDoubled;
  }
  return sum % 10 === 0;
}

interface IssuerRange {
  /** Inclusive, both of the same number of digits. */
  readonly from: number;
  readonly to: number;
  readonly prefixDigits: number;
  readonly lengths: readonly [least: number, greatest: number];
}

/** Ranges that card schemes issue from, as the schemes publish them; generous where they overlap. */
const ISSUER_RANGES: readonly IssuerRange[] = [
  { from: 1, to: 1, prefixDigits: 1, lengths: [15, 15] }, // UATP
  { from: 2200, to: 2204, prefixDigits: 4, lengths: [16, 19] }, // Mir
  { from: 2221, to: 2720, prefixDigits: 4, lengths: [16, 16] }, // Mastercard
  { from: 34, to: 34, prefixDigits: 2, lengths: [15, 15] }, // American Express
  { from: 37, to: 37, prefixDigits: 2, lengths: [15, 15] }, // American Express
  { from: 300, to: 305, prefixDigits: 3, lengths: [14, 19] }, // Diners Club
  { from: 36, to: 36, prefixDigits: 2, lengths: [14, 19] }, // Diners Club
  { from: 38, to: 39, prefixDigits: 2, lengths: [14, 19] }, // Diners Club
  { from: 353, to: 353, prefixDigits: 3, lengths: [16, 19] }, // JCB, RuPay
  { from: 3528, to: 3589, prefixDigits: 4, lengths: [16, 19] }, // JCB
  { from: 4, to: 4, prefixDigits: 1, lengths: [13, 13] }, // Visa
  { from: 4, to: 4, prefixDigits: 1, lengths: [16, 16] }, // Visa
  { from: 4, to: 4, prefixDigits: 1, lengths: [19, 19] }, // Visa
  { from: 50, to: 50, prefixDigits: 2, lengths: [12, 19] }, // Maestro, RuPay, Verve, Elo
  { from: 51, to: 55, prefixDigits: 2, lengths: [16, 16] }, // Mastercard
  { from: 56, to: 58, prefixDigits: 2, lengths: [12, 19] }, // Maestro
  { from: 6, to: 6, prefixDigits: 1, lengths: [12, 19] }, // UnionPay, Discover, Maestro, RuPay
  { from: 81, to: 82, prefixDigits: 2, lengths: [16, 19] }, // UnionPay, RuPay
  { from: 9558, to: 9558, prefixDigits: 4, lengths: [16, 19] }, // UnionPay
  { from: 9792, to: 9792, prefixDigits: 4, lengths: [16, 16] }, // Troy
];

function isIssued(digits: string): boolean {
  return ISSUER_RANGES.some(({ from, to, prefixDigits, lengths }) => {
    const prefix = Number(digits.slice(0, prefixDigits));
    return prefix >= from && prefix <= to && digits.length >= lengths[0] && digits.length <= lengths[1];
  });
}

/** The digits of a text as ASCII, without everything else. */
function digitsOf(text: string, digit: RegExp = TEXT_DIGIT): string {
  if (/^[0-9]*$/.test(text)) return text;
  let digits = '';
  for (const [written] of text.matchAll(digit)) digits += digitValue(written);
  return digits;
}

function withAsciiDigits(text: string): string {
  if (!/[^ -~]/.test(text)) return text;
  return text.replace(/\p{Nd}/gu, (written) => digitValue(written));
}

/** A decimal digit of any script, a JSON escape of one, or the three UTF-8 bytes of a full-width one. */
function digitValue(written: string): string {
  if (written.length === 1 && written >= '0' && written <= '9') return written;
  if (written.startsWith('\\')) return written.slice(-1);
  if (written.startsWith('\u00ef')) return String(written.charCodeAt(2) - 0x90);
  // Unicode keeps the ten digits of a script together and in order, so the way back to its zero is the value.
  const codePoint = written.codePointAt(0) ?? 0;
  let start = codePoint;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(start - 1))) start -= 1;
  return String((codePoint - start) % 10);
}

/** Quick and generous: whether a text has twelve digits at all. Characters outside ASCII count as digits. */
function mayHoldCardNumber(text: string): boolean {
  if (text.length < MIN_CARD_DIGITS) return false;
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if ((unit >= 0x30 && unit <= 0x39) || unit > 0x7f) {
      count += 1;
      if (count === MIN_CARD_DIGITS) return true;
    }
  }
  return false;
}
