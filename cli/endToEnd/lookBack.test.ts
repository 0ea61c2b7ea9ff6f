import { setTimeout as sleep } from 'node:timers/promises';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../../infra/http/replySchemas.ts';
import { PaymentSender } from '../testing/paymentSender.ts';
import { httpCall, type HttpReply } from '../testing/httpCall.ts';
import { spawnSluice } from '../testing/spawnSluice.ts';
import { readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';

const LOOK_MS = 50;
const EVERY_PAYMENT = {
  id: 'every-payment',
  version: 1,
  owner: 'risk-team',
  when: 'tx.amountMinor >= 0',
  then: { verdict: 'review', score: 790, code: 'EVERY' },
  text: { en: 'Every payment', zh: '所有支付' },
  mode: 'live',
};

it(
  'a running Sluice looks back: back-tests one at a time, the capacity gate for whoever publishes, certificates',
  { timeout: 600_000 },
  async () => {
    const deployment = new TestDeployment({
      replace: [
        ['# review:\n#   capacityPerDay: 500', 'review: { capacityPerDay: 20 }\n# '],
        ['deadline: 100ms', 'deadline: 10s'],
      ],
    });
    const up = await deployment.up();
    const ask = (method: string, path: string, body: unknown = ''): Promise<HttpReply> =>
      httpCall(up.url, {
        method,
        path,
        headers: { authorization: `Bearer ${deployment.operatorKey}`, 'content-type': 'application/json' },
        body: body === '' ? '' : JSON.stringify(body),
      });
    const sluice = async (...args: readonly string[]): Promise<string> => {
      const running = ['--config', deployment.configDir, '--url', up.url, '--key', deployment.operatorKey];
      const command = spawnSluice([...args, ...running]);
      await command.ended;
      return command.output;
    };

    // Nothing is known yet: that stops nobody.
    expect(await sluice('rules', 'set', 'card-velocity', '--rollout', '50', '--reason', 'x')).toContain('in force');
    const sender = new PaymentSender({
      ...{ apiKey: deployment.gatewayKey, url: () => up.url, paymentsPerSecond: 40, seed: 9 },
    });
    sender.start();
    while (sender.acknowledged.size < 120) await sleep(LOOK_MS);
    await sender.finish();
    const { records } = await readStored(deployment.dataDir);
    while ((await up.metric('sluice_history_offset')) < records.length) await sleep(LOOK_MS);

    // A back-test by HTTP, with what the command says of it.
    expect(await ask('GET', '/v1/backtests/latest')).toMatchObject({
      status: 200,
      body: expect.stringContaining('"none"'),
    });
    const wrong = await ask('POST', '/v1/backtests', { rules: [{ ...EVERY_PAYMENT, when: 'tx.amount > 1' }] });
    expect([wrong.status, wrong.body]).toEqual([400, expect.stringMatching(/"rules\.when".*every-payment/)]);
    expect((await ask('POST', '/v1/backtests', { days: 1, decisions: 2 })).body).toContain('not both');
    const started = await ask('POST', '/v1/backtests', { rules: [EVERY_PAYMENT], decisions: 100 });
    const again = await ask('POST', '/v1/backtests', { remove: ['card-velocity'] });
    expect(started.status).toBe(202);
    const first = await until(async () => {
      const state = REPLY_SCHEMAS.Backtest.parse(JSON.parse((await ask('GET', '/v1/backtests/latest')).body));
      return state.stage === 'reading' || state.stage === 'deciding' ? null : state;
    });
    expect(first).toMatchObject({ stage: 'done', error: null });
    // The second came while the first ran, or after it on a quick machine.
    expect([409, 202]).toContain(again.status);
    if (again.status === 409) {
      expect(again.body).toContain('SLUICE_BACKTEST_BUSY');
      expect(first.report?.span.payments).toBe(100);
      expect(first.report?.rules.find(({ rule }) => rule === 'every-payment')?.after?.hits).toBe(100);
      expect(first.report?.check.equal).toBe(first.report?.check.payments);
    }

    // The gate: refused by whichever way, forced with a reason that the ledger keeps, and never for what only takes away.
    expect((await ask('POST', '/v1/rules', { rules: [EVERY_PAYMENT], reason: 'mass' })).status).toBe(202);
    const gated = await published();
    expect(gated).toMatchObject({ stage: 'failed', ledgerOffset: null });
    expect(gated.error).toMatch(/^SLUICE_CAPACITY: [\d,.]+ alerts a day, the review team's capacity is 20; /);
    const shadow = { ...EVERY_PAYMENT, mode: 'shadow' };
    await ask('POST', '/v1/rules', { rules: [shadow], reason: 'only watched' });
    expect(await published()).toMatchObject({ stage: 'published', alertsPerDay: null });
    const live = await sluice('rules', 'set', 'every-payment', '--mode', 'live', '--reason', 'x');
    expect(live).toMatch(/nothing has changed: SLUICE_CAPACITY: .* why in force \(--force "\.\.\."\)\n$/);
    const forced = ['--mode', 'live', '--reason', 'x', '--force', 'an attack'];
    expect(await sluice('rules', 'set', 'every-payment', ...forced)).toMatch(
      /^Alerts a day: .* capacity 20\n.*in force/s,
    );
    expect(await sluice('rules', 'history')).toMatch(/forced \([\d,.]+ alerts a day, .*\): an attack; x/);
    expect(await sluice('rules', 'set', 'every-payment', '--mode', 'off', '--reason', 'over')).toContain('in force');
    expect(await sluice('rules', 'rollback', '--reason', 'back')).toContain('SLUICE_CAPACITY');

    // A certificate is the command's; neither it nor verify minds a mistake in the folder.
    const [id = ''] = sender.acknowledged.keys();
    appendFileSync(join(deployment.configDir, 'rules/amount.yaml'), '\n  - id: broken\n');
    writeFileSync(join(deployment.configDir, 'features.yaml'), 'features: [\n');
    const place = ['--config', deployment.configDir, '--data', deployment.dataDir];
    const printed = spawnSluice(['decision', id, '--json', ...place]);
    await printed.ended;
    const certificate = await ask('GET', `/v1/certificates/${id}`);
    expect(REPLY_SCHEMAS.Certificate.parse(JSON.parse(certificate.body))).toMatchObject({ seal: { isIntact: true } });
    expect(JSON.parse(certificate.body)).toEqual(JSON.parse(printed.output));
    expect((await ask('GET', '/v1/certificates/nobody')).status).toBe(404);
    const verified = spawnSluice(['verify', ...place, '--no-history']);
    expect((await verified.ended).exitCode).toBe(0);
    const backtest = spawnSluice(['rules', 'backtest', ...place]);
    expect((await backtest.ended).exitCode).toBe(1);
    expect(backtest.output).toMatch(/features\.yaml:\d+:\d+ .*\n.*problems? in /s);
    expect(await up.interrupt()).toBe(0);

    async function published(): Promise<z.infer<typeof REPLY_SCHEMAS.PublicationState>> {
      return until(async () => {
        const state = REPLY_SCHEMAS.PublicationState.parse(
          JSON.parse((await ask('GET', '/v1/publications/latest')).body),
        );
        return ['backtesting', 'backfilling', 'publishing'].includes(state.stage) ? null : state;
      });
    }
  },
);

async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    await sleep(LOOK_MS);
  }
}
