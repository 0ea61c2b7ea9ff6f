import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Random } from '../../pipeline/simulate/random.ts';
import { PaymentSender, type Acknowledged } from '../testing/paymentSender.ts';
import { paymentCounts, readStored, type StoredData } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';

const KILLS = 20;
const PAYMENTS_PER_SECOND = 40;
/** What is killed: Sluice itself, its ClickHouse, both at once, or Sluice and then its successor while that starts. */
const TARGETS = ['sluice', 'sluice', 'history', 'both', 'starting'] as const;
const SEED_VARIABLE = 'SLUICE_KILL_SEED';

it(
  'loses and doubles nothing when it is killed 20 times at random points under load',
  { timeout: 600_000 },
  async () => {
    const seed = Number(process.env[SEED_VARIABLE] ?? Math.floor(Math.random() * 1e9));
    console.log(`killUnderLoad: seed ${seed}; ${SEED_VARIABLE}=${seed} runs the same kills again`);
    const random = new Random(seed, 'kills');
    const deployment = new TestDeployment();
    let up = await deployment.up();
    const sender = new PaymentSender({
      apiKey: deployment.gatewayKey,
      url: () => up.url,
      paymentsPerSecond: PAYMENTS_PER_SECOND,
      seed,
    });
    sender.start();
    for (let kills = 0; kills < KILLS;) {
      const target = random.pick(TARGETS);
      await sleep(random.integer(50, 2_000));
      if (target === 'history' || target === 'both') killIfThere(up.historyPid);
      kills += 1;
      if (target === 'history') continue;
      await up.kill();
      if (target === 'starting' && kills < KILLS) {
        const successor = deployment.spawnUp();
        await sleep(random.integer(50, 2_000));
        successor.kill('SIGKILL');
        await successor.ended;
        kills += 1;
      }
      up = await deployment.up();
    }
    await sender.finish();

    await up.historyCaughtUp((await readStored(deployment.dataDir)).records.length);
    const inHistory = {
      transactions: await historyCounts('transactions'),
      decisions: await historyCounts('decisions'),
    };
    expect(await up.interrupt()).toBe(0);
    const stored = await readStored(deployment.dataDir);
    const ids = [...sender.acknowledged.keys()].sort();
    expect(ids.length).toBeGreaterThan(KILLS);
    expect(sender.contradicted).toEqual([]);
    expect(timesNotOnce(paymentCounts(stored), ids)).toEqual([]);
    expect(decisionFaults(stored, sender.acknowledged)).toEqual([]);
    expect(timesNotOnce(inHistory.transactions, ids)).toEqual([]);
    expect(timesNotOnce(inHistory.decisions, ids)).toEqual([]);

    async function historyCounts(table: string): Promise<ReadonlyMap<string, number>> {
      const rows = await up.historyRows(
        `SELECT transaction_id, toUInt32(count()) AS n FROM sluice.${table} GROUP BY 1`,
      );
      return new Map(rows.map((row) => [String(row['transaction_id']), Number(row['n'])]));
    }
  },
);

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It had been killed before and is not up again yet.
  }
}

/** Every id that is not there exactly once, and every id that is there unasked. */
function timesNotOnce(counts: ReadonlyMap<string, number>, ids: readonly string[]): string[] {
  const expected = new Set(ids);
  const unasked = [...counts.keys()].filter((id) => !expected.has(id)).map((id) => `${id}: never acknowledged`);
  const wrong = ids.filter((id) => counts.get(id) !== 1).map((id) => `${id}: ${counts.get(id) ?? 0} times`);
  return [...wrong, ...unasked];
}

/** One decision on every payment, and what the gateway was told is it, or the fallback that the ledger tells of. */
function decisionFaults(stored: StoredData, acknowledged: ReadonlyMap<string, Acknowledged>): string[] {
  const decided = new Map<string, string[]>();
  for (const { transactionId, verdict } of stored.decisions) {
    decided.set(transactionId, [...(decided.get(transactionId) ?? []), verdict]);
  }
  const fallbacks = new Map(
    stored.records.flatMap((record) =>
      record.kind === 'fallback' ? [[record.event.transactionId, record.event.verdict] as const] : [],
    ),
  );
  const faults: string[] = [];
  for (const [id, { verdict, mode }] of acknowledged) {
    const verdicts = decided.get(id) ?? [];
    const told = fallbacks.get(id) ?? verdicts[0];
    const isFallback = fallbacks.has(id);
    if (verdicts.length === 1 && told === verdict && isFallback === (mode === 'fallback')) continue;
    faults.push(
      `${id}: told ${verdict} (${mode}), decided ${verdicts.join(', ')}, fallback ${fallbacks.get(id) ?? 'none'}`,
    );
  }
  return faults;
}
