import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { loadDeployment, type Deployment } from '../../infra/deployment/loadDeployment.ts';
import { openLmdb } from '../../infra/lmdb/openLmdb.ts';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileCatalogue, type CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { FeatureOracle } from '../../operators/features/testing/oracle.ts';
import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import { PaymentSender } from '../testing/paymentSender.ts';
import { spawnSluice, type SluiceProcess } from '../testing/spawnSluice.ts';
import { readStored, type StoredData } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';
import type { UpSluice } from '../testing/upSluice.ts';

const ADDED = `features:
  # What the shop took from everybody.
  - name: merchant_sum_1h
    entity: merchant
    aggregate: sum
    of: amountMinor
    window: 1h
  - name: merchant_accounts_5m
    entity: merchant
    aggregate: distinct
    of: account
    window: 5m
`;
/** Each test starts a dozen programs. */
const TIMEOUT_MS = 300_000;
const NAMES = ['merchant_sum_1h', 'merchant_accounts_5m'];

describe('sluice features add and remove', { timeout: TIMEOUT_MS }, () => {
  it('change the catalogue under load at one offset, and every value is exact from the first one on', async () => {
    const deployment = new TestDeployment();
    const original = await loaded(deployment);
    let up = await deployment.up();
    const sender = new PaymentSender({
      apiKey: deployment.gatewayKey,
      url: () => up.url,
      paymentsPerSecond: 40,
      seed: 11,
    });
    sender.start();
    await sleep(2_000);
    const added = await features(deployment, up, ['add', file(deployment, ADDED)]);
    expect(added.output).toMatch(/^merchant_sum_1h added, merchant_accounts_5m added: rule set 2026-11\.2, \d+ feat/m);
    const withThem = await loaded(deployment);
    expect(withThem.configuration.catalogue.names).toEqual([...original.configuration.catalogue.names, ...NAMES]);
    await sleep(1_000);
    // A restart has nothing to publish, and goes on exactly.
    expect(await up.interrupt()).toBe(0);
    up = await deployment.up();
    await sleep(1_000);
    const removed = await features(deployment, up, ['remove', 'merchant_accounts_5m']);
    expect(removed.output).toContain('merchant_accounts_5m removed: rule set 2026-11.3');
    await sleep(1_000);
    await sender.finish();
    expect(sender.contradicted).toEqual([]);
    expect(await up.interrupt()).toBe(0);

    const stored = await readStored(deployment.dataDir);
    expect(publishedVersions(stored)).toEqual(['2026-11.1', '2026-11.2', '2026-11.3']);
    const compared = compareAdded(stored, withThem, original.configuration.catalogue.names.length);
    for (const version of ['2026-11.2', '2026-11.3']) expect(compared.get(version)).toBeGreaterThan(10);
    // TestDeployment replays the ledger now and compares every byte.
  });

  it('say in one line what is wrong with a file, and change nothing', async () => {
    const deployment = new TestDeployment();
    const up = await deployment.up();
    const before = configuration(deployment);
    const good = '{ name: good, entity: card, aggregate: count, window: 1d }';
    const bad: readonly (readonly [text: string, says: RegExp])[] = [
      [
        'features:\n  - { name: x, entity: card, aggregate: median, window: 1d }',
        /feature 'x': aggregate must be one of /,
      ],
      [
        'features:\n  - { name: amount, entity: card, aggregate: count, window: 1d }',
        /feature 'amount': .*already the name/,
      ],
      [
        `features:\n  - ${good}\n  - { name: x, aggregate: expression, expression: f.nope }`,
        /feature 'x': unknown feature/,
      ],
      ['features: 3', /must be YAML with a list under `features:`/],
    ];
    for (const [text, says] of bad) {
      const path = file(deployment, text);
      const { output, exitCode } = await features(deployment, up, ['add', path]);
      expect(output).toMatch(says);
      expect(output.trimEnd().split('\n')).toHaveLength(1);
      expect(exitCode).toBe(1);
    }
    const read = await features(deployment, up, ['remove', 'account_device_share_30d']);
    expect(read.output).toBe(
      "sluice: feature 'account_device_share_30d' is read by rule 'new-device-transfer', rule 'new-device-cash-out', " +
        'the model payment-fraud 2: change that first\n',
    );
    expect((await features(deployment, up, ['remove', 'nope'])).output).toContain('features.yaml has no feature nope');
    expect(configuration(deployment)).toEqual(before);
    // A folder that is not what runs would publish more than the feature.
    writeFileSync(
      join(deployment.configDir, 'sluice.yaml'),
      before[1]!.replace('recentIds: 200000', 'recentIds: 1000'),
    );
    const other = await features(deployment, up, ['add', file(deployment, ADDED)]);
    expect(other.output).toMatch(/another configuration is in force .*\[SLUICE_PUBLICATION_BASE\]\n$/);
    expect(await up.interrupt()).toBe(0);
    expect(publishedVersions(await readStored(deployment.dataDir))).toEqual(['2026-11.1']);
  });

  it('change nothing when the command or Sluice ends before the switch', async () => {
    const deployment = new TestDeployment();
    const before = configuration(deployment);
    expect(await (await deployment.up()).interrupt()).toBe(0);
    await appendPayments(deployment, 12_000);
    let up = await deployment.up();
    const path = file(deployment, ADDED);

    const interrupted = spawnFeatures(deployment, up, ['add', path]);
    await written(interrupted, 'ledger records');
    interrupted.kill('SIGINT');
    expect((await interrupted.ended).exitCode).toBe(1);
    expect(interrupted.output).toMatch(/nothing has changed: SLUICE_PUBLICATION_CANCELLED: it was given up\n$/);

    const killed = spawnFeatures(deployment, up, ['add', path]);
    await written(killed, 'ledger records');
    await up.kill();
    expect((await killed.ended).exitCode).toBe(1);
    expect(killed.output).toContain('Sluice went away before the publication; nothing has changed.');

    up = await deployment.up();
    expect(configuration(deployment)).toEqual(before);
    expect(publishedVersions(await readStored(deployment.dataDir))).toEqual(['2026-11.1']);
    const { output } = await features(deployment, up, ['add', path]);
    expect(output).toContain('merchant_sum_1h added');
    expect(await up.interrupt()).toBe(0);
  });
});

function spawnFeatures(deployment: TestDeployment, up: UpSluice, args: readonly string[]): SluiceProcess {
  const options = ['--config', deployment.configDir, '--url', up.url, '--key', deployment.operatorKey];
  return spawnSluice(['features', ...args, ...options]);
}

async function features(
  deployment: TestDeployment,
  up: UpSluice,
  args: readonly string[],
): Promise<{ readonly output: string; readonly exitCode: number | null }> {
  const command = spawnFeatures(deployment, up, args);
  const { exitCode } = await command.ended;
  return { output: command.output, exitCode };
}

async function written(command: SluiceProcess, text: string): Promise<void> {
  while (!command.output.includes(text)) {
    if (!command.isRunning) throw new Error(`it ended without saying "${text}":\n${command.output}`);
    await sleep(5);
  }
}

function file(deployment: TestDeployment, text: string): string {
  const path = join(deployment.configDir, 'more-features.yaml');
  writeFileSync(path, text);
  return path;
}

function configuration({ configDir }: TestDeployment): string[] {
  return ['features.yaml', 'sluice.yaml'].map((name) => readFileSync(join(configDir, name), 'utf8'));
}

async function loaded({ configDir }: TestDeployment): Promise<Deployment> {
  const result = await loadDeployment(configDir);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.deployment;
}

function publishedVersions({ records }: StoredData): string[] {
  return records.flatMap((record) => (record.kind === 'ruleSetPublication' ? [record.event.version] : []));
}

/** Holds every added feature of every decision against scans of the whole ledger; returns payments by rule set. */
function compareAdded(stored: StoredData, { definition }: Deployment, firstAdded: number): Map<string, number> {
  const oracle = new FeatureOracle(catalogueOf(definition.features.slice(firstAdded), definition.latenessMs));
  const decisions = new Map(stored.decisions.map((decision) => [decision.ledgerOffset, decision]));
  const compared = new Map<string, number>();
  for (const [offset, record] of stored.records.entries()) {
    if (record.kind === 'tick') oracle.advanceTime(record.event.eventTimeMs);
    if (record.kind !== 'transaction') continue;
    const decision = decisions.get(offset);
    if (decision === undefined) throw new Error(`no decision at ${offset}`);
    if (decision.status !== 'new') continue;
    const expected = oracle.addTransaction(record.event, offset).features;
    const actual = decision.features.slice(firstAdded);
    expect(actual).toEqual([...expected].slice(0, ADDED_BY_VERSION[decision.ruleSet]));
    compared.set(decision.ruleSet, (compared.get(decision.ruleSet) ?? 0) + 1);
  }
  return compared;
}

const ADDED_BY_VERSION: Readonly<Record<string, number>> = { '2026-11.1': 0, '2026-11.2': 2, '2026-11.3': 1 };

function catalogueOf(definitions: Deployment['definition']['features'], latenessMs: number): CompiledCatalogue {
  const compiled = compileCatalogue(definitions, latenessMs);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

/** Payments of the last hour, for a ledger that takes a while to read. */
async function appendPayments({ dataDir }: TestDeployment, count: number): Promise<void> {
  const data = openLmdb(dataDir);
  const endMs = Date.now();
  for (let from = 0; from < count; from += 1_000) {
    const records = Array.from({ length: 1_000 }, (_, index) => {
      const number = from + index;
      const eventTimeMs = endMs - (count - number) * 100;
      const [account, merchant] = [`a-${number % 997}`, `m-${number % 101}`];
      const event = { ...bareTransaction, transactionId: `old-${number}`, eventTimeMs, account, merchant };
      return encodeLedgerRecord({ kind: 'transaction', event }, eventTimeMs, 'test');
    });
    await data.ledger.append(records);
  }
  await data.close();
}
