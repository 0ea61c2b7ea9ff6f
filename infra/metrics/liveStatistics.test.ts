import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveStatistics } from './liveStatistics.ts';

const START_MS = 1_767_225_600_000;

function at(startMs = START_MS): { readonly statistics: LiveStatistics; readonly clock: { nowMs: number } } {
  const clock = { nowMs: startMs };
  return { statistics: new LiveStatistics(() => clock.nowMs), clock };
}

describe('LiveStatistics', () => {
  it('counts the finished seconds of the window, not the one that runs', () => {
    const { statistics, clock } = at();
    for (let index = 0; index < 30; index++) statistics.record('approve', 2);
    clock.nowMs += 1000;
    for (let index = 0; index < 10; index++) statistics.record('decline', 20);
    expect(statistics.window(10)).toMatchObject({ seconds: 1, decisionsPerSecond: 30, decisions: 30 });
    clock.nowMs += 1000;
    expect(statistics.window(10)).toMatchObject({
      seconds: 2,
      decisionsPerSecond: 20,
      verdicts: { approve: 30, challenge: 0, review: 0, decline: 10 },
    });
    expect(statistics.total).toBe(40);
  });

  it('forgets what the window has left behind, also after a silence longer than everything kept', () => {
    const { statistics, clock } = at();
    statistics.record('approve', 2);
    clock.nowMs += 11_000;
    expect(statistics.window(10)).toMatchObject({ decisions: 0, latencyP99Ms: null });
    clock.nowMs += 3_600_000;
    expect(statistics.window(60)).toMatchObject({ decisions: 0, seconds: 60 });
    expect(statistics.seconds(0)).toHaveLength(300);
    expect(statistics.seconds(clock.nowMs - 3000).map((second) => second.startMs)).toEqual([
      clock.nowMs - 2000,
      clock.nowMs - 1000,
    ]);
  });

  it('does not open a second again when the clock is set back', () => {
    const { statistics, clock } = at();
    clock.nowMs += 5000;
    statistics.record('approve', 1);
    clock.nowMs -= 3000;
    statistics.record('approve', 1);
    clock.nowMs += 4000;
    expect(statistics.window(60).decisions).toBe(2);
    const starts = statistics.seconds(0).map((second) => second.startMs);
    expect(starts).toEqual([...new Set(starts)].sort((left, right) => left - right));
  });

  it('clamps latencies that are negative or beyond a minute', () => {
    const { statistics, clock } = at();
    statistics.record('approve', -5);
    statistics.record('approve', 1e9);
    clock.nowMs += 1000;
    const { latencyP50Ms, latencyP999Ms } = statistics.window(1);
    expect(latencyP50Ms).toBe(0);
    expect(latencyP999Ms).toBeGreaterThanOrEqual(60_000);
  });

  it('gives percentiles within a hundredth of the sorted latencies', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 5000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (latencies) => {
          const { statistics, clock } = at();
          for (const [index, latency] of latencies.entries()) {
            if (index % 50 === 49) clock.nowMs += 1000;
            statistics.record('approve', latency);
          }
          clock.nowMs += 1000;
          const sorted = latencies.toSorted((left, right) => left - right);
          const window = statistics.window(60);
          for (const [percentile, found] of [
            [50, window.latencyP50Ms],
            [99, window.latencyP99Ms],
          ] as const) {
            const exact = sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1)] ?? NaN;
            expect(Math.abs((found ?? NaN) - exact)).toBeLessThanOrEqual(exact * 0.01 + 0.001);
          }
        },
      ),
    );
  });
});
