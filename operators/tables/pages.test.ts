import { describe, expect, it } from 'vitest';
import { MemoryState } from '../testing/memoryState.ts';
import { doublePages, wordPages } from './pages.ts';

describe('pages', () => {
  it('never overlap, through saving and loading, though arrays stop doubling', () => {
    // Two pages fill the longest array.
    const pageLength = 8_388_608;
    const pages = doublePages(pageLength);
    for (let page = 0; page < 9; page++) {
      pages.add();
      const array = pages.arrayOf(page);
      const start = pages.startOf(page);
      expect(start + pageLength).toBeLessThanOrEqual(array.length);
      expect([array[start], array[start + pageLength - 1]]).toEqual([0, 0]);
      array[start] = page + 1;
      array[start + pageLength - 1] = -page - 1;
    }
    for (let page = 0; page < 9; page++) {
      const start = pages.startOf(page);
      expect(pages.arrayOf(page)[start]).toBe(page + 1);
      expect(pages.arrayOf(page)[start + pageLength - 1]).toBe(-page - 1);
    }
  });

  it('are saved one by one, and load into as many', () => {
    const pages = wordPages(4);
    for (let page = 0; page < 20; page++) {
      pages.add();
      for (let index = 0; index < 4; index++) pages.arrayOf(page)[pages.startOf(page) + index] = page * 4 + index;
    }
    const saved = new MemoryState();
    pages.save(saved);
    const loaded = wordPages(4);
    loaded.add();
    const input = saved.read();
    loaded.load(20, () => input.int32Array());
    expect(loaded.count).toBe(20);
    for (let page = 0; page < 20; page++) {
      const start = loaded.startOf(page);
      const values = [...loaded.arrayOf(page).subarray(start, start + 4)];
      expect(values).toEqual([page * 4, page * 4 + 1, page * 4 + 2, page * 4 + 3]);
    }
    const another = saved.read();
    expect(() => {
      wordPages(5).load(1, () => another.int32Array());
    }).toThrow('a page of 4 numbers in place of 5');
  });
});
