import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PaymentSender } from '../testing/paymentSender.ts';
import { readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';

it(
  'goes on from the newest snapshot after kill -9, and from the one before when that is damaged',
  { timeout: 300_000 },
  async () => {
    const deployment = new TestDeployment({ replace: [['records: 500000', 'records: 60']] });
    let up = await deployment.up({ history: false });
    const sender = new PaymentSender({
      apiKey: deployment.gatewayKey,
      url: () => up.url,
      paymentsPerSecond: 40,
      seed: 4,
    });
    sender.start();
    const taken = await up.process.logged('snapshot taken', 1);
    expect(await up.metric('sluice_snapshot_offset')).toBeGreaterThanOrEqual(Number(taken['offset']));
    await up.kill();

    const [newest] = snapshotsOf(deployment);
    up = await deployment.up({ history: false });
    const restored = await up.process.logged('state restored from a snapshot');
    expect(restored).toMatchObject({ offset: newest, seconds: expect.any(Number), replayed: expect.any(Number) });
    expect(await up.metric('sluice_restore_seconds')).toBeGreaterThan(0);
    await up.process.logged('snapshot taken');
    await up.kill();

    const [damaged, older] = snapshotsOf(deployment);
    flipBit(join(deployment.dataDir, 'snapshots', nameOf(damaged), 'state'));
    up = await deployment.up({ history: false });
    expect(await up.process.logged('snapshot refused')).toMatchObject({
      offset: damaged,
      code: 'SLUICE_SNAPSHOT_DAMAGED',
      instead: `the snapshot at offset ${older}`,
    });
    expect(await up.process.logged('state restored from a snapshot')).toMatchObject({ offset: older });
    await up.process.logged('snapshot taken');
    await sender.finish();
    expect(await up.interrupt()).toBe(0);

    // That every decision is the one that the ledger gives from its start is checked after each test.
    const { decisions } = await readStored(deployment.dataDir);
    const decided = decisions.filter(({ status }) => status === 'new').map(({ transactionId }) => transactionId);
    expect(decided.sort()).toEqual([...sender.acknowledged.keys()].sort());
    expect(sender.contradicted).toEqual([]);
    expect(snapshotsOf(deployment)).toHaveLength(3);
  },
);

it('decides as ever where snapshots can be neither read nor written, and says so', { timeout: 120_000 }, async () => {
  const deployment = new TestDeployment({ replace: [['records: 500000', 'records: 10']] });
  mkdirSync(deployment.dataDir);
  writeFileSync(join(deployment.dataDir, 'snapshots'), 'in the way');
  const up = await deployment.up({ history: false });
  expect(await up.process.logged('snapshots cannot be listed')).toMatchObject({ code: 'SLUICE_SNAPSHOT_IO' });
  const sender = new PaymentSender({
    apiKey: deployment.gatewayKey,
    url: () => up.url,
    paymentsPerSecond: 20,
    seed: 5,
  });
  sender.start();
  expect(await up.process.logged('no snapshot could be taken')).toMatchObject({
    code: 'SLUICE_SNAPSHOT_THREAD',
    reason: expect.stringContaining('snapshots'),
  });
  await sender.finish();
  expect(sender.acknowledged.size).toBeGreaterThan(0);
  expect(await up.interrupt()).toBe(0);
});

/** Offsets, the newest first. */
function snapshotsOf({ dataDir }: TestDeployment): number[] {
  const names = readdirSync(join(dataDir, 'snapshots'));
  return names
    .flatMap((name) => /^offset-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

function nameOf(offset = 0): string {
  return `offset-${String(offset).padStart(16, '0')}`;
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >>> 1]! ^= 16;
  writeFileSync(path, bytes);
}
