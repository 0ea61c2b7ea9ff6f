import { describe, expect, it } from 'vitest';
import { StateParts, StatePartsInput } from '../stateParts.ts';
import { MemoryState } from '../testing/memoryState.ts';
import { doublePages, wordPages, type Pages } from './pages.ts';

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

  it('are saved array by array, and load as they were', () => {
    for (const count of [0, 1, 6, 7, 20]) {
      const pages = numbered(count);
      const saved = new MemoryState();
      pages.save(saved);
      const loaded = wordPages(4);
      loaded.add();
      const input = saved.read();
      loaded.load(count, () => input.int32Array());
      expect(input.isAtEnd).toBe(true);
      // The next pages go where they would have gone.
      for (const each of [pages, loaded]) for (let page = 0; page < 15; page++) each.add();
      for (let page = 0; page < count + 15; page++) {
        expect(contentOf(loaded, page)).toEqual(contentOf(pages, page));
        expect(loaded.startOf(page)).toBe(pages.startOf(page));
        expect(loaded.arrayOf(page).length).toBe(pages.arrayOf(page).length);
      }
    }
  });

  it('are taken over from a thread that saved them, not copied', () => {
    const pages = numbered(20);
    const arrays = Array.from({ length: 20 }, (_, page) => pages.arrayOf(page));
    const parts = new StateParts();
    pages.save(parts);
    expect(parts.buffers.length).toBe(5);
    const input = new StatePartsInput(parts.parts);
    const loaded = wordPages(4);
    loaded.load(20, () => input.int32Array());
    for (const [page, array] of arrays.entries()) expect(loaded.arrayOf(page)).toBe(array);
  });

  it('of another length are refused', () => {
    const saved = new MemoryState();
    numbered(1).save(saved);
    const input = saved.read();
    expect(() => {
      wordPages(5).load(1, () => input.int32Array());
    }).toThrow('16 numbers in place of 1 pages of 5');
  });
});

function numbered(count: number): Pages<Int32Array> {
  const pages = wordPages(4);
  for (let page = 0; page < count; page++) {
    pages.add();
    for (let index = 0; index < 4; index++) pages.arrayOf(page)[pages.startOf(page) + index] = page * 4 + index;
  }
  return pages;
}

function contentOf(pages: Pages<Int32Array>, page: number): number[] {
  const start = pages.startOf(page);
  return [...pages.arrayOf(page).subarray(start, start + 4)];
}
