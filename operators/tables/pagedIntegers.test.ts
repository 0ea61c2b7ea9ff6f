import { expect, it } from 'vitest';
import { PagedIntegers } from './pagedIntegers.ts';

it('holds integers on any page, 0 where none was set', () => {
  const integers = new PagedIntegers();
  integers.set(50_000, -7);
  integers.set(3, 2 ** 31 - 1);
  expect([integers.get(50_000), integers.get(3), integers.get(4), integers.get(20_000)]).toEqual([
    -7,
    2 ** 31 - 1,
    0,
    0,
  ]);
  expect(integers.get(900_000)).toBe(0);
  expect(integers.byteLength).toBe(13 * 4_096 * 4);
});
