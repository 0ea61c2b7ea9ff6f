import { afterEach, describe, expect, it } from 'vitest';
import { scoreOf } from '../models/modelPackage.ts';
import { Scorer } from '../models/scorer.ts';
import { codecs } from '../schemas/codec.ts';
import { Challengers } from './challengers.ts';
import { DecisionExplainer } from './decisionExplainer.ts';
import { HistoryWriter } from './history.ts';
import type { ModelAnswer } from './modelGateway.ts';
import { verifyReplay } from './replay.ts';
import { MemoryHistory } from './testing/memoryHistory.ts';
import { MemoryModelStore } from './testing/memoryModelStore.ts';
import { packagesDefinition, testPackage, type TestPackage } from './testing/modelPackages.ts';
import { TopologyDriver } from './testing/topologyDriver.ts';

const champion = testPackage('lightgbm', { version: '1' });
const challenger = testPackage('xgboost', { version: '2' });
const linear = testPackage('sklearn-logistic', { version: '3' });
const ACCOUNTS = 60;

const running: TopologyDriver[] = [];

async function start(
  before?: TopologyDriver,
  model: TestPackage = champion,
  definition = packagesDefinition,
): Promise<TopologyDriver> {
  const { ledger, decisions, models } = before ?? {};
  const stores =
    ledger === undefined || decisions === undefined || models === undefined ? {} : { ledger, decisions, models };
  const driver = await TopologyDriver.start({ definition, model, ...stores });
  running.push(driver);
  return driver;
}

/** Whatever models did meanwhile, a replay gives the same bytes. */
afterEach(async () => {
  for (const driver of running.splice(0)) {
    await driver.stop();
    expect(await driver.replay()).toMatchObject({ different: 0, differences: [] });
  }
});

/** A payment of each account; resolves to the version that decided, by account. */
async function round(driver: TopologyDriver, name: string): Promise<ReadonlyMap<string, string | null>> {
  const versions = new Map<string, string | null>();
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => `a-${index}`);
  await Promise.all(
    accounts.map((account, index) => driver.submit({ ...payment(`${name}-${account}`, index), account })),
  );
  for (const account of accounts)
    versions.set(account, (await driver.decision(`${name}-${account}`))?.modelVersion ?? null);
  return versions;
}

function payment(transactionId: string, index: number): object {
  return {
    transactionId,
    eventTimeMs: 1_767_225_600_000,
    type: 'purchase',
    channel: 'card',
    amountMinor: 10 + 7 * index,
    currency: 'CNY',
    merchant: `m-${index % 5}`,
  };
}

function add(driver: TopologyDriver, { metadata, onnx }: TestPackage): Promise<ModelAnswer> {
  return driver.pipeline.gateway.models.add({ metadata: JSON.stringify(metadata), onnx, reason: 'trial' }, 'ana');
}

function promote(driver: TopologyDriver, version: string, percent: number): Promise<ModelAnswer> {
  return driver.pipeline.gateway.models.promote({ id: 'fraud', version, percent, reason: 'why' }, 'ana');
}

function roles(driver: TopologyDriver): readonly string[] {
  return driver.pipeline.gateway.models.list().map(({ version, role, percent }) => `${version} ${role} ${percent}`);
}

function having(versions: ReadonlyMap<string, string | null>, version: string): readonly string[] {
  return [...versions].filter(([, each]) => each === version).map(([account]) => account);
}

describe('where a second person must agree', () => {
  const approving = { ...packagesDefinition, approvals: 1 as const };
  const answer = (driver: TopologyDriver, ledgerOffset: number, how: 'approve' | 'reject', author: string) =>
    driver.pipeline.gateway.models.answer({ ledgerOffset, answer: how, reason: 'because' }, author);
  const offsetOf = (answered: ModelAnswer): number => (answered.kind === 'done' ? answered.ledgerOffset : -1);

  it('what changes who scores verdicts is a proposal until somebody else approves it', async () => {
    const driver = await start(undefined, champion, approving);
    expect(await add(driver, challenger)).toMatchObject({ kind: 'done', standing: 'inForce' });
    const proposed = await promote(driver, '2', 100);
    expect(proposed).toMatchObject({ kind: 'done', standing: 'proposed', model: { role: 'challenger', percent: 0 } });
    expect(having(await round(driver, 'waits'), '1')).toHaveLength(ACCOUNTS);
    const offset = offsetOf(proposed);
    expect(await answer(driver, offset, 'approve', 'ana')).toMatchObject({
      kind: 'conflict',
      refusal: { code: 'SLUICE_PROPOSAL_OWN' },
    });
    const second = offsetOf(await promote(driver, '2', 30));
    expect(await answer(driver, second, 'reject', 'ana')).toMatchObject({ standing: 'rejected' });
    expect(driver.pipeline.gateway.models.proposals().map(({ ledgerOffset }) => ledgerOffset)).toEqual([offset]);
    expect(await answer(driver, offset, 'approve', 'ben')).toMatchObject({
      ...{ kind: 'done', standing: 'inForce', model: { version: '2', role: 'champion', percent: 100 } },
    });
    expect(having(await round(driver, 'approved'), '2')).toHaveLength(ACCOUNTS);
    expect(await answer(driver, offset, 'approve', 'ben')).toMatchObject({ kind: 'unknown' });
    expect(driver.pipeline.gateway.models.changes().map(({ step, author }) => `${step} ${author}`)).toEqual([
      ...['approve ben', 'reject ana', 'propose ana', 'propose ana', 'apply ana', 'apply deployment'],
    ]);
  });

  it('a proposal outlives a restart and ends when other models score; a restart is no second person', async () => {
    const first = await start(undefined, champion, approving);
    await add(first, challenger);
    await add(first, linear);
    const kept = offsetOf(await promote(first, '2', 50));
    const overtaken = offsetOf(await promote(first, '3', 100));
    await first.stop();
    running.splice(0);
    const driver = await start(first, testPackage('lightgbm', { version: '9' }), approving);
    expect(roles(driver)).toEqual(['1 champion 100', '2 challenger 0', '3 challenger 0']);
    expect(driver.logged.some(({ message }) => message.includes('a second person must agree'))).toBe(true);
    expect(await answer(driver, kept, 'approve', 'ben')).toMatchObject({ model: { percent: 50 } });
    expect(await answer(driver, overtaken, 'approve', 'ben')).toMatchObject({ kind: 'unknown' });
    const back = await driver.pipeline.gateway.models.rollback('worse', 'ana');
    expect(back).toMatchObject({ standing: 'proposed' });
    expect(roles(driver)).toEqual(['1 champion 50', '2 challenger 50', '3 challenger 0']);
    expect(await answer(driver, offsetOf(back), 'approve', 'ben')).toMatchObject({ model: { percent: 0 } });
  });
});

describe('a challenger', () => {
  it('changes no verdict, and its scores come into history beside the champion’s', async () => {
    const driver = await start();
    expect(await add(driver, challenger)).toMatchObject({ kind: 'done', model: { role: 'challenger', percent: 0 } });
    expect(await add(driver, linear)).toMatchObject({ kind: 'done' });
    expect(roles(driver)).toEqual(['1 champion 100', '2 challenger 0', '3 challenger 0']);
    expect(having(await round(driver, 'shadow'), '1')).toHaveLength(ACCOUNTS);
    await promote(driver, '2', 100);
    await round(driver, 'after');
    const { history, counted } = await written(driver);
    const scores = history.modelScores;
    expect(scores.map(({ modelVersion, isDeciding }) => `${modelVersion} ${isDeciding}`).sort()).toEqual(
      ['1 true', '2 false', '2 true', '3 false', '3 false'].flatMap((line) => Array<string>(ACCOUNTS).fill(line)),
    );
    expect(counted).toEqual({ scored: 3 * ACCOUNTS, skipped: 0 });
    for (const { metadata, onnx } of [champion, challenger, linear]) {
      const scorer = await Scorer.load(metadata, onnx);
      for (const score of scores.filter(({ modelVersion }) => modelVersion === metadata.version)) {
        const decision = await driver.decision(score.transactionId);
        const [alone] = await scorer.probabilities(Float32Array.from(decision?.features ?? []), 1);
        expect([score.probability, score.score]).toEqual([alone, scoreOf(metadata.calibration, alone ?? NaN)]);
      }
      await scorer.close();
    }
  });

  it('that is too slow, or missing, misses payments, which are counted', async () => {
    const driver = await start();
    await add(driver, challenger);
    await round(driver, 'shadow');
    expect((await written(driver, { budgetMs: 0 })).counted).toEqual({ scored: 0, skipped: ACCOUNTS });
    const missing = await written(driver, { models: new MemoryModelStore() });
    expect(missing.counted).toEqual({ scored: 0, skipped: ACCOUNTS });
    // The champion's file and the challenger's.
    const lacking: unknown = expect.stringContaining('SLUICE_MODEL_MISSING');
    expect(missing.logged).toEqual([lacking, lacking]);
  });

  it('with a share decides for the same accounts always; a greater share adds to them', async () => {
    const driver = await start();
    await add(driver, challenger);
    await promote(driver, '2', 30);
    const third = having(await round(driver, 'r1'), '2');
    expect(third.length).toBeGreaterThan(ACCOUNTS * 0.1);
    expect(third.length).toBeLessThan(ACCOUNTS * 0.5);
    expect(having(await round(driver, 'r2'), '2')).toEqual(third);
    await promote(driver, '2', 60);
    const more = having(await round(driver, 'r3'), '2');
    expect(more).toEqual(expect.arrayContaining([...third]));
    expect(more.length).toBeGreaterThan(third.length);
    expect(await driver.pipeline.gateway.models.rollback('worse', 'ana')).toMatchObject({ kind: 'done' });
    expect(having(await round(driver, 'r4'), '2')).toEqual([]);
    const { history } = await written(driver);
    const deciding = history.modelScores.filter(
      ({ transactionId, isDeciding }) => isDeciding && transactionId.startsWith('r2-'),
    );
    expect(
      deciding.filter(({ modelVersion }) => modelVersion === '2').map(({ transactionId }) => transactionId.slice(3)),
    ).toEqual(third);
  });
});

describe('a champion', () => {
  it('is replaced, and comes back by a rollback, for the next payment', async () => {
    const driver = await start();
    await add(driver, challenger);
    expect(await promote(driver, '2', 100)).toMatchObject({ kind: 'done', model: { role: 'champion', percent: 100 } });
    expect(having(await round(driver, 'r1'), '2')).toHaveLength(ACCOUNTS);
    await driver.pipeline.gateway.models.rollback('worse', 'ben');
    expect(having(await round(driver, 'r2'), '1')).toHaveLength(ACCOUNTS);
    expect(roles(driver)).toEqual(['1 champion 100', '2 none 0']);
    const changes = driver.pipeline.gateway.models.changes();
    expect(
      changes.map(({ action, version, percent, author, reason }) => [action, version, percent, author, reason]),
    ).toEqual([
      ['rollback', '1', 100, 'ben', 'worse'],
      ['promote', '2', 100, 'ana', 'why'],
      ['promote', '2', 0, 'ana', 'trial'],
      ['promote', '1', 100, 'deployment', 'the deployment folder at start'],
    ]);
    expect(changes.map(({ ledgerOffset }) => ledgerOffset)).toEqual(
      changes.map(({ ledgerOffset }) => ledgerOffset).toSorted((a, b) => b - a),
    );
  });

  it('stands over a restart; the folder’s model takes its place only when the folder has a new one', async () => {
    const driver = await start();
    await add(driver, challenger);
    await promote(driver, '2', 100);
    await driver.stop();
    running.pop();
    const again = await start(driver);
    expect(roles(again)).toEqual(['1 none 0', '2 champion 100']);
    expect(again.logged.map(({ message }) => message)).toContainEqual(expect.stringContaining('promoted since'));
    await again.stop();
    running.pop();
    const changed = await start(driver, linear);
    expect(roles(changed)).toEqual(['1 none 0', '2 none 0', '3 champion 100']);
  });

  it('whose package an instance lacks stops its replay with one line', async () => {
    const driver = await start();
    await round(driver, 'r1');
    const { ledger, decisions } = driver;
    await expect(verifyReplay({ ledger, decisions, models: new MemoryModelStore() })).rejects.toThrow(
      /^SLUICE_MODEL_MISSING: the model store has no file with SHA-256 [0-9a-f]{64} \(fraud 1\)/,
    );
  });
});

describe('an explanation on demand', () => {
  it('of an approved payment adds up to the margin of its model, also of one that is champion no more', async () => {
    const driver = await start();
    await round(driver, 'r1');
    await add(driver, linear);
    await promote(driver, '3', 100);
    await round(driver, 'r2');
    for (const account of ['a-0', 'a-30', 'a-59']) {
      const decision = await driver.decision(`r1-${account}`);
      const answer = await driver.pipeline.gateway.explain(`r1-${account}`);
      if (answer.kind !== 'explained') throw new Error(answer.refusal.message);
      const { method, mean, margin, features, probability, model } = answer.explanation;
      expect([method, model.version, probability]).toEqual(['treeShap', '1', decision?.modelScore]);
      expect(1 / (1 + Math.exp(-(margin ?? NaN)))).toBeCloseTo(probability, 5);
      const sum = features.reduce((total, { contribution }) => total + contribution, mean ?? NaN);
      expect(sum).toBeCloseTo(margin ?? NaN, 10);
      const named = (name: string): number => features.find(({ feature }) => feature === name)?.contribution ?? 0;
      if (decision?.explanation !== null)
        expect(champion.metadata.inputs.map(named)).toEqual(decision?.explanation.contributions);
    }
    expect(await driver.pipeline.gateway.explain('r2-a-3')).toMatchObject({
      explanation: { method: 'occlusion', why: 'the model is no tree ensemble', model: { version: '3' } },
    });
    expect(await driver.pipeline.gateway.explain('nobody')).toMatchObject({ kind: 'unknown' });
  });

  it('is refused where the stored decision is not what the model gives', async () => {
    const driver = await start();
    await round(driver, 'r1');
    const decision = await driver.decision('r1-a-1');
    if (decision === undefined) throw new Error('it was decided');
    const changed = codecs.decision.encode({ ...decision, modelScore: 0.25 });
    const explainer = new DecisionExplainer({
      decisions: { find: () => Promise.resolve(changed) },
      models: driver.models,
      roster: () => driver.pipeline.engine.models,
      configuration: () => null,
    });
    expect(await explainer.explain('r1-a-1')).toMatchObject({ refusal: { code: 'SLUICE_EXPLANATION_DIFFERENT' } });
    await explainer.close();
  });
});

it('refuses what could not score, or makes no sense now, in one line and without a record', async () => {
  const driver = await start();
  await add(driver, challenger);
  const end = driver.ledger.endOffset();
  const damaged = { ...linear, onnx: Buffer.from(linear.onnx).fill(0, 100, 110) };
  const changed = (change: Partial<TestPackage['metadata']>): TestPackage => {
    return { ...linear, metadata: { ...linear.metadata, ...change } };
  };
  const swapped = [...linear.metadata.inputs.slice(1), 'amount'];
  const refusals: readonly (readonly [Promise<ModelAnswer>, string, RegExp])[] = [
    [add(driver, damaged), 'invalid SLUICE_MODEL_HASH', /model\.json says/],
    [add(driver, changed({ inputs: swapped })), 'invalid SLUICE_MODEL_INPUTS', /another order/],
    [add(driver, changed({ inputs: ['amount', 'nothing'] })), 'invalid SLUICE_MODEL_INPUTS', /nothing/],
    [add(driver, changed({ catalogueSha256: 'a'.repeat(64) })), 'invalid SLUICE_MODEL_CATALOGUE', /other values/],
    [add(driver, changed({ output: 'label' })), 'invalid SLUICE_MODEL_SHAPE', /label/],
    [add(driver, changed({ version: '' })), 'invalid SLUICE_MODEL_METADATA', /./],
    [
      add(driver, testPackage('sklearn-logistic', { version: '2' })),
      'conflict SLUICE_MODEL_VERSION',
      /another version/,
    ],
    [add(driver, challenger), 'conflict SLUICE_MODEL_UNCHANGED', /already/],
    [promote(driver, '9', 100), 'unknown SLUICE_MODEL_UNKNOWN', /known: fraud@1, fraud@2/],
    [promote(driver, '2', 0), 'conflict SLUICE_MODEL_UNCHANGED', /already/],
    [promote(driver, '1', 10), 'conflict SLUICE_MODEL_CHAMPION', /in its place/],
    [driver.pipeline.gateway.models.rollback('', 'ana'), 'conflict SLUICE_MODEL_NO_PREVIOUS', /nothing to go back to/],
  ];
  for (const [answer, expected, message] of refusals) {
    const refused = await answer;
    if (refused.kind === 'done') throw new Error(`${expected} was not refused`);
    expect(`${refused.kind} ${refused.refusal.code}`).toBe(expected);
    expect(refused.refusal.message).toMatch(message);
    expect(refused.refusal.message).not.toContain('\n');
  }
  expect(driver.ledger.endOffset()).toBe(end);
  await add(driver, linear);
  await promote(driver, '2', 40);
  expect(await promote(driver, '3', 40)).toMatchObject({ kind: 'conflict', refusal: { code: 'SLUICE_MODEL_BUSY' } });
});

/** What a history writer makes of the driver's ledger from its start. */
async function written(
  driver: TopologyDriver,
  options: { readonly budgetMs?: number; readonly models?: MemoryModelStore } = {},
): Promise<{
  readonly history: MemoryHistory;
  readonly counted: { readonly scored: number; readonly skipped: number };
  readonly logged: readonly string[];
}> {
  const history = new MemoryHistory();
  const counted = { scored: 0, skipped: 0 };
  const logged: string[] = [];
  const logger = { info: () => undefined, warn: (_fields: object, message: string) => void logged.push(message) };
  const challengers = new Challengers({
    models: options.models ?? driver.models,
    logger,
    telemetry: {
      challenged: (_model, scored, skipped) => {
        counted.scored += scored;
        counted.skipped += skipped;
      },
    },
    clock: () => 0,
    budgetMs: options.budgetMs ?? 1,
  });
  const { ledger, decisions } = driver;
  const writer = new HistoryWriter({ ledger, decisions, history, challengers, logger, maxRecords: 50, maxWaitMs: 1 });
  const stopping = new AbortController();
  const run = writer.run(stopping.signal);
  await driver.pipeline.caughtUp();
  await writer.reached(ledger.endOffset());
  stopping.abort();
  await run;
  await challengers.close();
  return { history, counted, logged };
}
