import { describe, expect, it } from 'vitest';
import { OverloadGuard } from './overloadGuard.ts';

describe('the overload guard', () => {
  const settings = { degradeAtRecords: 100, restoreAtRecords: 10, minIntervalMs: 1_000 };

  it('degrades above one bound and restores only below the other', () => {
    const guard = new OverloadGuard(settings);
    expect(guard.observe(100, false, 0)).toBe('keep');
    expect(guard.observe(101, false, 1)).toBe('degrade');
    expect(guard.observe(500, true, 2_000)).toBe('keep');
    expect(guard.observe(50, true, 3_000)).toBe('keep');
    expect(guard.observe(9, true, 4_000)).toBe('restore');
    expect(guard.observe(9, false, 9_000)).toBe('keep');
  });

  it('restores after a restart what an earlier run degraded', () => {
    expect(new OverloadGuard(settings).observe(0, true, 0)).toBe('restore');
  });

  it('does not change its mind within the interval', () => {
    const guard = new OverloadGuard(settings);
    expect(guard.observe(101, false, 0)).toBe('degrade');
    expect(guard.observe(0, true, 999)).toBe('keep');
    expect(guard.observe(0, true, 1_000)).toBe('restore');
    expect(guard.observe(101, false, 1_999)).toBe('keep');
    expect(guard.observe(101, false, 2_000)).toBe('degrade');
  });
});
