import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigurationDefinition } from '../../operators/definitions.ts';
import type { StateInput } from '../../operators/savedState.ts';
import { Engine } from '../engine/engine.ts';
import { PortEngineServices } from '../engine/engineServices.ts';
import type { DecisionStore } from '../ports.ts';
import { MemoryDecisionStore } from '../testing/memoryDecisionStore.ts';
import { MemoryLedger } from '../testing/memoryLedger.ts';
import { MemoryModelStore } from '../testing/memoryModelStore.ts';
import { MemorySnapshotStore } from '../testing/memorySnapshotStore.ts';
import { TopologyDriver } from '../testing/topologyDriver.ts';
import { takeSnapshot, type TakenSnapshot } from './takeSnapshot.ts';

const thresholds = { challenge: 600, review: 800, decline: 930 };
const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 600_000,
  recentIds: 1_000,
  features: [{ name: 'count', aggregate: 'count', entity: ['account'], windowMs: 600_000 }],
  rules: [],
  lists: [],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};

function payment(transactionId: string): object {
  const fields = { type: 'purchase', channel: 'card', amountMinor: 100, currency: 'CNY', account: 'a' };
  return { transactionId, eventTimeMs: 1_767_225_600_000, ...fields };
}

let ledger: MemoryLedger;
let decisions: MemoryDecisionStore;
let snapshots: MemorySnapshotStore;
let running: TopologyDriver[];
const logged: object[] = [];

beforeEach(() => {
  ledger = new MemoryLedger();
  decisions = new MemoryDecisionStore();
  snapshots = new MemorySnapshotStore(3);
  running = [];
  logged.length = 0;
});

afterEach(async () => {
  for (const driver of running) await driver.stop();
  expect(await running[0]?.replay()).toMatchObject({ different: 0 });
});

async function start(): Promise<TopologyDriver> {
  const driver = await TopologyDriver.start({ definition, ledger, decisions, snapshots });
  running.push(driver);
  return driver;
}

async function take(
  from: DecisionStore = decisions,
  signal = new AbortController().signal,
): Promise<TakenSnapshot | null> {
  const services = new PortEngineServices(ledger, from, new MemoryModelStore());
  return takeSnapshot({
    snapshots,
    ledger,
    decisions: from,
    newEngine: () => new Engine(services, { maxBatch: 1, decidedThrough: Infinity }),
    logger: { warn: (fields) => logged.push(fields) },
    signal,
  });
}

describe('a snapshot', () => {
  it('is what the next start goes on from: windows, retries, and one line that says so', async () => {
    const first = await start();
    for (const id of ['t-1', 't-2']) await first.submit(payment(id));
    const offset = ledger.endOffset();
    expect(await take()).toMatchObject({ offset });
    await first.submit(payment('t-3'));
    await first.stop();

    const second = await start();
    expect(second.logged).toEqual([
      { message: 'state restored from a snapshot', fields: { offset, seconds: expect.any(Number), replayed: 1 } },
    ]);
    expect(await second.submit(payment('t-1'))).toMatchObject({ verdict: { status: 'duplicate' } });
    await second.submit(payment('t-4'));
    expect((await second.decision('t-4'))?.features).toEqual([4]);
  });

  it('begins with the one before', async () => {
    const driver = await start();
    await driver.submit(payment('t-1'));
    await take();
    await driver.submit(payment('t-2'));
    const read: number[] = [];
    snapshots.read = async (offset, onProgress) => {
      read.push(offset);
      return MemorySnapshotStore.prototype.read.call(snapshots, offset, onProgress);
    };
    const [before] = await snapshots.offsets();
    await take();
    expect(read).toEqual([before]);
    expect(await snapshots.offsets()).toEqual([ledger.endOffset(), before]);
    expect(logged).toEqual([]);
  });

  it('waits until the decisions on what it holds are stored', async () => {
    const driver = await start();
    await driver.submit(payment('t-1'));
    const stored = { lastOffset: -1 };
    const slow = Object.assign(new MemoryDecisionStore(), { lastOffset: () => stored.lastOffset });
    const taking = take(slow);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await snapshots.offsets()).toEqual([]);
    stored.lastOffset = ledger.endOffset();
    expect(await taking).toMatchObject({ offset: ledger.endOffset() });
  });

  it('is not taken once the signal aborts, nor of an empty ledger', async () => {
    expect(await take()).toBeNull();
    const driver = await start();
    await driver.submit(payment('t-1'));
    expect(await take(decisions, AbortSignal.abort())).toBeNull();
    expect(await snapshots.offsets()).toEqual([]);
  });

  it('that is refused at the start is told of, and nothing else changes', async () => {
    const first = await start();
    await first.submit(payment('t-1'));
    await take();
    await first.stop();
    snapshots.read = async () => new Unreadable();
    const second = await start();
    const offset = ledger.endOffset();
    const why = { code: 'SLUICE_SNAPSHOT_CONTENT', reason: 'nothing but dust', instead: 'the ledger from its start' };
    expect(second.logged).toEqual([{ message: 'snapshot refused', fields: { offset, ...why } }]);
    await second.submit(payment('t-2'));
    expect((await second.decision('t-2'))?.features).toEqual([2]);
  });
});

it('says how far the reading of a snapshot is, and can be stopped meanwhile', async () => {
  const first = await start();
  await first.submit(payment('t-1'));
  await take();
  await first.stop();
  let goOn: () => void = () => undefined;
  const halted = new Promise<void>((resolve) => (goOn = resolve));
  const second = await new Promise<TopologyDriver>((resolve) => {
    snapshots.read = async (offset, onProgress) => {
      onProgress?.(0.419);
      resolve(driver);
      await halted;
      return MemorySnapshotStore.prototype.read.call(snapshots, offset, onProgress);
    };
    const driver = new TopologyDriver({ definition, ledger, decisions, snapshots });
  });
  const offset = ledger.endOffset();
  expect(second.pipeline.gateway.readiness()).toEqual({
    ready: false,
    reason: `restoring the snapshot at offset ${offset}: 41%`,
  });
  const stopping = second.stop();
  goOn();
  await stopping;
  expect(second.pipeline.engine.nextOffset).toBe(0);
  expect(second.logged).toEqual([]);
});

class Unreadable implements StateInput {
  readonly isAtEnd = false;
  readonly number = dust;
  readonly text = dust;
  readonly float64Array = dust;
  readonly int32Array = dust;
  readonly uint32Array = dust;
  readonly uint16Array = dust;
  readonly uint8Array = dust;
  readonly memory = dust;
  readonly file = dust;
}

function dust(): never {
  throw new RangeError('nothing but dust');
}
