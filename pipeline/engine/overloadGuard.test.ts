import { describe, expect, it } from 'vitest';
import { OverloadGuard } from './overloadGuard.ts';

describe('the overload guard', () => {
  const settings = { degradeAtRecords: 100, restoreAtRecords: 10, minIntervalMs: 1_000 };

  it('degrades above one bound and restores only below the other', () => {
    const guard = new OverloadGuard(settings);
    expect(guard.observe(100, 0)).toBe('keep');
    expect(guard.observe(101, 1)).toBe('degrade');
    expect(guard.observe(500, 2_000)).toBe('keep');
    expect(guard.observe(50, 3_000)).toBe('keep');
    expect(guard.observe(9, 4_000)).toBe('restore');
    expect(guard.observe(9, 9_000)).toBe('keep');
  });

  it('does not change its mind within the interval', () => {
    const guard = new OverloadGuard(settings);
    expect(guard.observe(101, 0)).toBe('degrade');
    expect(guard.observe(0, 999)).toBe('keep');
    expect(guard.observe(0, 1_000)).toBe('restore');
    expect(guard.observe(101, 1_999)).toBe('keep');
    expect(guard.observe(101, 2_000)).toBe('degrade');
  });
});
