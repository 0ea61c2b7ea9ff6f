import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { errorCodeOf, httpCall, type HttpReply } from '../testing/httpCall.ts';
import { SmallDisk } from '../testing/smallDisk.ts';
import { paymentCounts, readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';
import type { UpSluice } from '../testing/upSluice.ts';

const DISK_MEGABYTES = 160;
const FULL = 'SLUICE_LEDGER_FULL';
const POLL_MS = 50;

const disk = SmallDisk.mount(DISK_MEGABYTES);
if (disk === null) console.log('fullDisk: mounting a small disk needs root on Linux; left out');

it.runIf(disk !== null)(
  'a full disk: new payments are refused as such, and taken again once there is room',
  async () => {
    if (disk === null) return;
    const deployment = new TestDeployment({ disk, replace: [['deadline: 100ms', 'deadline: 1s']] });
    const up = await deployment.up();
    const pay = (id: string): Promise<HttpReply> => httpCall(up.url, payment(id, deployment.gatewayKey));
    const acknowledged: string[] = [];
    for (let number = 0; number < 20; number += 1) {
      expect((await pay(`before-${number}`)).status).toBe(200);
      acknowledged.push(`before-${number}`);
    }

    const refused: string[] = [];
    // What has room in the ledger's own free pages is still taken, and told the fallback at the deadline: many at a time, then.
    for (let round = 0; refused.length < 20; round += 1) {
      expect(round).toBeLessThan(50);
      // Again: what others have freed meanwhile would be room.
      disk.fill();
      const ids = Array.from({ length: 100 }, (_, number) => `full-${round}-${number}`);
      const replies = await Promise.all(ids.map(async (id) => ({ id, reply: await pay(id) })));
      for (const { id, reply } of replies) {
        if (reply.status === 200) {
          acknowledged.push(id);
          continue;
        }
        expect([reply.status, errorCodeOf(reply.body)]).toEqual([503, FULL]);
        expect(reply.text.toLowerCase()).toContain('retry-after');
        refused.push(id);
      }
    }
    expect(await up.metric(`sluice_rejected_total{code="${FULL}"}`)).toBeGreaterThanOrEqual(refused.length);
    expect((await fetch(`${up.url}/healthz`)).status).toBe(200);

    disk.free();
    for (const id of refused) {
      await verdictOn(up, () => pay(id));
      acknowledged.push(id);
    }
    const stored = await readStored(deployment.dataDir);
    const counts = paymentCounts(stored);
    expect(acknowledged.filter((id) => counts.get(id) !== 1)).toEqual([]);
    await up.historyCaughtUp(stored.records.length);
    expect(await up.historyRows('SELECT toUInt32(count()) AS n FROM sluice.transactions')).toEqual([
      { n: acknowledged.length },
    ]);
    expect(await up.interrupt()).toBe(0);
  },
);

/** Tries until there is a verdict: the room that was freed is found at the next attempt or the one after. */
async function verdictOn(up: UpSluice, pay: () => Promise<HttpReply>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const reply = await pay();
    if (reply.status === 200) return;
    expect(reply.status).toBe(503);
    await sleep(POLL_MS);
  }
  throw new Error(`the payment got no verdict:\n${up.process.output}`);
}

function payment(transactionId: string, apiKey: string): Parameters<typeof httpCall>[1] {
  const fields = { type: 'purchase', channel: 'card', amountMinor: 100, currency: 'CNY', account: transactionId };
  return {
    path: '/v1/transactions',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    // A retry must be the same payment: its time as well.
    body: JSON.stringify({ transactionId, eventTimeMs: START_MS, ...fields }),
  };
}

const START_MS = Date.now();
