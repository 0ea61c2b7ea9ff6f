import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressText, parseAddress } from './ipAddress.ts';

function canonical(text: string): string | null {
  const words = new Uint32Array(4);
  const family = parseAddress(text, words);
  return family === 0 ? null : addressText(family, words);
}

/** What the URL standard makes of an IPv6 address: the form of RFC 5952. */
function byUrl(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

describe('an IP address', () => {
  it('is told from other text as Node tells it, and written as the URL standard writes it', () => {
    const group = fc.constantFrom('0', '1', '00', '0db8', 'FFFF', 'fffff', '', 'x', '203.0.113.7', '01.2.3.4');
    const anything = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.array(group, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(':')),
      fc
        .array(fc.constantFrom('0', '7', '07', '255', '256', '', '-1', ' 1'), { maxLength: 5 })
        .map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const isAddress = isIP(text) !== 0 && !text.includes('%');
        const found = canonical(text);
        expect(found !== null).toBe(isAddress);
        if (found === null || !text.includes(':')) return;
        // A mapped address is its IPv4 address; in the URL standard it stays in hexadecimal.
        expect(found.includes(':') ? found : byUrl(`::ffff:${found}`)).toBe(byUrl(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('has one form, whatever it was written as', () => {
    expect(
      [
        '203.0.113.7',
        '2001:DB8:0:0:1:0:0:1',
        '::',
        '1::',
        '::ffff:203.0.113.7',
        '::ffff:cb00:7107',
        '1:2:3:4:5:6:7::',
      ].map(canonical),
    ).toEqual(['203.0.113.7', '2001:db8::1:0:0:1', '::', '1::', '203.0.113.7', '203.0.113.7', '1:2:3:4:5:6:7:0']);
  });
});
