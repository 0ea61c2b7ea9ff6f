import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { PaymentSender } from '../testing/paymentSender.ts';
import type { SluiceProcess } from '../testing/spawnSluice.ts';
import { paymentCounts, readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';

const STOP_LIMIT_MS = 5_000;

describe('Ctrl-C under load', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s stops in under 5 s and keeps every acknowledged payment',
    async (signal) => {
      const deployment = new TestDeployment();
      const up = await deployment.up();
      const sender = new PaymentSender({
        apiKey: deployment.gatewayKey,
        url: () => up.url,
        paymentsPerSecond: 100,
        seed: 2,
      });
      sender.start();
      await sleep(1_500);
      const startMs = performance.now();
      up.process.kill(signal);
      expect(await up.process.ended).toEqual({ exitCode: 0, signal: null });
      expect(performance.now() - startMs).toBeLessThan(STOP_LIMIT_MS);
      await sender.abandon();

      const stored = await readStored(deployment.dataDir);
      const counts = paymentCounts(stored);
      expect(sender.acknowledged.size).toBeGreaterThan(20);
      expect([...sender.acknowledged.keys()].filter((id) => counts.get(id) !== 1)).toEqual([]);
      // What was taken is decided before the end, so that the next start has nothing to make up for.
      expect(stored.decisions.length).toBe([...counts.values()].reduce((sum, count) => sum + count, 0));
      expect(up.process.log().at(-1)?.msg).toBe('stopped');
    },
  );
});

describe('A start that cannot be', () => {
  it('tells a busy port in one line', async () => {
    const port = await busyPort();
    const sluice = new TestDeployment().spawnUp({ port });
    expect(await lastWords(sluice)).toEqual([
      `sluice: port ${port} on 127.0.0.1 is in use by another process: stop that, or choose another port [SLUICE_PORT_BUSY]`,
    ]);
  });

  it('tells a busy history port in one line', async () => {
    const historyPort = await busyPort();
    const sluice = new TestDeployment().spawnUp({ historyPort });
    expect(await lastWords(sluice)).toEqual([
      `sluice: Port ${historyPort} on 127.0.0.1 is taken: stop what uses it, or set another history port [SLUICE_HISTORY_PORT]`,
    ]);
  });

  it('tells of a second process on the same data folder in one line, and the first goes on', async () => {
    const deployment = new TestDeployment();
    const first = await deployment.up();
    expect(await lastWords(deployment.spawnUp())).toEqual([
      expect.stringMatching(/^sluice: The data folder .* is in use by process \d+\. .*\[SLUICE_DATA_IN_USE\]$/),
    ]);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    expect(await first.interrupt()).toBe(0);
  });

  it('tells a folder that is no deployment in one line', async () => {
    const deployment = new TestDeployment();
    deployment.remove();
    const [line, ...more] = await lastWords(deployment.spawnUp());
    expect(line).toMatch(/^sluice: /);
    expect(more.join('\n')).not.toMatch(/ at |defect/);
  });
});

const listening = new Set<Server>();
afterEach(async () => {
  for (const server of listening) await new Promise((resolve) => server.close(resolve));
  listening.clear();
});

async function busyPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  listening.add(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the test has no port');
  return address.port;
}

/** What a program that ends with exit code 1 says beside its structured log. */
async function lastWords(sluice: SluiceProcess): Promise<string[]> {
  expect(await sluice.ended).toEqual({ exitCode: 1, signal: null });
  return sluice.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
}
