import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuleDefinition } from '../../operators/definitions.ts';
import type { RuleFiring } from '../../schemas/types.ts';
import { FiringWatch, MIN_USUAL_PAYMENTS, RECENT_MINUTES, USUAL_HOURS, type FiringLimits } from './firingWatch.ts';

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const limits: FiringLimits = { times: 20, minFirings: 5, demote: false };

function rule(id: string, rollout = 100): RuleDefinition {
  const then = { verdict: 'review' as const, score: 1, code: 'R' };
  const text = { en: id, zh: id };
  return { id, version: 1, owner: 'o', when: 'true', params: {}, then, text, mode: 'live', rollout, examples: [] };
}

interface Fired {
  readonly status: 'new' | 'duplicate';
  readonly engineTimeMs: number;
  readonly rulesFired: readonly RuleFiring[];
}

function decision(engineTimeMs: number, ...rules: readonly string[]): Fired {
  const rulesFired = rules.map((id) => ({ rule: id, version: 1, mode: 'live' as const, snoozed: false }));
  return { status: 'new', engineTimeMs, rulesFired };
}

/** `payments` an hour for `hours`, of which the first `firings` make the rule fire. */
function usualHours(watch: FiringWatch, hours: number, payments: number, firings: number): number {
  for (let index = 0; index < hours * payments; index++) {
    const timeMs = START_MS + Math.floor((index * HOUR_MS) / payments);
    watch.observe(index % payments < firings ? decision(timeMs, 'a') : decision(timeMs));
  }
  return START_MS + hours * HOUR_MS;
}

function burst(watch: FiringWatch, fromMs: number, payments: number, firings: number): void {
  for (let index = 0; index < payments; index++)
    watch.observe(decision(fromMs + index, ...(index < firings ? ['a'] : [])));
}

describe('a watch over how often rules fire', () => {
  it('names a rule that fires 20 times its usual share, with both shares', () => {
    const watch = new FiringWatch();
    watch.rulesAre([rule('a')]);
    const now = usualHours(watch, 10, 1_000, 10) + RECENT_MINUTES * MINUTE_MS;
    burst(watch, now, 100, 19);
    expect(watch.check(limits)).toEqual([]);
    burst(watch, now, 100, 23);
    const [excess, ...others] = watch.check(limits);
    expect(others).toEqual([]);
    expect(excess).toMatchObject({
      rule: 'a',
      recentFirings: 42,
      recentPayments: 200,
      usualFirings: 100,
      usualPayments: 10_000,
    });
    expect(excess?.times).toBeCloseTo(20.8, 1);
  });

  it('says nothing of few firings, of few payments, and of a rule that was just changed', () => {
    const few = new FiringWatch();
    few.rulesAre([rule('a')]);
    burst(few, usualHours(few, 10, 1_000, 0) + HOUR_MS, 4, 4);
    expect(few.check(limits)).toEqual([]);
    const young = new FiringWatch();
    young.rulesAre([rule('a')]);
    burst(young, usualHours(young, 1, MIN_USUAL_PAYMENTS - 1, 0) + HOUR_MS, 50, 50);
    expect(young.check(limits)).toEqual([]);
    const changed = new FiringWatch();
    changed.rulesAre([rule('a', 5)]);
    const now = usualHours(changed, 10, 1_000, 1);
    changed.rulesAre([rule('a', 100)]);
    burst(changed, now + HOUR_MS, 100, 90);
    expect(changed.check(limits)).toEqual([]);
  });

  it('counts neither shadow rules, snoozed ones and repeats, nor what is older than its hours', () => {
    const watch = new FiringWatch();
    watch.rulesAre([rule('a')]);
    const now = usualHours(watch, 10, 1_000, 0) + HOUR_MS;
    for (let index = 0; index < 50; index++) {
      const fired = { rule: 'a', version: 1 };
      watch.observe({ ...decision(now), rulesFired: [{ ...fired, mode: 'shadow', snoozed: false }] });
      watch.observe({ ...decision(now), rulesFired: [{ ...fired, mode: 'live', snoozed: true }] });
      watch.observe({ ...decision(now, 'a'), status: 'duplicate' });
    }
    expect(watch.check({ ...limits, minFirings: 1 })).toEqual([]);
    burst(watch, now + (USUAL_HOURS + 1) * HOUR_MS, 50, 50);
    expect(watch.check(limits)).toEqual([]);
  });

  it('is due once a minute of the engine’s time', () => {
    const watch = new FiringWatch();
    watch.rulesAre([rule('a')]);
    expect(watch.isDue).toBe(false);
    watch.observe(decision(START_MS));
    expect(watch.isDue).toBe(true);
    watch.check(limits);
    watch.observe(decision(START_MS + 59_999));
    expect(watch.isDue).toBe(false);
    watch.observe(decision(START_MS + MINUTE_MS));
    expect(watch.isDue).toBe(true);
  });

  it('says what counting all decisions at once says, in whatever order they come', () => {
    let excesses = 0;
    fc.assert(
      fc.property(
        fc.array(fc.record({ hour: fc.nat(USUAL_HOURS + 20), firings: fc.constantFrom(0, 0, 0, 1, 30) }), {
          minLength: 5,
          maxLength: 25,
        }),
        fc.nat(60),
        fc.integer({ min: 0, max: 1_000 }),
        (groups, recentFirings, seed) => {
          const nowMs = START_MS + (USUAL_HOURS + 30) * HOUR_MS;
          const decisions = [
            ...groups.flatMap(({ hour, firings }) =>
              Array.from({ length: 100 }, (_, index) =>
                decision(START_MS + hour * HOUR_MS, ...(index < firings ? ['a'] : [])),
              ),
            ),
            ...Array.from({ length: 80 }, (_, index) =>
              decision(nowMs - (index % 10) * MINUTE_MS, ...(index < recentFirings ? ['a'] : [])),
            ),
          ];
          const watch = new FiringWatch();
          watch.rulesAre([rule('a')]);
          const shuffled = decisions
            .map((each, index) => [(index * 7919 + seed) % 104_729, each] as const)
            .sort(([a], [b]) => a - b);
          for (const [, each] of shuffled) watch.observe(each);
          const found = watch.check({ ...limits, times: 5 });
          const hourOf = (timeMs: number): number => Math.floor(timeMs / HOUR_MS);
          const usual = decisions.filter(
            ({ engineTimeMs }) =>
              engineTimeMs <= nowMs - RECENT_MINUTES * MINUTE_MS && hourOf(engineTimeMs) > hourOf(nowMs) - USUAL_HOURS,
          );
          const usualFirings = usual.filter(({ rulesFired }) => rulesFired.length > 0).length;
          const times = (recentFirings * (usual.length + 1)) / ((usualFirings + 1) * 80);
          const isExcess = recentFirings >= 5 && usual.length >= MIN_USUAL_PAYMENTS && times >= 5;
          excesses += isExcess ? 1 : 0;
          expect(found.map((each) => [each.usualFirings, each.usualPayments, each.times])).toEqual(
            isExcess ? [[usualFirings, usual.length, times]] : [],
          );
        },
      ),
      { numRuns: 100 },
    );
    expect(excesses).toBeGreaterThan(3);
  });
});
