import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdsCardNumber, isCardNumber, maskBytes, maskCardNumbers, tokenise } from './cardNumbers.ts';

const key = Buffer.alloc(32, 7);

/** Test numbers that the schemes publish for integrators. */
const PUBLISHED = [
  '4111111111111111',
  '4222222222222',
  '5500005555555559',
  '2223003122003222',
  '378282246310005',
  '30569309025904',
  '36227206271667',
  '3530111333300000',
  '6011111111111117',
  '6205500000000000004',
  '6759649826438453',
];

/** Card numbers over issuer ranges and lengths, with the check digit that Luhn wants. */
const cardNumbers: fc.Arbitrary<string> = fc
  .constantFrom(
    ['4', 13],
    ['4', 16],
    ['4', 19],
    ['51', 16],
    ['2221', 16],
    ['34', 15],
    ['62', 16],
    ['62', 19],
    ['50', 12],
  )
  .chain(([prefix, length]) => {
    const start = prefix;
    const free = length - start.length - 1;
    return fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: free, maxLength: free })
      .map((digits) => withCheckDigit(start + digits.join('')));
  });

function withCheckDigit(digits: string): string {
  for (let check = 0; check < 10; check += 1) {
    const candidate = `${digits}${check}`;
    const sum = [...candidate]
      .reverse()
      .map((digit, index) => (index % 2 === 0 ? Number(digit) : Number(digit) * 2))
      .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
    if (sum % 10 === 0) return candidate;
  }
  throw new Error('one of ten check digits always fits');
}

const surroundings = fc.string({ unit: 'grapheme', maxLength: 20 });
const digitsAround = fc.stringMatching(/^[0-9]{0,12}$/);

/** Ways to write the digits of a card number. */
const writings: readonly ((pan: string) => string)[] = [
  (pan) => pan,
  (pan) => (pan.match(/.{1,4}/g) ?? []).join(' '),
  (pan) => (pan.match(/.{1,4}/g) ?? []).join('-'),
  (pan) => (pan.match(/.{1,6}/g) ?? []).join('.'),
  (pan) => [...pan].join(' '),
  (pan) => (pan.match(/.{1,4}/g) ?? []).join('\u00a0'),
  (pan) => [...pan].map((digit) => `\\u003${digit}`).join(''),
  (pan) => [...pan].map((digit) => `\\\\u003${digit}`).join(''),
  (pan) => [...pan].map((digit) => String.fromCharCode(0xff10 + Number(digit))).join(''),
  (pan) => [...pan].map((digit) => String.fromCharCode(0x0660 + Number(digit))).join(''),
];

/** All digits a reader could make out, in whatever writing. */
function readableDigits(text: string): string {
  return text
    .replace(/\\+u00(3[0-9])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .normalize('NFKC')
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x0660))
    .replace(/[^0-9*]/g, '');
}

describe('a card number', () => {
  it.each(PUBLISHED)('%s is one', (pan) => {
    expect(isCardNumber(pan)).toBe(true);
    expect(holdsCardNumber(pan)).toBe(true);
  });

  it.each(['4111 1111 1111 1111', '4111-1111-1111-1111', '3782 822463 10005', '４１１１１１１１１１１１１１１１'])(
    'may be written %s',
    (text) => {
      expect(isCardNumber(text)).toBe(true);
    },
  );

  it.each([
    ['fails Luhn', '4111111111111112'],
    ['is too short', '41111111111'],
    ['is too long', '41111111111111111111'],
    ['is of no issuer', '0000000000000000'],
    ['is a time in milliseconds', '1767225600000'],
    ['has text around it', 'x4111111111111111'],
    ['is empty', ''],
  ])('is none when it %s', (_name, text) => {
    expect(isCardNumber(text)).toBe(false);
  });

  it.each(['pay-4111111111111111', 'pan_4111111111111111_x', '2026-4111 1111 1111 1111', 'order4111111111111111'])(
    'is found inside the identifier %s',
    (identifier) => {
      expect(holdsCardNumber(identifier)).toBe(true);
    },
  );

  it('is hardly ever mistaken for a UUID, because that would refuse a payment', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(holdsCardNumber(uuid)).toBe(false);
      }),
      { numRuns: 5000 },
    );
    expect(holdsCardNumber('4111111111111111abcdef0123456789')).toBe(false);
  });
});

describe('tokenise', () => {
  it('keeps BIN (8 digits from 16 on, else 6) and last four', () => {
    expect(tokenise('4111111111111111', key)).toMatchObject({ bin: '41111111', last4: '1111' });
    expect(tokenise('378282246310005', key)).toMatchObject({ bin: '378282', last4: '0005' });
  });

  it('gives one token per card and key, however the number is written', () => {
    const { token } = tokenise('4111111111111111', key);
    expect(token).toMatch(/^tok_[A-Za-z0-9_-]{43}$/);
    expect(tokenise('4111 1111-1111 1111', key).token).toBe(token);
    expect(tokenise('4111111111111111', Buffer.alloc(32, 8)).token).not.toBe(token);
    expect(tokenise('5500005555555559', key).token).not.toBe(token);
  });

  it('is HMAC-SHA256', () => {
    // HMAC-SHA256 of "4111111111111111" under 32 bytes of 07, computed with OpenSSL.
    expect(tokenise('4111111111111111', key).token).toBe('tok_M-z6Gwuof0VHHdZLo2qb3nHgktXrSqas61w3EPAnwo4');
  });
});

describe('masking', () => {
  it('leaves the last four', () => {
    expect(maskCardNumbers('card 4111 1111 1111 1111, thanks')).toBe('card **** **** **** 1111, thanks');
  });

  it('leaves text without card numbers as it is', () => {
    const text = '{"amountMinor":12599,"ip":"203.0.113.7","note":"room 101, 礼物"}';
    expect(maskCardNumbers(text)).toBe(text);
    expect(maskBytes(Buffer.from(text)).toString()).toBe(text);
  });

  it('lets no card number through, in any text and writing', () => {
    fc.assert(
      fc.property(
        cardNumbers,
        fc.constantFrom(...writings),
        surroundings,
        surroundings,
        (pan, write, before, after) => {
          expect(readableDigits(maskCardNumbers(before + write(pan) + after))).not.toContain(pan);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('lets none through among other digits or other card numbers', () => {
    fc.assert(
      fc.property(cardNumbers, cardNumbers, digitsAround, digitsAround, digitsAround, (first, second, a, b, c) => {
        const masked = readableDigits(maskCardNumbers(a + first + b + second + c));
        expect(masked).not.toContain(first);
        expect(masked).not.toContain(second);
      }),
      { numRuns: 2000 },
    );
  });

  it('lets none through in bytes: inside binary, UTF-8 full-width, UTF-16', () => {
    fc.assert(
      fc.property(
        cardNumbers,
        fc.uint8Array({ maxLength: 30 }),
        fc.uint8Array({ maxLength: 30 }),
        (pan, before, after) => {
          for (const written of [
            Buffer.from(pan),
            Buffer.from(pan, 'utf16le'),
            Buffer.from(pan.replace(/./g, fullWidth)),
          ]) {
            const masked = maskBytes(Buffer.concat([before, written, after]));
            expect(masked.includes(written)).toBe(false);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('takes hostile input in bounded time', () => {
    const digits = '4'.repeat(16_384);
    expect(maskCardNumbers(digits)).toHaveLength(digits.length);
    expect(maskCardNumbers('1 '.repeat(8192))).toHaveLength(16_384);
  });
});

function fullWidth(digit: string): string {
  return String.fromCharCode(0xff10 + Number(digit));
}
