import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStorage, type BlockStore } from '../operators/features/blockStore.ts';
import type { ConfigurationDefinition } from '../operators/definitions.ts';
import { codecs } from '../schemas/codec.ts';
import type { Decision } from '../schemas/types.ts';
import { Engine } from './engine/engine.ts';
import { PortEngineServices } from './engine/engineServices.ts';
import { verifyReplay } from './replay.ts';
import { historicalSimulation } from './simulate/options.ts';
import { simulate } from './simulate/simulate.ts';
import { DRIVER_SENDER, TopologyDriver } from './testing/topologyDriver.ts';

const START_MS = 1_767_225_600_000;
const thresholds = { challenge: 600, review: 800, decline: 930 };

const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 600_000,
  recentIds: 10_000,
  features: [
    { name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' },
    { name: 'account_count_1d', aggregate: 'count', entity: ['account'], windowMs: 86_400_000 },
    { name: 'account_avg_7d', aggregate: 'avg', of: 'amountMinor', entity: ['account'], windowMs: 604_800_000 },
    { name: 'device_accounts_1d', aggregate: 'distinct', of: 'account', entity: ['device'], windowMs: 86_400_000 },
    {
      name: 'merchant_fraud_1d',
      aggregate: 'rate',
      entity: ['merchant'],
      windowMs: 86_400_000,
      where: "label == 'fraud'",
    },
  ],
  rules: [
    {
      id: 'unusual-amount',
      version: 1,
      owner: 'risk-team',
      when: 'f.account_count_1d > 1 && f.amount > p.times * f.account_avg_7d',
      params: { times: 2 },
      then: { verdict: 'challenge', score: 650, code: 'AMOUNT' },
      text: { en: 'Unusual amount', zh: '金额异常' },
      mode: 'live',
      rollout: 50,
      examples: [],
    },
  ],
  lists: [{ name: 'blocked-accounts', kind: 'block', entity: 'account', text: { en: 'Blocked', zh: '已拉黑' } }],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};

describe('a replay', () => {
  let driver: TopologyDriver;

  beforeAll(async () => {
    driver = await TopologyDriver.start({ definition });
    await fill(driver, 1_500);
    await driver.stop();
  });
  afterAll(async () => {
    expect((await driver.replay()).different).toBe(0);
  });

  it('gives every decision again, byte for byte', async () => {
    const report = await driver.replay();
    expect(report).toMatchObject({ different: 0, undecided: 0, differences: [] });
    expect(report.equal).toBe(report.decisions);
    expect(report.decisions).toBeGreaterThan(1_000);
  });

  it.each([1, 2, 7, 64])('gives the same bytes when records come in batches of %i', async (batch) => {
    const engine = new Engine(new PortEngineServices(driver.ledger, driver.decisions, driver.models), {
      maxBatch: Math.max(1, Math.floor(batch / 2)),
      decidedThrough: -1,
    });
    const end = driver.ledger.endOffset();
    while (engine.nextOffset < end) {
      for (const { decision } of await engine.process(await driver.ledger.read(engine.nextOffset, batch))) {
        const stored = await driver.decisions.get(decision.ledgerOffset);
        expect(stored?.equals(codecs.decision.encode(decision))).toBe(true);
      }
    }
  });

  it('keeps events where it is told to, and lets go of them at its end', async () => {
    const storage = new CountingStorage();
    const report = await verifyReplay({ ...portsOf(driver), openReservoir: () => storage });
    expect(report).toMatchObject({ different: 0, decisions: report.equal });
    expect(storage.opened).toEqual(['events', 'offsets']);
    expect(storage.written).toBeGreaterThan(0);
    expect(storage.closed).toBe(1);
  });

  it('names the decision that was changed and the fields that differ', async () => {
    const offset = driver.decisions.lastOffset();
    const before = codecs.decision.decode((await driver.decisions.get(offset)) ?? Buffer.alloc(0));
    const report = await verifyReplay({
      ...portsOf(driver),
      decisions: withChanged(driver, offset, { ...before, score: 999 }),
    });
    expect(report.different).toBe(1);
    expect(report.differences).toEqual([
      { ledgerOffset: offset, transactionId: before.transactionId, kind: 'different', fields: ['score'] },
    ]);
  });
});

function portsOf(driver: TopologyDriver): Parameters<typeof verifyReplay>[0] {
  return { ledger: driver.ledger, decisions: driver.decisions, models: driver.models };
}

class CountingStorage extends MemoryStorage {
  readonly opened: string[] = [];
  written = 0;
  closed = 0;

  override open(name: 'events' | 'offsets', blockBytes: number): BlockStore {
    this.opened.push(name);
    const store = super.open(name, blockBytes);
    const write = store.write.bind(store);
    return Object.assign(store, {
      write: (block: number, bytes: Uint8Array) => {
        this.written += 1;
        write(block, bytes);
      },
    });
  }

  override close(): void {
    this.closed += 1;
  }
}

/** The driver's decisions, but for one. */
function withChanged(driver: TopologyDriver, offset: number, changed: Decision): TopologyDriver['decisions'] {
  const value = codecs.decision.encode(changed);
  return {
    put: (rows) => driver.decisions.put(rows),
    get: (ledgerOffset) => driver.decisions.get(ledgerOffset),
    find: (transactionId) => driver.decisions.find(transactionId),
    lastOffset: () => driver.decisions.lastOffset(),
    beginChain: (ledgerOffset) => driver.decisions.beginChain(ledgerOffset),
    chainBegin: () => driver.decisions.chainBegin(),
    seals: (from, to) => driver.decisions.seals(from, to),
    lastSeal: () => driver.decisions.lastSeal(),
    read: async (from, to) =>
      (await driver.decisions.read(from, to)).map((row) => (row.ledgerOffset === offset ? { ...row, value } : row)),
  };
}

/** Simulated payments with their labels, and now and then a list change, a posture and a retry. */
async function fill(driver: TopologyDriver, events: number): Promise<void> {
  const { gateway } = driver.pipeline;
  let count = 0;
  let last: unknown = null;
  for (const simulated of simulate(historicalSimulation({ seed: 7, startTimeMs: START_MS, customers: 60 }))) {
    if (count++ >= events) return;
    driver.nowMs = simulated.timeMs;
    const input = { format: 'json', value: simulated.event } as const;
    if (simulated.kind === 'label') await gateway.submitLabel(input, DRIVER_SENDER);
    else if (simulated.kind === 'outcome') await gateway.submitOutcome(input, DRIVER_SENDER);
    else {
      await gateway.submitTransaction(input, DRIVER_SENDER);
      last = simulated.event;
    }
    if (count % 200 === 0 && simulated.kind === 'transaction' && simulated.event.account !== null) {
      const entries = [{ value: simulated.event.account }];
      const change = { list: 'blocked-accounts', entries, reason: 'test', expiresAtMs: null };
      await gateway.lists.change({ ...change, action: 'put' }, DRIVER_SENDER);
    }
    if (count % 300 === 0) {
      const posture = { riskLevel: 'elevated', degradation: 'full', reason: 'test' } as const;
      await gateway.setPosture({ ...posture, expiresAtMs: simulated.timeMs + 3_600_000 }, DRIVER_SENDER);
    }
    if (count % 100 === 0) await driver.submit(last);
  }
}
