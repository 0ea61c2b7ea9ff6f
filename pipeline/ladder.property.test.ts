import { expect, it } from 'vitest';
import { Random } from './simulate/random.ts';
import { LadderDriver } from './testing/ladderDriver.ts';

const LEAST_RUNS = 5;
/** Until each rung was reached. */
const MOST_RUNS = 40;
const RUNGS = ['fallback', 'full', 'noModel', 'rulesOnly', 'unavailable'];
const STEPS = 120;
const SEED_VARIABLE = 'SLUICE_LADDER_SEED';

/**
 * Gateways that pay while models, disks and the event loop fail and recover as a seed has it. Whatever happens, what each gateway
 * was told is what ledger and decisions say, a retry hears it again, each mode is the one that the ledger's postures ask for,
 * and a replay gives the same bytes.
 */
it('what is told is what is recorded, under any faults', { timeout: 300_000 }, async () => {
  const seed = Number(process.env[SEED_VARIABLE] ?? Math.floor(Math.random() * 1e9));
  console.log(`ladder: seed ${seed}; ${SEED_VARIABLE}=${seed} runs the same faults again`);
  const seen = new Map<string, number>();
  for (let run = 0; run < LEAST_RUNS || (seen.size < RUNGS.length && run < MOST_RUNS); run++) {
    const driver = await LadderDriver.start();
    const random = new Random(seed, 'ladder', run);
    for (let step = 0; step < STEPS; step++) await breakSomething(driver, random, step);
    expect([seed, run, await driver.check()]).toEqual([seed, run, []]);
    for (const { answer } of driver.sent.values()) {
      const kind = answer?.kind === 'verdict' ? answer.verdict.mode : (answer?.kind ?? 'none');
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
  }
  // Faults that reach no rung would show nothing.
  expect([...seen.keys()].sort()).toEqual(RUNGS);
});

async function breakSomething(driver: LadderDriver, random: Random, step: number): Promise<void> {
  const { model, ledgerDisk, decisionsDisk, time } = driver;
  if (random.chance(0.1)) model.delayMs = random.pick([0, 0, 5, 60, 120, 400]);
  if (random.chance(0.08)) ledgerDisk.isFull = random.chance(0.4);
  if (random.chance(0.08)) decisionsDisk.isFull = random.chance(0.4);
  if (random.chance(0.08)) ledgerDisk.delayMs = random.pick([0, 0, 3, 110]);
  if (random.chance(0.08)) decisionsDisk.delayMs = random.pick([0, 0, 3, 110]);
  if (random.chance(0.05) && !ledgerDisk.isFull && ledgerDisk.delayMs === 0)
    await driver.setDegradation(random.pick(['full', 'full', 'noModel', 'rulesOnly']));
  const payments = random.chance(0.1) ? random.integer(5, 30) : random.integer(0, 3);
  for (let number = 0; number < payments; number++) {
    const isRetry = driver.sent.size > 0 && random.chance(0.1);
    driver.send(isRetry ? random.pick([...driver.sent.keys()]) : `t-${String(step)}-${String(number)}`);
    if (random.chance(0.5)) await time.pass(random.integer(0, 4));
  }
  if (random.chance(0.1)) await time.stick(random.pick([20, 90, 150, 600]));
  else await time.pass(random.pick([1, 5, 20, 100, 300]));
}
