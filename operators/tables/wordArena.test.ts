import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WordArena } from './wordArena.ts';

it('gives records that never overlap, and freed ones again to the same length', () => {
  const step = fc.record({ length: fc.integer({ min: 1, max: 300 }), count: fc.nat(300), frees: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const arena = new WordArena(300);
      const live: { readonly address: number; readonly length: number; readonly mark: number }[] = [];
      let mark = 0;
      for (const { length, count, frees } of steps) {
        for (let index = 0; index < count; index++) {
          const address = arena.allocate(length);
          expect(address).toBeGreaterThan(0);
          mark += 1;
          const offset = arena.offset(address);
          arena.block(address).fill(mark, offset, offset + length);
          live.push({ address, length, mark });
        }
        for (const freed of live.splice(0, frees)) arena.release(freed.address, freed.length);
      }
      for (const record of live) {
        const offset = arena.offset(record.address);
        const words = arena.block(record.address).subarray(offset, offset + record.length);
        expect(words.length).toBe(record.length);
        expect(words.every((word) => word === record.mark)).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});
