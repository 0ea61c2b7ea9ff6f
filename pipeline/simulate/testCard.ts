import type { Random } from './random.ts';

/**
 * Prefixes that card networks and processors publish for test cards; no issuer uses the numbers made from them in
 * earnest, yet they pass every check a real number passes (length, Luhn digit).
 */
const TEST_PREFIXES = ['411111', '401288', '424242', '555555', '510510', '222300', '622126', '356600'] as const;

/** A Luhn-valid 16-digit number from a test prefix (ISO/IEC 7812-1, annex B). */
export function testCardNumber(random: Random): string {
  let digits: string = random.pick(TEST_PREFIXES);
  while (digits.length < 15) digits += String(random.integer(0, 9));
  return digits + String(luhnDigit(digits));
}

function luhnDigit(digits: string): number {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return (10 - (sum % 10)) % 10;
}
