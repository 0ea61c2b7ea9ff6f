import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aggregateNames } from '../../operators/features/aggregates.ts';
import { checkReport, checkReportData } from './checkReport.ts';
import { loadDeployment } from './loadDeployment.ts';
import type { Deployment } from './loadDeployment.ts';

const SLUICE = `name: test
ruleSetVersion: 2026-11.1
lateness: 5m
policy:
  maxReasons: 5
  thresholds:
    normal: { challenge: 600, review: 800, decline: 950 }
    elevated: { challenge: 450, review: 650, decline: 850 }
    lockdown: { challenge: 250, review: 450, decline: 700 }
lists:
  - { name: blocked-cards, kind: block, entity: card, text: { en: Blocked, zh: 已列入黑名单 } }
  - { name: watch-devices, kind: watch, entity: device, text: { en: Watched, zh: 观察中 } }
`;
const FEATURES = `features:
  - name: card_count_10m
    entity: card
    aggregate: count
    window: 10m
  - name: amount
    aggregate: expression
    expression: tx.amountMinor
`;
const RULES = `rules:
  - id: card-velocity
    version: 3
    owner: risk-team
    when: f.card_count_10m > p.maxCount && list('watch-devices', tx.device)
    params: { maxCount: 6 }
    then: { verdict: challenge, score: 700, code: VELOCITY_CARD }
    text: { en: Many payments on this card, zh: 该卡支付次数过多 }
    examples:
      - given: { tx: { device: d-1 }, f: { card_count_10m: 7 }, lists: { watch-devices: [d-1] } }
        expect: fires
      - given: { tx: { device: d-1 }, f: { card_count_10m: 7 } }
        expect: silent
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-deployment-'));
  await write('sluice.yaml', SLUICE);
  await write('features.yaml', FEATURES);
  await write('rules/velocity.yaml', RULES);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

/** `file:line message` of every problem. */
async function problems(): Promise<readonly string[]> {
  const result = await loadDeployment(folder);
  return result.ok ? [] : result.problems.map(({ file, line, message }) => `${file}:${line} ${message}`);
}

async function load(): Promise<Deployment> {
  const result = await loadDeployment(folder);
  if (!result.ok) throw new Error(checkReport(folder, result));
  return result.deployment;
}

async function replaceIn(name: string, content: string, from: string, to: string): Promise<void> {
  expect(content).toContain(from);
  await write(name, content.replace(from, to));
}

describe('A sound deployment', () => {
  it('is loaded whole, lengths of time in milliseconds, what it leaves out filled in', async () => {
    await write(
      'sluice.yaml',
      `${SLUICE}fallback: { verdict: decline, deadline: 50ms }
http: { port: 0, maxBatch: 7 }
apiKeys:
  - { id: shop, sha256: ${'a'.repeat(64)}, role: gateway }
history: { url: 'http://clickhouse:8123', username: sluice }
`,
    );
    const { name, definition, settings, model, mapping } = await load();
    expect(name).toBe('test');
    expect(definition).toMatchObject({ ruleSetVersion: '2026-11.1', latenessMs: 300_000, recentIds: 1_000_000 });
    expect(definition.features[0]).toEqual({
      name: 'card_count_10m',
      entity: ['card'],
      aggregate: 'count',
      windowMs: 600_000,
    });
    expect(definition.rules[0]).toMatchObject({ id: 'card-velocity', mode: 'live', rollout: 100 });
    expect(settings.ingest).toMatchObject({ deadlineMs: 50, fallbackVerdict: 'decline', maxFutureMs: 600_000 });
    expect(settings.http).toMatchObject({ host: '127.0.0.1', port: 0, maxBatch: 7, requireKeys: true });
    expect(settings.apiKeys).toEqual([{ id: 'shop', sha256: 'a'.repeat(64), role: 'gateway' }]);
    expect(settings.history.server).toEqual({ kind: 'url', url: 'http://clickhouse:8123', username: 'sluice' });
    expect([model, mapping]).toEqual([null, null]);
  });

  it('is reported in a few lines', async () => {
    const result = await loadDeployment(folder);
    expect(checkReport('config/test', result).split('\n')).toEqual([
      'config/test is sound.',
      '  deployment test, rule set 2026-11.1',
      '  2 features over 1 entities',
      '  1 rules (1 live, 0 shadow, 0 off); 2 examples turn out as they say',
      '  2 lists',
      '  no model',
      '  history embedded',
    ]);
    expect(checkReportData('config/test', result)).toMatchObject({ ok: true, features: 2, rules: 1, model: null });
  });

  it.each(['default', 'handbook'])('config/%s is one', async (name) => {
    const path = join(import.meta.dirname, '../../config', name);
    expect(checkReport(path, await loadDeployment(path))).toContain(`${path} is sound.`);
  });
});

describe('A mistake in sluice.yaml', () => {
  it.each([
    ['lateness: 5m', 'lateness: 5', '3 lateness must be a length of time such as 100ms, 10m, 2h or 7d (5 has no unit)'],
    ['lateness: 5m', 'latenes: 5m', '3 there is no setting latenes here; did you mean lateness?'],
    ['name: test', 'name: Test!', '1 name must be 1 to 64 lower-case letters, digits and hyphens'],
    ['maxReasons: 5', 'maxReasons: five', '5 policy.maxReasons must be a number, not a text'],
    ['review: 800', 'review: 8000', '7 policy.thresholds.normal.review must be at most 1001'],
    [
      'review: 800, decline: 950',
      'review: 800, decline: 700',
      '7 thresholds.normal must rise: challenge <= review <= decline',
    ],
    ['kind: block', 'kind: blok', '11 lists[1].kind must be one of block, allow, watch; did you mean block?'],
    ['name: watch-devices', 'name: blocked-cards', "12 list 'blocked-cards': a second list 'blocked-cards'"],
    ['zh: 观察中', 'cn: 观察中', '12 there is no setting cn here; did you mean en?'],
    ['lists:', 'lists: 3\nhttp:', null],
  ])('%s -> %s', async (from, to, expected) => {
    await replaceIn('sluice.yaml', SLUICE, from, to);
    const found = await problems();
    expect(found.length).toBeGreaterThan(0);
    if (expected !== null) expect(found).toContain(`sluice.yaml:${expected}`);
  });

  it.each([
    ['http: { port: 99999 }', '14 http.port must be at most 65535'],
    ['http: { prot: 8080 }', '14 there is no setting prot here; did you mean port?'],
    ['fallback: { deadline: 1ms }', '14 fallback.deadline must be at least 5ms and at most 60s'],
    ['fallback: { verdict: maybe }', '14 fallback.verdict must be one of approve, challenge, review, decline'],
    [
      'apiKeys: [{ id: a, sha256: sk_secret, role: gateway }]',
      '14 apiKeys[1].sha256 must be the 64 hexadecimal digits that `sluice key` printed, not the key itself',
    ],
    [
      `apiKeys:\n  - { id: a, sha256: ${'a'.repeat(64)}, role: gateway }\n  - { id: a, sha256: ${'b'.repeat(64)}, role: analyst }`,
      '16 apiKeys[2].id is used by an earlier key',
    ],
    [
      'history:\n  url: http://a:1\n  embedded: { port: 1 }',
      '16 history.embedded cannot be set together with url: history is either here or on a server',
    ],
    ['engine: { degradeAtLag: 10, restoreAtLag: 20 }', '14 engine.restoreAtLag must be less than degradeAtLag'],
  ])('%s', async (addition, expected) => {
    await write('sluice.yaml', `${SLUICE}\n${addition}\n`);
    expect(await problems()).toEqual([`sluice.yaml:${expected}`]);
  });

  it('is never repeated in full where it may be a secret', async () => {
    await write('sluice.yaml', `${SLUICE}apiKeys: [{ id: a, sha256: sk_secret, role: gateway }]\n`);
    expect((await problems()).join('\n')).not.toContain('sk_secret');
  });

  it('in its syntax is told with its line', async () => {
    await write('sluice.yaml', `${SLUICE}http: { port: 1\nname: twice\n`);
    expect(await problems()).toEqual([expect.stringMatching(/^sluice\.yaml:1[34] this is not valid YAML here: /)]);
    await write('sluice.yaml', `${SLUICE}name: twice\n`);
    expect(await problems()).toEqual(['sluice.yaml:13 this is not valid YAML here: map keys must be unique']);
  });
});

describe('A mistake in features.yaml', () => {
  it('in its shape is told once, and does not hide the rest or raise others', async () => {
    await replaceIn('features.yaml', FEATURES, 'window: 10m', 'windw: 10m');
    await replaceIn('rules/velocity.yaml', RULES, 'VELOCITY_CARD', 'velocity card');
    const found = await problems();
    expect(found[0]).toBe('features.yaml:5 there is no setting windw here; did you mean window?');
    expect(found.slice(1).every((problem) => problem.startsWith('rules/velocity.yaml:7 '))).toBe(true);
    expect(found.length).toBe(2);
  });

  it('that the catalogue finds is told at its line', async () => {
    await replaceIn('features.yaml', FEATURES, 'expression: tx.amountMinor', 'expression: tx.amountMajor');
    expect((await problems())[0]).toMatch(/^features\.yaml:8 .*amountMajor/);
  });

  it('with a window too long for the engine is told at the window', async () => {
    await replaceIn('features.yaml', FEATURES, 'window: 10m', 'window: 400d');
    expect((await problems())[0]).toBe(
      "features.yaml:5 feature 'card_count_10m': window must be from 1s to 90d, in whole milliseconds",
    );
  });

  it('with an entity written without a list is told without one', async () => {
    await replaceIn('features.yaml', FEATURES, 'entity: card', 'entity: shop');
    expect((await problems())[0]).toMatch(/^features\.yaml:\d features\[1\]\.entity must be one of account, /);
  });
});

describe('A mistake in a rule', () => {
  it.each([
    ['f.card_count_10m > p.maxCount', 'f.card_count_1m > p.maxCount', /^rules\/velocity\.yaml:5 .*card_count_1m/],
    [
      'f.card_count_10m > p.maxCount',
      "f.card_count_10m > 'six' && p.maxCount > 0",
      /^rules\/velocity\.yaml:5 rule 'card-velocity'/,
    ],
    ["list('watch-devices'", "list('wach-devices'", /^rules\/velocity\.yaml:5 .*wach-devices/],
    [
      'verdict: challenge',
      'verdict: chalenge',
      /^rules\/velocity\.yaml:7 rules\[1\]\.then\.verdict .*did you mean challenge\?$/,
    ],
    ['score: 700', 'score: 70000', /^rules\/velocity\.yaml:7 .*score/],
    ['expect: silent', 'expect: fires', /^rules\/velocity\.yaml:12 rule 'card-velocity', example 2: expected to fire/],
    ['    owner: risk-team\n', '', /^rules\/velocity\.yaml:2 rules\[1\]\.owner is missing$/],
  ])('%s -> %s', async (from, to, expected) => {
    await replaceIn('rules/velocity.yaml', RULES, from, to);
    const found = await problems();
    expect(found.length).toBe(1);
    expect(found[0]).toMatch(expected);
  });

  it('is found in every file, and an id used in two is told where it comes again', async () => {
    await write('rules/zz.yaml', RULES);
    expect(await problems()).toEqual(["rules/zz.yaml:2 rule 'card-velocity': a second rule 'card-velocity'"]);
  });

  it('file that would be passed over is told', async () => {
    await write('rules/other.yml', RULES);
    expect(await problems()).toEqual(['sluice.yaml:1 rules/other.yml would not be read: rename it to end in .yaml']);
  });
});

describe('A model', () => {
  const onnx = Buffer.from('stands for an ONNX file');
  const writeModel = async (changes: Readonly<Record<string, unknown>>): Promise<void> => {
    const { configuration } = await load();
    await write('model/model.onnx', onnx);
    const metadata = {
      id: 'card-fraud',
      version: '7',
      format: 'onnx',
      sha256: createHash('sha256').update(onnx).digest('hex'),
      catalogueSha256: configuration.catalogue.sha256,
      inputs: configuration.catalogue.names,
      input: 'input',
      output: 'probabilities',
      fraudColumn: 1,
      calibration: [
        [0, 0],
        [1, 1000],
      ],
      baselines: {},
      reasonFeatures: ['amount'],
      trainedAt: '2026-11-01',
      data: {},
      metrics: {},
      libraries: {},
      ...changes,
    };
    await write('model/model.json', JSON.stringify(metadata, null, 2));
  };

  it('that fits is loaded', async () => {
    await writeModel({});
    const { model } = await load();
    expect(model?.metadata.id).toBe('card-fraud');
    expect(Buffer.from(model?.onnx ?? []).equals(onnx)).toBe(true);
  });

  it('scores on when features are added after its own, and not when they are put among them', async () => {
    await writeModel({});
    const added = '  - { name: card_sum_1d, entity: card, aggregate: sum, of: amountMinor, window: 1d }\n';
    await write('features.yaml', FEATURES + added);
    expect((await load()).model?.metadata.id).toBe('card-fraud');
    await write('features.yaml', FEATURES.replace('features:\n', `features:\n${added}`));
    expect(await problems()).toEqual([
      expect.stringMatching(
        /^model\/model\.json:7 features\.yaml has features among the model's that it does not know: card_sum_1d\. Move/,
      ),
    ]);
  });

  it.each([
    [
      { inputs: ['card_count_10m', 'amount', 'card_sum_1d'] },
      /model\.json:10 the model wants features .*: card_sum_1d\./,
    ],
    [{ inputs: ['amount', 'card_count_10m'] }, /model\.json:8 .*another order.*here amount, there card_count_10m/],
    [{ catalogueSha256: '0'.repeat(64) }, /model\.json:6 features\.yaml computes other values/],
    [{ sha256: '0'.repeat(64) }, /model\.json:5 model\/model\.onnx is another file/],
    [{ reasonFeatures: ['nothing'] }, /model\.json:\d+ there is no feature nothing/],
    [{ format: 'pickle' }, /model\.json:4 format must be onnx/],
    [{ calibration: [[0, 0]] }, /model\.json:14 calibration expected points with rising/],
  ])('that does not: %j', async (changes, expected) => {
    await writeModel(changes);
    const found = await problems();
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toMatch(expected);
  });

  it('without its file is told', async () => {
    await writeModel({});
    await rm(join(folder, 'model/model.onnx'));
    expect(await problems()).toEqual(['model/model.json:1 model/model.onnx is missing or cannot be read']);
  });
});

describe('A mapping', () => {
  const MAPPING = `transaction:
  transactionId: { column: ID }
  eventTimeMs: { column: TIME, format: dateTime }
  amountMinor: { column: AMOUNT, decimals: 2 }
  type: { constant: purchase }
  channel: { constant: card }
  currency: { constant: EUR }
  account: { column: CUSTOMER }
label:
  column: FRAUD
  fraudValues: ['1']
  delay: 7d
  source: simulation
`;

  it('is loaded', async () => {
    await write('mapping.yaml', MAPPING);
    expect((await load()).mapping).toMatchObject({
      transaction: { amountMinor: { column: 'AMOUNT', decimals: 2 }, texts: { account: { column: 'CUSTOMER' } } },
      label: { delayMs: 7 * 86_400_000, fraudValues: ['1'], includeGenuine: false, fraudType: null },
    });
  });

  it.each([
    ['column: ID', 'colunm: ID', 'mapping.yaml:2 there is no setting colunm here; did you mean column?'],
    ['constant: purchase', 'constant: buy', 'mapping.yaml:5 transaction.type.constant must be one of '],
    ['{ constant: EUR }', 'EUR', 'mapping.yaml:7 transaction.currency must be {column: NAME} or {constant: VALUE}'],
    ['  account:', '  acount:', 'mapping.yaml:8 there is no setting acount here; did you mean account?'],
    ['delay: 7d', 'delay: 7', 'mapping.yaml:12 label.delay must be a length of time'],
    ['  amountMinor: { column: AMOUNT, decimals: 2 }\n', '', 'mapping.yaml:1 transaction.amountMinor is missing'],
  ])('%s -> %s', async (from, to, expected) => {
    await replaceIn('mapping.yaml', MAPPING, from, to);
    const found = await problems();
    expect(
      found.some((problem) => problem.startsWith(expected)),
      found.join('\n'),
    ).toBe(true);
  });
});

describe('A folder', () => {
  it('that is not there is told', async () => {
    const result = await loadDeployment(join(folder, 'nowhere'));
    expect(result).toMatchObject({ ok: false, problems: [{ code: 'SLUICE_CONFIG_MISSING' }] });
  });

  it('without its files is told, file by file', async () => {
    await rm(join(folder, 'sluice.yaml'));
    await rm(join(folder, 'features.yaml'));
    const found = await problems();
    expect(found).toContain('sluice.yaml:1 the file is missing');
    expect(found).toContain('features.yaml:1 the file is missing');
  });

  it('tells every mistake of every file at once, in order, as text and as data', async () => {
    await replaceIn('sluice.yaml', SLUICE, 'lateness: 5m', 'lateness: soon');
    await replaceIn('features.yaml', FEATURES, 'aggregate: count', 'aggregate: cuont');
    await write('rules/velocity.yaml', RULES.replace('version: 3', 'version: three'));
    const result = await loadDeployment(folder);
    expect(checkReport('config/test', result).split('\n')).toEqual([
      `config/test/features.yaml:4:5 features[1].aggregate must be one of ${aggregateNames.join(', ')}; did you mean count? [SLUICE_CONFIG_VALUE]`,
      'config/test/rules/velocity.yaml:3:5 rules[1].version must be a number, not a text [SLUICE_CONFIG_VALUE]',
      'config/test/sluice.yaml:3:1 lateness must be a length of time such as 100ms, 10m, 2h or 7d [SLUICE_CONFIG_VALUE]',
      '3 problems in config/test.',
    ]);
    expect(checkReportData('config/test', result)).toMatchObject({ ok: false, problems: { length: 3 } });
  });
});
