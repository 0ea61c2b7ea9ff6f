import { describe, expect, it } from 'vitest';
import { copyFeatures } from './copyFeatures.ts';

describe('the features of a decision', () => {
  it('are the row, with one bit pattern for every NaN, whether the code is optimised yet or not', () => {
    const values = new Float64Array(6);
    const bits = new BigUint64Array(values.buffer);
    values.set([0, 1.5, -0, Number.POSITIVE_INFINITY], 1);
    bits[5] = 0xfff8_0000_0000_0000n;
    const written = new Float64Array(5);
    const seen = new Set<string>();
    for (let run = 0; run < 100_000; run++) {
      written.set(copyFeatures(values, 1, 5));
      if (run % 1_000 === 0) seen.add(Buffer.from(written.buffer).toString('hex'));
    }
    const expected = new Float64Array([0, 1.5, -0, Number.POSITIVE_INFINITY, 0]);
    new BigUint64Array(expected.buffer)[4] = 0x7ff8_0000_0000_0000n;
    expect([...seen]).toEqual([Buffer.from(expected.buffer).toString('hex')]);
  });
});
