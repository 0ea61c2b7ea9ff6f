import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createApiKey } from '../../infra/http/apiKeys.ts';
import { PaymentSender } from '../testing/paymentSender.ts';
import { spawnSluice } from '../testing/spawnSluice.ts';
import { readStored, type StoredData } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';
import type { UpSluice } from '../testing/upSluice.ts';

/** Each test starts a dozen programs. */
const TIMEOUT_MS = 600_000;

const ANY_AMOUNT = `
  # Whatever it is.
  - id: any-amount
    version: 1
    owner: risk-team
    when: tx.amountMinor > p.limit
    params: { limit: 0 }
    then: { verdict: review, score: 790, code: ANY_AMOUNT }
    text: { en: Any amount, zh: 任何金额 }
    mode: shadow
    examples:
      - { given: { tx: { amountMinor: 500 } }, expect: fires }
      - { given: { tx: { amountMinor: 0 } }, expect: silent }
`;

describe('sluice rules', { timeout: TIMEOUT_MS }, () => {
  it('takes a rule from its draft to shadow, live for some accounts, off and back, under load and without a restart', async () => {
    const deployment = new TestDeployment();
    let up = await deployment.up();
    const sender = new PaymentSender({
      apiKey: deployment.gatewayKey,
      url: () => up.url,
      paymentsPerSecond: 30,
      seed: 5,
    });
    sender.start();
    const rules = (...args: readonly string[]): Promise<string> => run(deployment, up, args);
    const why = ['--reason', 'a test'];
    const file = join(deployment.configDir, 'rules/amount.yaml');
    appendFileSync(file, ANY_AMOUNT);
    expect(await rules('test', 'any-amount')).toBe('any-amount: 2 examples hold\n');
    expect(await rules('list')).toMatch(/differs \(a draft until it is published\): 1 rule\n$/);
    expect(await rules('diff')).toContain('+params.limit: 0\n');
    expect(await rules('publish', 'any-amount', ...why)).toMatch(
      /^any-amount: new, shadow, 100%\nRule set 2026-11\.2, in force from ledger offset \d+; .*\n.* says so too\.\n$/,
    );
    await sleep(700);
    expect(await rules('set', 'any-amount', '--mode', 'live', '--rollout', '50', ...why)).toContain(
      'any-amount: mode shadow -> live, rollout 100 -> 50\nRule set 2026-11.3, in force',
    );
    await sleep(700);
    writeFileSync(file, readFileSync(file, 'utf8').replace('limit: 0', 'limit: 1'));
    expect(await rules('publish', ...why)).toContain('any-amount: version 1 -> 2, params\nRule set 2026-11.4');
    await sleep(700);
    expect(await rules('rollback', '2026-11.2', ...why)).toContain(
      'any-amount: version 2 -> 1, mode live -> shadow, rollout 50 -> 100, params\nRule set 2026-11.2, in force',
    );
    expect(readFileSync(file, 'utf8')).toContain('limit: 0');
    expect(await rules('list')).toMatch(/says the same\.\n$/);
    expect(await rules('history', 'any-amount')).toMatch(
      /2026-11\.2 {2}in force by operator: a test\n.*\n.*2026-11\.4 .*\n.*version 1 -> 2, params\n.*2026-11\.3 .*\n.*\n.*2026-11\.2 .*\n {4}any-amount: new, shadow, 100%\n$/,
    );
    // A restart has nothing to publish.
    expect(await up.interrupt()).toBe(0);
    up = await deployment.up();
    await sleep(700);
    await sender.finish();
    expect(sender.contradicted).toEqual([]);
    expect(await up.interrupt()).toBe(0);

    const stored = await readStored(deployment.dataDir);
    expect(steps(stored)).toEqual(['1 publish', '2 publish', '3 publish', '4 publish', '2 publish']);
    expectRuleSetsByOffset(stored);
    // TestDeployment replays the ledger now and compares every byte.
  });

  it('has a second person approve where the deployment asks for one', async () => {
    const ann = createApiKey();
    const deployment = new TestDeployment({
      replace: [
        [
          'apiKeys:\n  - { id: gateway',
          `publication: { approvals: 1 }\napiKeys:\n  - { id: ann, sha256: ${ann.sha256}, role: analyst }\n  - { id: gateway`,
        ],
      ],
    });
    let up = await deployment.up();
    const asAnn = (...args: readonly string[]): Promise<string> => run(deployment, up, args, ann.key);
    const asOperator = (...args: readonly string[]): Promise<string> => run(deployment, up, args);
    const proposed = await asAnn('set', 'card-velocity', '--mode', 'off', '--reason', 'too loud');
    const [, id = ''] = /proposed as (\d+)/.exec(proposed) ?? [];
    expect(proposed).toMatch(/a draft until it is approved\.\n$/);
    expect(await asAnn('approve', id)).toMatch(/^sluice: Refused: it is ann's own: .* \[SLUICE_PROPOSAL_OWN\]\n$/);
    // The proposal outlives a restart, which publishes nothing by itself.
    expect(await up.interrupt()).toBe(0);
    up = await deployment.up();
    expect(await asOperator('proposals')).toMatch(
      /2026-11\.2 {2}proposed, waits for approval by ann: too loud\n {4}card-velocity: mode live -> off\n/,
    );
    expect(await asOperator('proposals', id)).toContain('-mode: live\n+mode: off\n');
    expect(await asOperator('approve', id, '--reason', 'agreed')).toMatch(
      /^card-velocity: mode live -> off\nRule set 2026-11\.2, in force .*\n.* says so too\.\n$/,
    );
    expect(await asOperator('approve', id)).toMatch(
      /^sluice: Refused: it was approved already \[SLUICE_PROPOSAL_UNKNOWN\]\n$/,
    );
    const second = await asAnn('set', 'card-velocity', '--mode', 'live', '--reason', 'hm');
    const [, rejected = ''] = /proposed as (\d+)/.exec(second) ?? [];
    expect(await asOperator('reject', rejected, '--reason', 'no')).toContain(`Proposal ${rejected} is rejected`);
    expect(await up.interrupt()).toBe(0);
    const stored = await readStored(deployment.dataDir);
    expect(steps(stored)).toEqual(['1 publish', '2 propose', '2 approve', '3 propose', '3 reject']);
  });

  it('says in one line with its place what is wrong, and a folder that stayed behind undoes nothing', async () => {
    const deployment = new TestDeployment();
    let up = await deployment.up();
    const rules = (...args: readonly string[]): Promise<string> => run(deployment, up, args);
    const file = join(deployment.configDir, 'rules/amount.yaml');
    const before = readFileSync(file, 'utf8');
    const sound = ANY_AMOUNT;
    for (const [from, to, says] of [
      ['tx.amountMinor > p.limit', 'tx.amount > p.limit', /rules\/amount\.yaml:\d+:\d+ .*rule 'any-amount'.*\n/],
      ['amountMinor: 0 }', 'amountMinor: 9 }', /rules\/amount\.yaml:\d+:\d+ .*expected to stay silent, but fires/],
    ] as const) {
      writeFileSync(file, before + sound.replace(from, to));
      expect(await rules('publish', '--reason', 'x')).toMatch(says);
    }
    writeFileSync(file, before);
    expect(await rules('set', 'card-velocty', '--mode', 'off', '--reason', 'x')).toMatch(
      /^sluice: .*no rule 'card-velocty' is in force.*\[SLUICE_RULE_UNKNOWN\]\n$/,
    );
    expect(await rules('show', 'card-velocty')).toContain('did you mean card-velocity?');
    expect(await rules('rollback', '--reason', 'x')).toContain('nothing was in force before');
    expect(await rules('publish', '--reason', 'x')).toContain('Nothing to publish');
    // As if the command had ended between the publication and the folder's change.
    const taken = await fetch(`${up.url}/v1/rules/card-velocity/mode`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${deployment.operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'off', reason: 'by HTTP' }),
    });
    expect(taken.status).toBe(202);
    await sleep(1_000);
    expect(await rules('list')).toMatch(/: 1 rule; it is called 2026-11\.1\n$/);
    expect(await up.interrupt()).toBe(0);
    up = await deployment.up();
    const warning = up.process.log().find(({ msg }) => msg?.includes('was replaced while Sluice ran'));
    expect(warning?.msg).toContain('the deployment folder holds version 2026-11.1');
    expect(await rules('list')).toMatch(/\ncard-velocity +1 {2}off +100% .* mode off -> live\n/);
    expect(await up.interrupt()).toBe(0);
    expect(steps(await readStored(deployment.dataDir))).toEqual(['1 publish', '2 publish']);
  });
});

async function run(
  deployment: TestDeployment,
  up: UpSluice,
  args: readonly string[],
  key = deployment.operatorKey,
): Promise<string> {
  const running = args[0] === 'test' ? [] : ['--url', up.url, '--key', key];
  const command = spawnSluice(['rules', ...args, '--config', deployment.configDir, ...running]);
  await command.ended;
  return command.output;
}

function steps({ records }: StoredData): string[] {
  return records.flatMap((record) =>
    record.kind === 'ruleSetPublication'
      ? [`${record.event.version.replace('2026-11.', '')} ${record.event.step}`]
      : [],
  );
}

/** Each decision was made by the rule set published last before its payment. */
function expectRuleSetsByOffset({ records, decisions }: StoredData): void {
  const seen = new Set<string>();
  for (const { ledgerOffset, ruleSet } of decisions) {
    const published = records.slice(0, ledgerOffset).findLast((record) => record.kind === 'ruleSetPublication');
    if (published?.kind !== 'ruleSetPublication') throw new Error('a decision before any rule set');
    expect([ledgerOffset, ruleSet]).toEqual([ledgerOffset, published.event.version]);
    seen.add(ruleSet);
  }
  expect(seen.size).toBe(4);
}
