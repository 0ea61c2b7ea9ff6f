import { describe, expect, it } from 'vitest';
import type { Degradation } from '../../schemas/types.ts';
import { OverloadGuard } from './overloadGuard.ts';

const settings = { degradeAtRecords: 100, restoreAtRecords: 10, minIntervalMs: 1_000, slowBatchMs: 50 };

describe('the overload guard, by the records that wait', () => {
  it('goes down the ladder above one bound and up again only below the other', () => {
    const guard = new OverloadGuard(settings);
    expect(guard.next(100, 'full', 0)).toBeNull();
    expect(guard.next(101, 'full', 1)).toBe('noModel');
    expect(guard.next(50, 'noModel', 3_000)).toBeNull();
    expect(guard.next(500, 'noModel', 4_000)).toBe('rulesOnly');
    expect(guard.next(500, 'rulesOnly', 6_000)).toBeNull();
    expect(guard.next(9, 'rulesOnly', 7_000)).toBe('noModel');
    expect(guard.next(9, 'noModel', 8_000)).toBe('full');
    expect(guard.next(9, 'full', 9_000)).toBeNull();
  });

  it('restores after a restart what an earlier run degraded', () => {
    expect(new OverloadGuard(settings).next(0, 'noModel', 0)).toBe('full');
  });

  it('does not change its mind within the interval', () => {
    const guard = new OverloadGuard(settings);
    expect(guard.next(101, 'full', 0)).toBe('noModel');
    expect(guard.next(0, 'noModel', 999)).toBeNull();
    expect(guard.next(0, 'noModel', 1_000)).toBe('full');
    expect(guard.next(101, 'full', 1_999)).toBeNull();
    expect(guard.next(101, 'full', 2_000)).toBe('noModel');
  });
});

describe('the overload guard, by how long batches take', () => {
  function batch(guard: OverloadGuard, fromMs: number, durationMs: number, inForce: Degradation): Degradation | null {
    guard.begins(fromMs);
    guard.ends(fromMs + durationMs, 1);
    return guard.next(0, inForce, fromMs + durationMs);
  }

  it('takes one slow batch for a stall, and a row of them for a slow model', () => {
    const guard = new OverloadGuard(settings);
    expect(batch(guard, 0, 400, 'full')).toBeNull();
    expect(batch(guard, 400, 50, 'full')).toBeNull();
    expect(batch(guard, 500, 150, 'full')).toBeNull();
    expect(batch(guard, 650, 150, 'full')).toBeNull();
    expect(batch(guard, 800, 150, 'full')).toBe('noModel');
  });

  it('does not wait for the end of a batch that has been under way for too long', () => {
    const guard = new OverloadGuard(settings);
    guard.begins(0);
    expect(guard.next(0, 'full', 100)).toBeNull();
    expect(guard.next(0, 'full', 349)).toBeNull();
    expect(guard.next(0, 'full', 350)).toBe('noModel');
  });

  it('takes nothing for well because the batch under way has only begun', () => {
    const guard = new OverloadGuard(settings);
    expect(batch(guard, 0, 150, 'full')).toBeNull();
    guard.begins(150);
    expect(guard.next(0, 'full', 190)).toBeNull();
    guard.ends(300, 1);
    expect(guard.next(0, 'full', 400)).toBe('noModel');
  });

  it('learns nothing from batches without payments', () => {
    const guard = new OverloadGuard(settings);
    expect(batch(guard, 0, 150, 'full')).toBeNull();
    guard.begins(200);
    guard.ends(201, 0);
    expect(guard.next(0, 'full', 201)).toBeNull();
    expect(batch(guard, 10_000, 150, 'full')).toBe('noModel');
  });

  it('waits twice as long before each further step up that does not hold, and forgets it once one has', () => {
    const guard = new OverloadGuard(settings);
    const waits: number[] = [];
    let nowMs = 0;
    const untilSteps = (durationMs: number, inForce: Degradation): void => {
      while (batch(guard, nowMs, durationMs, inForce) === null) nowMs += Math.max(10, durationMs);
    };
    for (let round = 0; round < 9; round++) {
      untilSteps(200, 'full');
      const fromMs = nowMs;
      untilSteps(1, 'noModel');
      waits.push(Math.round((nowMs - fromMs) / 1_000));
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64]);
    nowMs += 10_000;
    untilSteps(200, 'full');
    const fromMs = nowMs;
    untilSteps(1, 'noModel');
    expect(Math.round((nowMs - fromMs) / 1_000)).toBe(1);
  });
});
