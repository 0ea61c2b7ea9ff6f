import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { httpCall } from '../testing/httpCall.ts';
import { spawnSluice } from '../testing/spawnSluice.ts';
import { readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';
import type { UpSluice } from '../testing/upSluice.ts';

/** Each test starts a dozen programs. */
const TIMEOUT_MS = 300_000;
const CARD = '4111111111111111';

describe('sluice lists', { timeout: TIMEOUT_MS }, () => {
  it('put values on lists from the next payment on, over a restart, and keep no card number', async () => {
    const bins =
      '- { name: blocked-bins, kind: block, entity: bin, text: { en: The BIN is blocked, zh: 该BIN已被拉黑 } }';
    const deployment = new TestDeployment({
      replace: [
        ['lists:\n', `lists:\n  ${bins}\n`],
        // A busy machine must not give fallbacks here.
        ['deadline: 100ms', 'deadline: 30s'],
      ],
    });
    let up = await deployment.up({ history: false });
    const lists = (...args: readonly string[]): Promise<string> => run(deployment, up, 'lists', args);

    expect(await verdict(deployment, up, 't-1', { ip: '203.0.113.9' })).toEqual([]);
    const file = join(deployment.configDir, 'networks.csv');
    const blocks = Array.from(
      { length: 1_200 },
      (_, index) => `10.${index >> 8}.${index & 0xff}.0/24,,proxy ${index % 3}`,
    );
    writeFileSync(file, ['value,expires,reason', '203.0.113.0/24,30d,', '# ours', ...blocks].join('\n'));
    expect(await lists('import', 'blocked-ips', file, '--reason', 'scanners', '--dry-run')).toContain(
      'nothing was changed',
    );
    expect(await lists('import', 'blocked-ips', file, '--reason', 'scanners')).toContain(
      '1,201 values put on blocked-ips',
    );
    expect(await verdict(deployment, up, 't-2', { ip: '203.0.113.9' })).toEqual(['blocked-ips']);
    expect(await verdict(deployment, up, 't-3', { ip: '10.4.175.1' })).toEqual(['blocked-ips']);
    expect(await verdict(deployment, up, 't-4', { ip: '10.4.176.1' })).toEqual([]);
    expect(await lists('check', '203.0.113.77')).toMatch(
      /blocked-ips +block +203\.0\.113\.0\/24 .* operator .* scanners/,
    );

    await lists('add', 'blocked-cards', CARD, '--reason', `stolen: ${CARD}`);
    await lists('add', 'blocked-bins', '411110-411119', '--reason', 'tested');
    expect(await verdict(deployment, up, 't-5', { card: { pan: CARD } })).toEqual(['blocked-bins', 'blocked-cards']);
    expect(await lists('show', 'blocked-bins')).toMatch(/41111 +never/);

    expect(await up.interrupt()).toBe(0);
    up = await deployment.up({ history: false });
    expect(await verdict(deployment, up, 't-6', { card: { pan: CARD } })).toEqual(['blocked-bins', 'blocked-cards']);
    await lists('remove', 'blocked-cards', CARD, '--reason', 'found');
    await lists('import', 'blocked-ips', file, '--reason', 'over', '--remove');
    expect(await verdict(deployment, up, 't-7', { card: { pan: CARD }, ip: '203.0.113.9' })).toEqual(['blocked-bins']);
    expect(await lists('export', 'blocked-ips')).toBe('value,expires,reason,author,since\n');
    expect(await up.interrupt()).toBe(0);

    const { records } = await readStored(deployment.dataDir);
    const changes = records.flatMap((record) => (record.kind === 'listChange' ? [record.event] : []));
    expect(changes.map(({ further }) => 1 + further.length)).toEqual([500, 500, 201, 1, 1, 1, 500, 500, 201]);
    expect(JSON.stringify(changes)).not.toContain(CARD);
    for (const name of ['data.mdb'])
      expect(readFileSync(join(deployment.dataDir, 'ledger', name)).includes(CARD)).toBe(false);
    // TestDeployment replays the ledger now and compares every byte.
  });

  it('say in one line each what is wrong, with its place, and change nothing', async () => {
    const deployment = new TestDeployment();
    const up = await deployment.up({ history: false });
    const file = join(deployment.configDir, 'bad.csv');
    writeFileSync(file, `value,expires\n1.2.3.4,\n${CARD},\n1.2.3.5,yesterday\n1.2.3.0/8,\n`);
    const cases: readonly (readonly [args: readonly string[], says: RegExp, lines: number])[] = [
      [
        ['import', 'blocked-ips', file, '--reason', 'x'],
        /bad\.csv:3 value must be an IP.*\n.*:4 expires must be.*\n.*:5 .*1\.0\.0\.0\/8\nNothing/,
        4,
      ],
      [['add', 'blocked-ip', '1.2.3.4', '--reason', 'x'], /did you mean blocked-ips\?/, 1],
      [['add', 'blocked-ips', '1.2.3.4'], /required option '--reason <text>' not specified/, 1],
      [['add', 'blocked-ips', '1.2.3.4', '--reason', ' '], /Refused \(reason\): is required: say why/, 1],
      [['add', 'blocked-ips', '1.2.3.4', '--reason', 'x', '--until', '2020-01-01'], /--until is in the past/, 1],
      [['remove', 'blocked-ips', '1.2.3.4', '--reason', 'x'], /value 1 is not on blocked-ips; nothing was changed/, 1],
      [['import', 'blocked-ips', `${file}x`, '--reason', 'x'], /there is no such file/, 1],
    ];
    for (const [args, says, lines] of cases) {
      const output = await run(deployment, up, 'lists', args);
      expect(output).toMatch(says);
      expect(output).not.toContain(CARD);
      expect(
        output
          .trimEnd()
          .split('\n')
          .filter((line) => !/^\[|see sluice/.test(line)),
      ).toHaveLength(lines);
    }
    expect(await run(deployment, up, 'lists', ['export', 'blocked-ips'])).toBe('value,expires,reason,author,since\n');
    expect(await up.interrupt()).toBe(0);
  });
});

describe('sluice snooze and sluice posture', { timeout: TIMEOUT_MS }, () => {
  it('change what counts from the next payment on, over a restart, and decisions say so', async () => {
    const deployment = new TestDeployment({ replace: [['deadline: 100ms', 'deadline: 30s']] });
    let up = await deployment.up({ history: false });
    const say = (command: string, ...args: readonly string[]): Promise<string> => run(deployment, up, command, args);
    const because = ['--reason', 'checked by phone'];
    await say('lists', 'add', 'watch-devices', 'd-66', ...because);
    await verdict(deployment, up, 't-1', { device: 'd-66' });
    expect(await say('snooze', 'add', 'watched-device', '--account', 'a-1', '--until', '30d', ...because)).toContain(
      'watched-device is snoozed for this account until',
    );
    expect(await say('posture', 'set', 'lockdown', '--until', '2h', '--reason', 'attack')).toContain(
      'lockdown, full until',
    );
    expect(await up.interrupt()).toBe(0);
    up = await deployment.up({ history: false });
    await verdict(deployment, up, 't-2', { device: 'd-66' });
    expect(await say('snooze', 'show')).toMatch(/watched-device +account +a-1 .* operator .* checked by phone/);
    expect(await say('posture', 'show')).toMatch(/^lockdown, full, until .* set by operator at .*: attack$/m);
    expect(await up.metric('sluice_risk_level')).toBe(2);
    expect(await say('snooze', 'add', 'watched-devices', '--account', 'a-1', '--until', '30d', ...because)).toContain(
      'SLUICE_RULE_UNKNOWN',
    );
    await say('snooze', 'end', 'watched-device', '--account', 'a-1', ...because);
    await say('posture', 'set', 'normal', '--reason', 'over');
    await verdict(deployment, up, 't-3', { device: 'd-66' });
    expect(await up.interrupt()).toBe(0);

    const { decisions } = await readStored(deployment.dataDir);
    const watched = decisions.map(({ riskLevel, reasons, rulesFired }) => [
      riskLevel,
      reasons.some(({ rule }) => rule === 'watched-device'),
      rulesFired.find(({ rule }) => rule === 'watched-device')?.snoozed,
    ]);
    expect(watched).toEqual([
      ['normal', true, false],
      ['lockdown', false, true],
      ['normal', true, false],
    ]);
  });
});

async function run(
  deployment: TestDeployment,
  up: UpSluice,
  command: string,
  args: readonly string[],
): Promise<string> {
  const options = ['--config', deployment.configDir, '--url', up.url, '--key', deployment.operatorKey];
  const sluice = spawnSluice([command, ...args, ...options]);
  await sluice.ended;
  return sluice.output;
}

/** The block lists that a payment was on. */
async function verdict(
  deployment: TestDeployment,
  up: UpSluice,
  transactionId: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<readonly unknown[]> {
  const payment = { type: 'purchase', channel: 'card', amountMinor: 100, currency: 'CNY', account: 'a-1', ...fields };
  const reply = await httpCall(up.url, {
    path: '/v1/transactions',
    headers: { 'x-api-key': deployment.gatewayKey, 'content-type': 'application/json' },
    body: JSON.stringify({ transactionId, eventTimeMs: Date.now(), ...payment }),
  });
  const { reasons } = verdictSchema.parse(JSON.parse(reply.body));
  return reasons.flatMap(({ code, list }) => (code === 'BLOCK_LIST' ? [list] : []));
}

const verdictSchema = z.object({ reasons: z.array(z.object({ code: z.string(), list: z.string().optional() })) });
