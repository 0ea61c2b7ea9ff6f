import { describe, expect, it } from 'vitest';
import { murmur3 } from './murmur3.ts';

const hashOf = (text: string): string => {
  const bytes = Buffer.from(text);
  const words = Int32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readInt32LE(index * 4));
  return (murmur3(words, 0, words.length) >>> 0).toString(16).padStart(8, '0');
};

describe('murmur3', () => {
  it('is MurmurHash3_x86_32', () => {
    // From the reference implementation, seed 0.
    expect(hashOf('')).toBe('00000000');
    expect(hashOf('test')).toBe('ba6bd213');
  });

  it('hashes from where it is told', () => {
    const words = Int32Array.of(7, 1, 2, 3, 9);
    expect(murmur3(words, 1, 3)).toBe(murmur3(Int32Array.of(1, 2, 3), 0, 3));
    expect(murmur3(words, 1, 2)).not.toBe(murmur3(words, 1, 3));
  });
});
