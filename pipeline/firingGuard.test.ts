import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';
import { FIRING_AUTHOR, FiringGuard } from './firingGuard.ts';
import { CountingTelemetry, DRIVER_SENDER, TopologyDriver } from './testing/topologyDriver.ts';

const HOUR_MS = 3_600_000;
const thresholds = { challenge: 600, review: 800, decline: 930 };
const text = { en: 'Much', zh: '大额' };
const rule: RuleDefinition = {
  ...{ id: 'large', version: 1, owner: 'o', when: 'tx.amountMinor > p.limit', params: { limit: 1_000 }, text },
  ...{ then: { verdict: 'review', score: 700, code: 'LARGE' }, mode: 'live', rollout: 100, examples: [] },
};
const definition: ConfigurationDefinition = {
  ruleSetVersion: 'limits.1',
  latenessMs: 0,
  recentIds: 10_000,
  features: [{ name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' }],
  rules: [rule],
  lists: [],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};
const drivers: TopologyDriver[] = [];
afterEach(async () => {
  for (const driver of drivers.splice(0)) await driver.stop();
});

/** A day in which 12 of 1,200 payments are large, then a moment in which 40 of 40 are. */
async function flooded(
  demote: boolean,
  more: Partial<ConfigurationDefinition> = {},
): Promise<{ readonly driver: TopologyDriver; pay(amountMinor: number): Promise<string> }> {
  const driver = await TopologyDriver.start({
    definition: { ...definition, ...more },
    settings: { firingLimits: { times: 20, minFirings: 20, demote } },
  });
  drivers.push(driver);
  let count = 0;
  const pay = async (amountMinor: number): Promise<string> => {
    count += 1;
    const payment = {
      transactionId: `t-${count}`,
      eventTimeMs: driver.nowMs,
      type: 'purchase',
      channel: 'card',
      amountMinor,
    };
    const answer = await driver.submit({ ...payment, currency: 'CNY', account: 'a' });
    return answer.kind === 'verdict' ? answer.verdict.verdict : answer.kind;
  };
  for (let hour = 0; hour < 12; hour++) {
    for (let index = 0; index < 100; index++) await pay(index === 0 ? 5_000 : 10);
    driver.nowMs += HOUR_MS;
  }
  for (let index = 0; index < 40; index++) expect(await pay(5_000)).toBe('review');
  driver.nowMs += 60_000;
  await pay(5_000);
  return { driver, pay };
}

describe('a rule that suddenly fires far more often', () => {
  it('is told once: in the log, the metrics and the readiness', async () => {
    const { driver, pay } = await flooded(false);
    driver.nowMs += 60_000;
    expect(await pay(5_000)).toBe('review');
    expect(driver.telemetry.count('firingAlert:large')).toBe(1);
    const said = driver.logged.map(({ message }) => message).filter((message) => message.includes('as often as usual'));
    expect(said).toHaveLength(1);
    const told =
      /^rule large fires \d+ times as often as usual: on \d+ of \d+ payments in 10 minutes, before on 12 of 1200$/;
    expect(said[0]).toMatch(told);
    expect(driver.pipeline.gateway.readiness()).toMatchObject({ ready: true, warning: expect.stringMatching(told) });
    expect(driver.pipeline.engine.publications.entries).toHaveLength(1);
  });

  it('goes into shadow where that is asked for, by one publication that replays and people undo', async () => {
    const { driver, pay } = await flooded(true);
    const { publications } = driver.pipeline.engine;
    await vi.waitFor(() => {
      expect(publications.entries).toHaveLength(2);
    });
    expect(await pay(5_000)).toBe('approve');
    const inForce = publications.entry(publications.inForceOffset);
    expect(inForce).toMatchObject({ version: 'limits.2', author: FIRING_AUTHOR });
    expect(inForce?.reason).toMatch(/^rule large fires \d+ times as often as usual/);
    driver.nowMs += 60_000;
    await pay(5_000);
    expect(publications.entries).toHaveLength(2);
    const undone = await driver.pipeline.gateway.changeRules(
      { kind: 'rollback', version: null },
      { reason: 'it was right' },
      DRIVER_SENDER,
    );
    expect(undone).toBeNull();
    await vi.waitFor(() => {
      expect(publications.entries).toHaveLength(3);
    });
    expect(await pay(5_000)).toBe('review');
    const report = await driver.replay();
    expect(report).toMatchObject({ different: 0, equal: report.decisions });
  });

  it('is only proposed for shadow where a second person must agree', async () => {
    const { driver, pay } = await flooded(true, { approvals: 1 });
    const open = () => driver.pipeline.engine.publications.entries.filter(({ effect }) => effect === 'open');
    await vi.waitFor(() => {
      expect(open()).toHaveLength(1);
    });
    driver.nowMs += 60_000;
    expect(await pay(5_000)).toBe('review');
    expect(open()).toMatchObject([{ author: FIRING_AUTHOR, step: 'propose' }]);
  });

  it('says nothing of a moment that is over, when a start reads it back', async () => {
    const { driver, pay } = await flooded(false);
    for (let index = 0; index < 300; index++) {
      driver.nowMs += 3_000;
      await pay(10);
    }
    await driver.pipeline.caughtUp();
    const telemetry = new CountingTelemetry();
    const said: string[] = [];
    const say = (_: object, message: string): void => void said.push(message);
    let reads = 0;
    const guard: FiringGuard = new FiringGuard(
      {
        ...{ logger: { info: say, warn: say }, telemetry, plan: unasked, request: unasked },
        configuration: () => driver.pipeline.engine.configuration,
        decisions: {
          lastOffset: () => driver.decisions.lastOffset(),
          read: async (fromOffset, toOffset) => {
            reads += 1;
            guard.check();
            return driver.decisions.read(fromOffset, toOffset);
          },
        },
      },
      { times: 20, minFirings: 20, demote: true },
    );
    guard.readBack(new AbortController().signal);
    await guard.settled();
    guard.check();
    expect(reads).toBeGreaterThan(10);
    expect(guard.warning).toBeNull();
    expect(said).toEqual([]);
    expect(telemetry.count('firingAlert:large')).toBe(0);
  });
});

function unasked(): never {
  throw new Error('nothing is to be published');
}
