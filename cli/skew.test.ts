import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { PaymentSender } from './testing/paymentSender.ts';
import { spawnSluice } from './testing/spawnSluice.ts';
import { readStored } from './testing/storedPayments.ts';
import { TestDeployment } from './testing/testDeployment.ts';

const lines = z.array(z.object({ feature: z.string(), compared: z.number(), different: z.number() }));

it('skew agrees with live decisions, and says why when there is nothing to compare', { timeout: 180_000 }, async () => {
  const deployment = new TestDeployment({ replace: [['deadline: 100ms', 'deadline: 10s']] });
  const up = await deployment.up();
  const history = ['--data', deployment.dataDir, '--history-port', new URL(up.historyUrl).port];
  const config = ['--config', deployment.configDir];

  const empty = await run(['skew', ...config, ...history]);
  expect(empty).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('send payments first') });

  const sender = new PaymentSender({
    apiKey: deployment.gatewayKey,
    url: () => up.url,
    paymentsPerSecond: 40,
    seed: 5,
  });
  sender.start();
  await sleep(3_000);
  await sender.finish();
  await up.historyCaughtUp((await readStored(deployment.dataDir)).records.length);

  const report = await run(['skew', ...config, ...history, '--json']);
  expect(report.exitCode).toBe(0);
  const compared = lines.parse(JSON.parse(report.stdout));
  expect(compared.map((line) => line.different).filter((different) => different > 0)).toEqual([]);
  expect(compared[0]?.compared).toBe(sender.acknowledged.size);

  // The same folder with another feature at its end: nothing was decided with that yet, but its SQL runs.
  const changed = `${deployment.configDir}-changed`;
  cpSync(deployment.configDir, changed, { recursive: true });
  try {
    const features = `${changed}/features.yaml`;
    const added = '  - { name: ip_max_7d, entity: ip, aggregate: max, of: amountMinor, window: 7d }\n';
    writeFileSync(features, readFileSync(features, 'utf8') + added);
    const none = await run(['skew', '--config', changed, ...history]);
    expect(none).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('with the features of') });
    const { stdout: sql } = await run(['features', 'sql', 'ip_max_7d', '--config', changed]);
    const rows = await run(['query', sql, ...config, ...history, '--format', 'TSV']);
    expect(rows.stderr).toBe('');
    expect(rows.stdout.trimEnd().split('\n')).toHaveLength(sender.acknowledged.size);
  } finally {
    rmSync(changed, { recursive: true, force: true });
  }

  const away = await run(['skew', ...config, '--data', deployment.dataDir, '--history-port', '1']);
  expect(away).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is Sluice running?') });
  await up.interrupt();
});

async function run(
  args: readonly string[],
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const sluice = spawnSluice(args);
  const { exitCode } = await sluice.ended;
  return { exitCode, stdout: sluice.stdout, stderr: sluice.stderr };
}
