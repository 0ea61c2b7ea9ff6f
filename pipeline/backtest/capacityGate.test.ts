import { describe, expect, it } from 'vitest';
import type { AlertLoad } from './backtestReport.ts';
import { capacityExcess, excessText, forcedReason } from './capacityGate.ts';

const load = (perDay: number): AlertLoad => {
  return { alerts: perDay, perDay, busiestDay: null, onBusiestDay: 0, daysOverCapacity: null };
};

function excess(capacityPerDay: number | null, perDay: number) {
  const alerts = { verdicts: ['review'] as const, capacityPerDay, before: load(0), after: load(perDay) };
  return capacityExcess({ alerts });
}

describe('the capacity gate', () => {
  it('lets through what the team can work off, and everything where none is declared', () => {
    expect([excess(500, 500), excess(null, 1e9)]).toEqual([null, null]);
  });

  it('tells what is more', () => {
    const found = excess(500, 1612.34);
    expect(found === null ? '' : excessText(found)).toBe("1,612.3 alerts a day, the review team's capacity is 500");
  });

  it('keeps why it was forced before all else', () => {
    const kept = forcedReason('612 alerts a day', 'attack under way', 'x'.repeat(300));
    expect(kept).toHaveLength(256);
    expect(kept).toMatch(/^forced \(612 alerts a day\): attack under way; xxx/);
  });
});
