import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../canonicalJson.ts';
import type { ListEntity } from '../definitions.ts';
import { listValue } from './listValue.ts';

function kept(entity: ListEntity, text: string): string {
  const value = listValue({ entity }, text);
  return value.ok ? value.value : `- ${value.message}`;
}

describe('the value of a list entry', () => {
  it.each<[ListEntity, string, string]>([
    ['account', '  a-1 ', 'a-1'],
    ['ip', '203.0.113.0/24', '203.0.113.0/24'],
    ['ip', '203.0.113.7/32', '203.0.113.7'],
    ['ip', '2001:0DB8::/32', '2001:db8::/32'],
    ['ip', '2001:db8::1/128', '2001:db8::1'],
    ['ip', '0.0.0.0/0', '0.0.0.0/0'],
    ['ip', '::ffff:203.0.113.0/120', '203.0.113.0/24'],
    ['bin', '411111', '411111'],
    ['bin', '411111 - 411119', '411111-411119'],
    ['bin', '411110-411119', '41111'],
    ['bin', '41111100-41111199', '411111'],
    ['bin', '41110000-41129999', '4111-4112'],
    ['bin', '00010000', '00010000'],
    ['country', 'cn', 'CN'],
    ['mcc', '5411', '5411'],
    ['attributes.emailHash', 'x@example.com', 'x@example.com'],
  ])('of %s, %s, is kept as %s', (entity, text, value) => {
    expect(kept(entity, text)).toBe(value);
    expect(kept(entity, value)).toBe(value);
  });

  it.each<[ListEntity, string, RegExp]>([
    ['account', ' ', /is empty/],
    ['account', 'x'.repeat(65), /at most 64 characters/],
    ['ip', '203.0.113.7/24', /beyond its first 24: write the block as 203\.0\.113\.0\/24/],
    ['ip', '203.0.113.0/33', /from 0 to 32/],
    ['ip', '2001:db8::/129', /from 0 to 128/],
    ['ip', 'localhost', /must be an IP address or a block/],
    ['ip', '198.51.100.9/', /must be an IP address/],
    ['bin', '411', /4 to 8 digits/],
    ['bin', '4111111111111111', /4 to 8 digits/],
    ['bin', '411119-411111', /4 to 8 digits/],
    ['bin', '4111-41119', /4 to 8 digits/],
    ['bin', '4111-4112-4113', /4 to 8 digits/],
    ['country', 'CHN', /two letters/],
    ['mcc', '54', /four digits/],
  ])('of %s is refused: %s', (entity, text, says) => {
    expect(kept(entity, text)).toMatch(says);
    if (text.length > 4) expect(kept(entity, text)).not.toContain(text);
  });

  it('of a hashed list is the hash of the text, however it is written, or a hash that is given', () => {
    const hash = sha256Hex('ana example');
    for (const text of ['Ana Example', ' ana   example ', 'Ａna example', hash, hash.toUpperCase()])
      expect(listValue({ entity: 'attributes.nameHash', hashed: 'sha256' }, text)).toEqual({ ok: true, value: hash });
  });
});
