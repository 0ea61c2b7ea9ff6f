import { describe, expect, it } from 'vitest';
import { RecentIds } from './recentIds.ts';

const seen = (ledgerOffset: number): Parameters<RecentIds['add']>[1] => ({
  ledgerOffset,
  contentHash: '',
  answer: null,
});

describe('recent ids', () => {
  it('keeps at least half its capacity, at most all of it', () => {
    const ids = new RecentIds(10);
    for (let offset = 0; offset < 100; offset++) {
      ids.add(`t-${String(offset)}`, seen(offset));
      expect(ids.size).toBeLessThanOrEqual(10);
      for (let kept = Math.max(0, offset - 4); kept <= offset; kept++) {
        expect(ids.find(`t-${String(kept)}`)?.ledgerOffset).toBe(kept);
      }
    }
    expect(ids.find('t-0')).toBeUndefined();
  });

  it('remembers nothing without a capacity but the last one', () => {
    const ids = new RecentIds(0);
    ids.add('a', seen(0));
    expect(ids.find('a')?.ledgerOffset).toBe(0);
    ids.add('b', seen(1));
    ids.add('c', seen(2));
    expect(ids.find('a')).toBeUndefined();
  });
});
