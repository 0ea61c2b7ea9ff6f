import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { httpCall } from '../testing/httpCall.ts';
import { SmallDisk } from '../testing/smallDisk.ts';
import { spawnSluice } from '../testing/spawnSluice.ts';
import { TestDeployment } from '../testing/testDeployment.ts';
import type { UpSluice } from '../testing/upSluice.ts';

const READY = { status: 'ready', riskLevel: 'normal', degradation: 'full' };
const DISK_MEGABYTES = 8;
const BATCH = 500;
const HOUR_MS = 3_600_000;
/** In batches: a block of 1,024 events needs three. */
const MAX_BATCHES = 40;
const WAITING = 'sluice_reservoir_waiting_blocks';

const disk = SmallDisk.mount(DISK_MEGABYTES);
if (disk === null) console.log('fullReservoir: mounting a small disk needs root on Linux; left out');

it.runIf(disk !== null)(
  'a full disk under the reservoir: decisions go on, blocks wait in memory, no snapshot lacks them, and all is as before once there is room',
  { timeout: 240_000 },
  async () => {
    if (disk === null) return;
    const deployment = new TestDeployment({
      replace: [
        ['deadline: 100ms', 'deadline: 5s'],
        ['records: 500000', 'records: 1500'],
      ],
    });
    mkdirSync(join(deployment.dataDir, 'snapshots'), { recursive: true });
    // Of the engine, and of the thread that takes snapshots.
    for (const name of ['reservoir', 'snapshots/reservoir']) {
      const folder = join(disk.folder, name);
      mkdirSync(folder, { recursive: true });
      symlinkSync(folder, join(deployment.dataDir, name));
    }
    try {
      const up = await deployment.up({ history: false });
      let sent = 0;
      const pay = async (): Promise<void> => {
        const reply = await httpCall(up.url, payments(sent, deployment.gatewayKey));
        expect(reply.status).toBe(200);
        expect(reply.text).not.toContain('"error"');
        sent += BATCH;
      };
      for (let batch = 0; batch < 5; batch += 1) await pay();
      await up.process.logged('snapshot taken');
      expect(await readiness(up)).toEqual(READY);
      expect(await up.metric(WAITING)).toBe(0);

      disk.fill();
      for (let batch = 0; (await up.metric(WAITING)) === 0; batch += 1) {
        expect(batch).toBeLessThan(MAX_BATCHES);
        await pay();
      }
      for (let batch = 0; batch < 4; batch += 1) await pay();
      expect(await up.metric('sluice_reservoir_failed_writes_total')).toBeGreaterThan(0);
      expect(await up.process.logged('events cannot be written and wait in memory')).toMatchObject({
        code: 'SLUICE_RESERVOIR_IO',
        reason: expect.stringContaining('Make room on that disk'),
      });
      expect(await readiness(up)).toMatchObject({
        status: 'ready',
        warning: expect.stringContaining('wait in memory'),
      });
      const state = spawnSluice(['state', '--url', up.url, '--key', deployment.operatorKey]);
      await state.ended;
      expect(state.output).toMatch(/does not take older events: \d+ blocks of them wait in memory \(at most 4,096; /);
      // A snapshot without some of the events is none.
      expect(await up.process.logged('no snapshot could be taken')).toMatchObject({ code: 'SLUICE_RESERVOIR_IO' });

      disk.free();
      await up.process.logged('no event waits for its disk any more');
      expect(await up.metric(WAITING)).toBe(0);
      expect(await readiness(up)).toEqual(READY);
      for (let batch = 0; batch < 4; batch += 1) await pay();
      await up.process.logged('snapshot taken', 1);
      expect(await up.interrupt()).toBe(0);
      // TestDeployment replays the ledger after the test, and compares every byte.
    } finally {
      disk.unmount();
    }
  },
);

async function readiness(up: UpSluice): Promise<unknown> {
  const reply = await fetch(`${up.url}/readyz`);
  expect(reply.status).toBe(200);
  return reply.json();
}

/** Most of them come later than the lateness bound, and so are sealed as soon as the others move time on. */
function payments(from: number, apiKey: string): Parameters<typeof httpCall>[1] {
  const nowMs = Date.now();
  const transactions = Array.from({ length: BATCH }, (_, index) => ({
    transactionId: `t-${from + index}`,
    eventTimeMs: index % 5 === 0 ? nowMs + index : nowMs - HOUR_MS,
    type: 'purchase',
    channel: 'card',
    amountMinor: 100 + index,
    currency: 'CNY',
    account: `a-${index % 50}`,
    merchant: `m-${index % 7}`,
  }));
  return {
    path: '/v1/transactions:batch',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ transactions }),
  };
}
