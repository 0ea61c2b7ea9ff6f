import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { canonicalJson } from '../operators/canonicalJson.ts';
import type { ConfigurationDefinition, FeatureDefinition } from '../operators/definitions.ts';
import { compileCatalogue } from '../operators/features/catalogue.ts';
import { modelMetadataSchema } from '../models/modelPackage.ts';
import { packageRoot } from '../schemas/packageRoot.ts';
import { DRIVER_SENDER, TopologyDriver } from './testing/topologyDriver.ts';
import { MemoryBackfill } from './testing/memoryBackfill.ts';
import { MemoryLedger } from './testing/memoryLedger.ts';
import type { BackfillRun, BackfillRunner } from './ports.ts';
import type { PublicationState } from './gateway.ts';
import { ABANDONED_AFTER_MS } from './publications.ts';

const START_MS = 1_767_225_600_000;
const DAY_MS = 86_400_000;
const thresholds = { challenge: 600, review: 800, decline: 930 };

const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 600_000,
  recentIds: 10_000,
  features: [{ name: 'card_count_1d', aggregate: 'count', entity: ['card'], windowMs: DAY_MS }],
  rules: [],
  lists: [],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};
const wider: ConfigurationDefinition = {
  ...definition,
  ruleSetVersion: 'test.2',
  features: [
    ...definition.features,
    { name: 'device_sum_1d', aggregate: 'sum', of: 'amountMinor', entity: ['device'], windowMs: DAY_MS },
  ],
};

function payment(id: string): object {
  return {
    transactionId: id,
    eventTimeMs: START_MS,
    type: 'purchase',
    channel: 'card',
    amountMinor: 100,
    currency: 'CNY',
    account: 'a-1',
    card: { pan: '4111111111111111' },
    device: 'd-1',
    merchant: 'm-1',
  };
}

const modelFolder = join(packageRoot, 'config/handbook/model');
const onnx = readFileSync(join(modelFolder, 'model.onnx'));
const metadata = modelMetadataSchema.parse(JSON.parse(readFileSync(join(modelFolder, 'model.json'), 'utf8')));

const running: TopologyDriver[] = [];
async function start(backfill: (ledger: MemoryLedger) => BackfillRunner | null): Promise<TopologyDriver> {
  const ledger = new MemoryLedger();
  const runner = backfill(ledger);
  const driver = await TopologyDriver.start({ definition, ledger, ...(runner === null ? {} : { backfill: runner }) });
  running.push(driver);
  return driver;
}

// A replay builds each catalogue's state from the ledger's start: it is what the state built aside is held to.
afterEach(async () => {
  for (const driver of running.splice(0)) {
    await driver.stop();
    expect(await driver.replay()).toMatchObject({ different: 0, differences: [] });
  }
});

async function submit(driver: TopologyDriver, from: number, count: number): Promise<void> {
  for (let id = from; id < from + count; id++) await driver.submit(payment(`t-${String(id)}`));
}

async function ended({ pipeline }: TopologyDriver): Promise<PublicationState> {
  for (;;) {
    const state = pipeline.gateway.publication();
    if (state.stage !== 'backfilling' && state.stage !== 'publishing') return state;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function publish({ pipeline }: TopologyDriver, configuration: unknown): Promise<string | null> {
  const content = canonicalJson(configuration);
  const refusal = await pipeline.gateway.publish({ content, replaces: null, reason: 'more' }, DRIVER_SENDER);
  return refusal?.code ?? null;
}

/** Never gets near the ledger's end. */
class EndlessBackfill implements BackfillRun {
  static running = 0;
  readonly nextOffset = 1;
  readonly failed = new Promise<never>(() => undefined);

  constructor() {
    EndlessBackfill.running += 1;
  }

  handOver(): Promise<never> {
    return Promise.reject(new Error('it was not to be asked'));
  }

  end(): Promise<void> {
    EndlessBackfill.running -= 1;
    return Promise.resolve();
  }
}

describe('a publication with another catalogue', () => {
  it('has its state built aside while payments are decided, and is exact from its first payment', async () => {
    const driver = await start((ledger) => new MemoryBackfill(ledger));
    await submit(driver, 0, 300);
    expect(await publish(driver, wider)).toBeNull();
    let next = 300;
    while (driver.pipeline.gateway.publication().stage === 'backfilling') {
      await submit(driver, next++, 1);
      // In memory nothing waits for anything: timers must have their turn.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await ended(driver)).toMatchObject({ stage: 'published', version: 'test.2', error: null });
    await submit(driver, next, 1);
    const decision = await driver.decision(`t-${String(next)}`);
    expect(decision?.features).toEqual([next + 1, 100 * (next + 1)]);
    expect(decision?.ruleSet).toBe('test.2');
    // Back again: the feature's memory is free, the others go on.
    expect(await publish(driver, { ...definition, ruleSetVersion: 'test.3' })).toBeNull();
    expect((await ended(driver)).stage).toBe('published');
    await submit(driver, next + 1, 1);
    expect((await driver.decision(`t-${String(next + 1)}`))?.features).toEqual([next + 2]);
  });

  it('recognises a payment that was first seen before the state was handed over', async () => {
    const driver = await start((ledger) => new MemoryBackfill(ledger));
    await submit(driver, 0, 10);
    await publish(driver, wider);
    await ended(driver);
    expect(await driver.submit(payment('t-3'))).toMatchObject({ verdict: { status: 'duplicate' } });
    await submit(driver, 10, 1);
    expect((await driver.decision('t-10'))?.features).toEqual([11, 1_100]);
  });

  it('is built by the engine where nothing can be built aside', async () => {
    const driver = await start(() => null);
    await submit(driver, 0, 3);
    expect(await publish(driver, wider)).toBeNull();
    expect((await ended(driver)).stage).toBe('published');
    await submit(driver, 3, 1);
    expect((await driver.decision('t-3'))?.features).toEqual([4, 400]);
  });

  it('can be given up, and is when nobody asks for it any more or Sluice stops', async () => {
    const driver = await start(() => ({ start: () => new EndlessBackfill() }));
    await submit(driver, 0, 100);
    const { gateway } = driver.pipeline;
    await publish(driver, wider);
    expect(gateway.publication()).toMatchObject({ stage: 'backfilling', doneRecords: 1, version: 'test.2' });
    gateway.cancelPublication();
    expect(await ended(driver)).toMatchObject({
      stage: 'failed',
      error: 'SLUICE_PUBLICATION_CANCELLED: it was given up',
    });

    await publish(driver, wider);
    const nowMs = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs + ABANDONED_AFTER_MS + 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    clock.mockRestore();
    const gone = 'SLUICE_PUBLICATION_CANCELLED: nobody asked for its progress any more';
    expect(gateway.publication()).toMatchObject({ stage: 'failed', error: gone });

    await publish(driver, wider);
    await driver.stop();
    expect(gateway.publication()).toMatchObject({ stage: 'failed', ledgerOffset: null });
    expect(driver.pipeline.engine.configuration?.definition.ruleSetVersion).toBe('test.1');
    expect(EndlessBackfill.running).toBe(0);
  });

  it('that cannot be built changes nothing and says why', async () => {
    const broken: BackfillRun = {
      nextOffset: 0,
      failed: Promise.reject(new Error('the disk is gone')),
      handOver: () => Promise.reject(new Error('nothing to hand over')),
      end: () => Promise.resolve(),
    };
    broken.failed.catch(() => undefined);
    const driver = await start(() => ({ start: () => broken }));
    await submit(driver, 0, 100);
    await publish(driver, wider);
    expect(await ended(driver)).toMatchObject({ stage: 'failed', error: 'the disk is gone', ledgerOffset: null });
    await submit(driver, 100, 1);
    expect((await driver.decision('t-100'))?.ruleSet).toBe('test.1');
  });
});

describe('a publication to a deployment with a model', () => {
  it('may add features after those of the model, and not take away or move its own', async () => {
    const names = metadata.inputs;
    const features = names.map((name): FeatureDefinition => ({ name, aggregate: 'expression', expression: '1.0' }));
    const handbook = { ...definition, features };
    const compiled = compileCatalogue(features, handbook.latenessMs);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    const model = { metadata: { ...metadata, catalogueSha256: compiled.value.sha256 }, onnx };
    const ledger = new MemoryLedger();
    const driver = await TopologyDriver.start({
      definition: handbook,
      model,
      ledger,
      backfill: new MemoryBackfill(ledger),
    });
    running.push(driver);
    const refusal = (changed: readonly FeatureDefinition[]): Promise<unknown> => {
      const content = canonicalJson({ ...handbook, ruleSetVersion: 'test.2', features: changed });
      return driver.pipeline.gateway.publish({ content, replaces: null, reason: '' }, DRIVER_SENDER);
    };
    expect(await refusal(features.slice(0, -1))).toEqual({
      code: 'SLUICE_MODEL_CATALOGUE',
      field: 'features',
      message: `the model ${metadata.id} ${metadata.version} could not score any more: it reads the feature ${names.at(-1) ?? ''}, which would be gone`,
    });
    expect(await refusal([...features.slice(1), ...features.slice(0, 1)])).toMatchObject({
      code: 'SLUICE_MODEL_CATALOGUE',
    });
    expect(await refusal([...features, ...definition.features])).toBeNull();
    expect((await ended(driver)).stage).toBe('published');
    await submit(driver, 0, 1);
    const decision = await driver.decision('t-0');
    expect(decision).toMatchObject({ modelId: metadata.id, mode: 'full', degraded: [] });
    expect(decision?.features.at(-1)).toBe(1);
  });
});

describe('a publication', () => {
  it('with the same catalogue needs no new state', async () => {
    let runner: MemoryBackfill | undefined;
    const driver = await start((ledger) => (runner = new MemoryBackfill(ledger)));
    await submit(driver, 0, 3);
    expect(await publish(driver, { ...definition, ruleSetVersion: 'test.2' })).toBeNull();
    expect((await ended(driver)).stage).toBe('published');
    expect(runner?.runs).toBe(0);
    await submit(driver, 3, 1);
    expect((await driver.decision('t-3'))?.ruleSet).toBe('test.2');
  });

  it('is refused when it is wrong, changes nothing, or another is under way', async () => {
    const driver = await start((ledger) => new MemoryBackfill(ledger));
    const refused = async (content: string): Promise<string | undefined> =>
      (await driver.pipeline.gateway.publish({ content, replaces: null, reason: '' }, DRIVER_SENDER))?.code;
    expect(await refused('{')).toBe('SLUICE_CONFIGURATION_JSON');
    expect(await refused('{}')).toBe('SLUICE_CONFIGURATION_SHAPE');
    expect(
      await publish(driver, { ...definition, features: [{ name: 'x', aggregate: 'sum', entity: ['card'] }] }),
    ).toMatch(/^SLUICE_FEATURE/);
    expect(await publish(driver, definition)).toBe('SLUICE_PUBLICATION_UNCHANGED');
    const content = canonicalJson(wider);
    const other = await driver.pipeline.gateway.publish(
      { content, replaces: 'a'.repeat(64), reason: '' },
      DRIVER_SENDER,
    );
    expect(other).toMatchObject({ code: 'SLUICE_PUBLICATION_BASE', field: 'replaces' });
    expect(await publish(driver, wider)).toBeNull();
    expect(await publish(driver, definition)).toBe('SLUICE_PUBLICATION_BUSY');
    await ended(driver);
  });
});
