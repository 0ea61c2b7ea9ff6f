import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PaymentSender } from '../testing/paymentSender.ts';
import { readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';
import type { UpSluice } from '../testing/upSluice.ts';

const PAYMENTS_PER_SECOND = 60;
const POLL_MS = 50;

/** What can become of ClickHouse, how far history is then to fall behind, and how it comes back. */
const FAULTS = [
  {
    name: 'killed',
    begin: (pid: number) => process.kill(pid, 'SIGKILL'),
    // It is up again within a second or so.
    leastLagRecords: 1,
    end: () => undefined,
  },
  {
    name: 'hung',
    begin: (pid: number) => process.kill(pid, 'SIGSTOP'),
    leastLagRecords: 3 * PAYMENTS_PER_SECOND,
    end: (pid: number) => process.kill(pid, 'SIGCONT'),
  },
] as const;

it.each(FAULTS)(
  'verdicts go on while ClickHouse is $name, and history catches up exactly',
  { timeout: 240_000 },
  async ({ begin, leastLagRecords, end }) => {
    const deployment = new TestDeployment({ replace: [['deadline: 100ms', 'deadline: 10s']] });
    const up = await deployment.up();
    const sender = new PaymentSender({
      apiKey: deployment.gatewayKey,
      url: () => up.url,
      paymentsPerSecond: PAYMENTS_PER_SECOND,
      seed: 3,
    });
    sender.start();
    for (let round = 0; round < 3; round += 1) {
      await until(up, async () => (await up.metric('sluice_history_lag_records')) < PAYMENTS_PER_SECOND);
      const pid = await livingHistory(up);
      const [acknowledgedBefore, reached] = [sender.acknowledged.size, await up.metric('sluice_history_offset')];
      begin(pid);
      // Verdicts keep coming, and what history misses is told.
      await until(up, async () => {
        const lagRecords = await up.metric('sluice_history_lag_records');
        return sender.acknowledged.size > acknowledgedBefore + PAYMENTS_PER_SECOND / 2 && lagRecords >= leastLagRecords;
      });
      expect(await up.metric('sluice_history_offset')).toBeGreaterThanOrEqual(reached);
      end(pid);
    }
    await sender.finish();
    expect(sender.contradicted).toEqual([]);

    const { records, decisions } = await readStored(deployment.dataDir);
    await up.historyCaughtUp(records.length);
    const payments = sender.acknowledged.size;
    expect(decisions.filter(({ status }) => status === 'new').length).toBe(payments);
    for (const table of ['transactions', 'decisions']) {
      expect(
        await up.historyRows(
          `SELECT toUInt32(count()) AS n, toUInt32(uniqExact(transaction_id)) AS ids FROM sluice.${table}`,
        ),
      ).toEqual([{ n: payments, ids: payments }]);
    }
    expect(await up.interrupt()).toBe(0);
  },
);

/** The pid of ClickHouse once it answers: a round may find it still starting. */
async function livingHistory(up: UpSluice): Promise<number> {
  await until(up, async () => (await fetch(`${up.historyUrl}/ping`).catch(() => null))?.status === 200);
  return up.historyPid;
}

async function until(up: UpSluice, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 40_000;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) {
      const metrics = (await up.metrics()).split('\n').filter((line) => line.startsWith('sluice_'));
      throw new Error(`it did not come to pass:\n${up.process.output}\n${metrics.join('\n')}`);
    }
    await sleep(POLL_MS);
  }
}
