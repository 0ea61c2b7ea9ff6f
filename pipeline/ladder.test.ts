import { afterEach, describe, expect, it } from 'vitest';
import { HistoryWriter } from './history.ts';
import { DEADLINE_MS, LADDER_START_MS, LadderDriver } from './testing/ladderDriver.ts';
import { MemoryHistory } from './testing/memoryHistory.ts';

/** After each test every verdict that was told is held against ledger and decisions, and these against a replay. */
const running: LadderDriver[] = [];

async function start(): Promise<LadderDriver> {
  const driver = await LadderDriver.start();
  running.push(driver);
  return driver;
}

afterEach(async () => {
  for (const driver of running.splice(0)) expect(await driver.check()).toEqual([]);
});

const FULL = { mode: 'full', degraded: [] };
const NO_MODEL = { mode: 'noModel', degraded: ['model'] };
const FALLBACK = { verdict: 'challenge', score: 0, mode: 'fallback', degraded: ['rules', 'model'] };

describe('the ladder as people set it', () => {
  it('each rung is what the next verdicts say', async () => {
    const driver = await start();
    expect(await driver.verdict('t-1')).toMatchObject(FULL);
    await driver.setDegradation('noModel');
    expect(await driver.verdict('t-2')).toMatchObject({ ...NO_MODEL, model: null });
    await driver.setDegradation('rulesOnly');
    expect(await driver.verdict('t-3')).toMatchObject({ mode: 'rulesOnly' });
    await driver.setDegradation('full');
    expect(await driver.verdict('t-4')).toMatchObject(FULL);
    // Sluice undoes only what it did itself.
    expect(await driver.steps()).toEqual([]);
  });
});

describe('a slow model', () => {
  it('within the deadline changes nothing', async () => {
    const driver = await start();
    driver.model.delayMs = DEADLINE_MS / 2;
    for (let number = 0; number < 20; number++) expect(await driver.verdict(`t-${number}`)).toMatchObject(FULL);
    expect(await driver.steps()).toEqual([]);
  });

  it('once beyond it costs that payment its decision, not its successors the model', async () => {
    const driver = await start();
    driver.model.delayMs = 150;
    expect(await driver.verdict('t-1')).toMatchObject(FALLBACK);
    driver.model.delayMs = 0;
    expect(await driver.verdict('t-2')).toMatchObject(FULL);
    expect(await driver.steps()).toEqual([]);
  });

  it('is left out, and tried again later and later while it stays slow', async () => {
    const driver = await start();
    driver.model.delayMs = 150;
    const steps: [sinceMs: number, mode: string][] = [];
    for (let number = 0; driver.time.nowMs < LADDER_START_MS + 12_000; number++) {
      const { mode } = await driver.verdict(`t-${number}`);
      if (mode !== steps.at(-1)?.[1]) steps.push([driver.time.nowMs - LADDER_START_MS, mode]);
    }
    // A few fallbacks show that it is slow; then rules decide at once, but for the payments of each trial.
    expect(steps.map(([, mode]) => mode)).toEqual(
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? 'fallback' : 'noModel')),
    );
    const rules = steps.flatMap(([sinceMs, mode], index) =>
      mode === 'noModel' ? [(steps[index + 1]?.[0] ?? NaN) - sinceMs] : [],
    );
    expect(rules.map((durationMs) => Math.round(durationMs / 1_000))).toEqual([1, 2, 4, NaN]);
    expect(await driver.steps()).toEqual(['noModel', 'full', 'noModel', 'full', 'noModel', 'full', 'noModel']);
    driver.model.delayMs = 0;
    await driver.time.pass(10_000);
    await driver.verdict('v-1');
    expect(await driver.verdict('v-2')).toMatchObject(FULL);
  });

  it('that hangs is left out before its call is over', async () => {
    const driver = await start();
    driver.model.delayMs = 3_000;
    const sent = Array.from({ length: 20 }, (_, number) => {
      return (async () => {
        await driver.time.after(number * 50);
        return driver.send(`t-${number}`);
      })();
    });
    await driver.time.pass(2_000);
    expect(await driver.steps()).toEqual(['noModel']);
    for (const each of await Promise.all(sent)) {
      expect(each.answer).toMatchObject({ kind: 'verdict', verdict: FALLBACK });
    }
    // The payments behind the step are decided without it once the call is over.
    await driver.time.pass(10_000);
    const last = await driver.topology.decision('t-19');
    expect(last).toMatchObject(NO_MODEL);
    expect(await driver.topology.decision('t-0')).toMatchObject({ mode: 'full' });
  });
});

describe('an event loop that is stuck', () => {
  it('answers what came before it with the fallback, and what comes after it in full', async () => {
    const driver = await start();
    driver.model.delayMs = 10;
    const before = driver.send('t-1');
    await driver.time.pass(5);
    await driver.time.stick(400);
    expect(before.answer).toMatchObject({ kind: 'verdict' });
    expect(await driver.verdict('t-2')).toMatchObject(FULL);
    expect(await driver.steps()).toEqual([]);
  });

  it('between acceptance and append refuses nothing that can still be decided', async () => {
    const driver = await start();
    const before = driver.send('t-1');
    await driver.time.stick(90);
    expect(before.answer).toMatchObject({ kind: 'verdict', verdict: FULL });
  });
});

describe('a full disk', () => {
  const REFUSED = { kind: 'unavailable', refusal: { code: 'SLUICE_LEDGER_FULL' }, retryAfterSeconds: 1 };

  it('under the ledger refuses payments, and nothing is told that is not written', async () => {
    const driver = await start();
    expect(await driver.verdict('t-1')).toMatchObject(FULL);
    driver.ledgerDisk.isFull = true;
    expect(await driver.pay('t-2')).toMatchObject(REFUSED);
    driver.ledgerDisk.isFull = false;
    expect(await driver.verdict('t-2')).toMatchObject({ ...FULL, status: 'new' });
  });

  it('that fills before the deadline gives no fallback that a crash could lose', async () => {
    const driver = await start();
    driver.model.delayMs = 150;
    const sent = driver.send('t-1');
    await driver.time.pass(50);
    driver.ledgerDisk.isFull = true;
    await driver.time.pass(60);
    expect(sent.answer).toMatchObject(REFUSED);
    driver.ledgerDisk.isFull = false;
    await driver.time.pass(200);
    expect(await driver.verdict('t-1')).toMatchObject({ ...FULL, status: 'duplicate' });
  });

  it('under the decisions gives the fallback, and the decision is stored once there is room', async () => {
    const driver = await start();
    driver.decisionsDisk.isFull = true;
    expect(await driver.verdict('t-1')).toMatchObject(FALLBACK);
    expect(await driver.topology.decision('t-1')).toBeUndefined();
    driver.decisionsDisk.isFull = false;
    await driver.time.pass(1_000);
    expect(await driver.topology.decision('t-1')).toMatchObject({ mode: 'full' });
    expect(await driver.verdict('t-1')).toMatchObject({ ...FALLBACK, status: 'duplicate' });
    // A disk is not helped by leaving out the model.
    expect(await driver.steps()).toEqual([]);
  });

  it('that is slow, too: the payment that is not written in time is refused, and the retry gets its verdict', async () => {
    const driver = await start();
    driver.ledgerDisk.delayMs = 250;
    expect(await driver.pay('t-1')).toMatchObject({ kind: 'unavailable', refusal: { code: 'SLUICE_LEDGER_SLOW' } });
    driver.ledgerDisk.delayMs = 0;
    await driver.time.pass(500);
    expect(await driver.verdict('t-1')).toMatchObject({ ...FULL, status: 'duplicate' });
  });
});

describe('a history that is gone', () => {
  it('delays no verdict and takes nothing out of it', async () => {
    const driver = await start();
    const history = new MemoryHistory();
    history.failNextWrites = Infinity;
    const silent = { info: () => undefined, warn: () => undefined };
    const { ledger, decisions } = driver.topology;
    const stop = new AbortController();
    const writer = new HistoryWriter({
      ...{ ledger, decisions, history, logger: silent },
      ...{ maxWaitMs: 1, firstBackoffMs: 1, maxBackoffMs: 2 },
    });
    const written = writer.run(stop.signal);
    for (let number = 0; number < 50; number++) {
      const sent = driver.send(`t-${number}`);
      await driver.time.pass(1);
      expect(sent.answer).toMatchObject({ kind: 'verdict', verdict: FULL });
    }
    expect(await driver.steps()).toEqual([]);
    history.failNextWrites = 0;
    await writer.reached(ledger.endOffset());
    stop.abort();
    await written;
    const kept = [...history.records.values()].filter(({ decision }) => decision !== null);
    expect(kept.map(({ decision }) => decision?.mode)).toEqual(Array.from({ length: 50 }, () => 'full'));
  });
});

describe('micro-batches', () => {
  it('hold what waits when the model is free, and never wait for more', async () => {
    const driver = await start();
    driver.model.calls.length = 0;
    driver.model.delayMs = 40;
    // Alone: at once, without any time passing before the call.
    driver.send('t-0');
    await driver.time.pass(0);
    expect(driver.model.calls).toEqual([1]);
    // What comes while the model is busy goes together, up to the bound, as soon as it is free.
    for (let number = 1; number <= 6; number++) {
      driver.send(`t-${number}`);
      await driver.time.pass(2);
    }
    expect(driver.model.calls).toEqual([1]);
    await driver.time.pass(28);
    expect(driver.model.calls).toEqual([1, 4]);
    await driver.time.pass(40);
    expect(driver.model.calls).toEqual([1, 4, 2]);
    await driver.time.pass(40);
    // And alone again once nothing waits.
    driver.send('t-7');
    await driver.time.pass(0);
    expect(driver.model.calls).toEqual([1, 4, 2, 1]);
    await driver.time.pass(40);
  });
});
