import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createApiKey } from '../../infra/http/apiKeys.ts';
import { PaymentSender } from '../testing/paymentSender.ts';
import { spawnSluice } from '../testing/spawnSluice.ts';
import { readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';

const LOOK_MS = 50;
const VERSION = /"version": "(\d+)"/;

it(
  'sluice models and explain: a package from registered to compared, promoted by percent, champion, and back',
  { timeout: 600_000 },
  async () => {
    const ann = createApiKey();
    const deployment = new TestDeployment({
      replace: [
        [
          'apiKeys:\n  - { id: gateway',
          `publication: { approvals: 1 }\napiKeys:\n  - { id: ann, sha256: ${ann.sha256}, role: analyst }\n  - { id: gateway`,
        ],
        ['deadline: 100ms', 'deadline: 10s'],
      ],
    });
    const up = await deployment.up();
    const place = ['--config', deployment.configDir];
    const historyPort = new URL(up.historyUrl).port;
    const run = async (...args: readonly string[]): Promise<string> => {
      const command = spawnSluice(args);
      await command.ended;
      return command.output;
    };
    const asked =
      (key: string) =>
      (...args: readonly string[]): Promise<string> =>
        run(...args, ...place, '--url', up.url, '--key', key);
    const [asAnn, asOperator] = [asked(ann.key), asked(deployment.operatorKey)];
    const ofHistory = (...args: readonly string[]): Promise<string> =>
      run(...args, ...place, '--data', deployment.dataDir, '--history-port', historyPort);

    // The same trees under the next version: both score every payment alike.
    const folder = join(deployment.configDir, '../next');
    cpSync(join(deployment.configDir, 'model'), folder, { recursive: true });
    const text = readFileSync(join(folder, 'model.json'), 'utf8');
    const [, version = ''] = VERSION.exec(text) ?? [];
    const next = String(Number(version) + 1);
    writeFileSync(join(folder, 'model.json'), text.replace(VERSION, `"version": "${next}"`));
    const [now, then] = [`payment-fraud@${version}`, `payment-fraud@${next}`];
    expect(await asAnn('models', 'add', folder, '--reason', 'trial')).toMatch(/ is scored beside the champion from /);
    expect(await asAnn('models', 'add', folder)).toContain('SLUICE_MODEL_UNCHANGED');

    const sender = new PaymentSender({
      ...{ apiKey: deployment.gatewayKey, url: () => up.url, paymentsPerSecond: 40, seed: 4 },
    });
    sender.start();
    while (sender.acknowledged.size < 150) await sleep(LOOK_MS);

    // Who scores verdicts takes two people here.
    const proposed = await asAnn('models', 'promote', then, '--percent', '50', '--reason', 'half');
    const [, offset = ''] = /^Proposed as (\d+); /.exec(proposed) ?? [];
    expect(await asOperator('models', 'list')).toMatch(new RegExp(`${then} +challenger +0%`));
    expect(await asAnn('models', 'approve', offset)).toContain('SLUICE_PROPOSAL_OWN');
    expect(await asOperator('models', 'proposals')).toMatch(
      new RegExp(`${offset} .* promote proposed +${then} +50% +ann +half`),
    );
    expect(await asOperator('models', 'approve', offset, '--reason', 'agreed')).toMatch(
      /scores the verdicts of 50% of accounts/,
    );
    expect(await asOperator('models', 'list')).toMatch(new RegExp(`${then} +challenger +50%`));
    const atHalf = sender.acknowledged.size;
    while (sender.acknowledged.size < atHalf + 60) await sleep(LOOK_MS);
    const champion = await asAnn('models', 'promote', then, '--reason', 'all');
    expect(await asOperator('models', 'approve', /^Proposed as (\d+)/.exec(champion)?.[1] ?? '')).toContain(
      'is the champion from',
    );
    const back = await asOperator('models', 'rollback', '--reason', 'enough');
    expect(await asOperator('models', 'reject', /^Proposed as (\d+)/.exec(back)?.[1] ?? '')).toContain(
      'nothing has changed',
    );
    expect(await asOperator('models', 'history')).toMatch(
      /rollback rejected.*\n.*rollback proposed.*\n.*promote approved.* 100% +operator/,
    );
    await sender.finish();
    expect(sender.contradicted).toEqual([]);

    const { records, decisions } = await readStored(deployment.dataDir);
    while ((await up.metric('sluice_history_offset')) < records.length) await sleep(LOOK_MS);
    const scoredBy = new Set(decisions.map(({ modelVersion }) => modelVersion));
    expect([...scoredBy].sort()).toEqual([version, next].sort());
    const compared = await ofHistory('models', 'compare', now, then, '--last', '100');
    expect(compared).toContain(now);
    expect(compared).toMatch(/100 payments/);
    // The shipped model says what its training was like, and what is scored live is held against that.
    const drift: unknown = JSON.parse(await ofHistory('models', 'drift', '--json'));
    expect(drift).toEqual(expect.arrayContaining([expect.objectContaining({ model: now, feature: 'score' })]));
    expect(await ofHistory('models', 'drift')).toMatch(/PSI.*\n.*above 0\.25 \(another population\)/s);

    const [{ transactionId } = { transactionId: '' }] = decisions;
    const explained = await asOperator('explain', transactionId);
    expect(explained).toMatch(
      new RegExp(`^${transactionId}: \\w+; ${now} gives it \\d+ of 1000 .*\nExact SHAP values`),
    );
    expect(await asOperator('explain', 'nobody')).toMatch(
      /^sluice: Refused \(transactionId\): no verdict is known .*\]\n$/,
    );
    expect(await up.interrupt()).toBe(0);
  },
);
