import { beforeAll, describe, expect, it } from 'vitest';
import type { ConfigurationDefinition } from '../../operators/definitions.ts';
import { codecs } from '../../schemas/codec.ts';
import { verifyReplay } from '../replay.ts';
import type { StoreName } from '../ports.ts';
import { historicalSimulation } from '../simulate/options.ts';
import { Random } from '../simulate/random.ts';
import { simulate } from '../simulate/simulate.ts';
import { MemoryDecisionStore, type MemoryChain } from '../testing/memoryDecisionStore.ts';
import { MemoryLedger } from '../testing/memoryLedger.ts';
import { MemoryStoredRows } from '../testing/memoryStoredRows.ts';
import { DRIVER_SENDER, TopologyDriver } from '../testing/topologyDriver.ts';
import { decodeSeal } from './seal.ts';
import { SealChain, sealRows } from './sealChain.ts';
import { verifyStores, type Anchor, type VerifyReport } from './verifyStores.ts';

const START_MS = 1_767_225_600_000;
const thresholds = { challenge: 600, review: 800, decline: 930 };
const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 600_000,
  recentIds: 1_000,
  features: [
    { name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' },
    { name: 'account_count_1d', aggregate: 'count', entity: ['account'], windowMs: 86_400_000 },
  ],
  rules: [],
  lists: [{ name: 'blocked', kind: 'block', entity: 'account', text: { en: 'Blocked', zh: '已拉黑' } }],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};

/** What a run leaves, to be started on again. */
class Stores {
  readonly records: Buffer[] = [];
  readonly values = new Map<number, Buffer>();
  readonly ids = new Map<string, number>();
  readonly chain: MemoryChain = { begin: null, seals: new Map() };

  async run(events: number, seed: number, changed = definition): Promise<void> {
    const driver = await TopologyDriver.start({
      definition: changed,
      ledger: new MemoryLedger(this.records),
      decisions: new MemoryDecisionStore(this.values, this.ids, this.chain),
    });
    await send(driver, events, seed);
    await driver.stop();
    expect(await driver.replay()).toMatchObject({ different: 0 });
  }

  /** A copy, to be tampered with. */
  rows(): MemoryStoredRows {
    const rows = new MemoryStoredRows();
    this.records.forEach((value, offset) => rows.stores.ledger.set(offset, value));
    for (const [offset, value] of this.values) rows.stores.decisions.set(offset, value);
    for (const [offset, value] of this.chain.seals) rows.stores.seals.set(offset, value);
    for (const [id, offset] of this.ids) rows.ids.set(id, offset);
    rows.chainBegin = this.chain.begin;
    return rows;
  }
}

async function send(driver: TopologyDriver, events: number, seed: number): Promise<void> {
  const { gateway } = driver.pipeline;
  let count = 0;
  for (const simulated of simulate(historicalSimulation({ seed, startTimeMs: START_MS, customers: 40 }))) {
    if (count++ >= events) return;
    driver.nowMs = simulated.timeMs;
    const input = { format: 'json', value: simulated.event } as const;
    if (simulated.kind === 'label') await gateway.submitLabel(input, DRIVER_SENDER);
    else if (simulated.kind === 'outcome') await gateway.submitOutcome(input, DRIVER_SENDER);
    else await gateway.submitTransaction(input, DRIVER_SENDER);
    if (simulated.kind === 'transaction' && count % 20 === 0) await gateway.submitTransaction(input, DRIVER_SENDER);
  }
}

function verify(rows: MemoryStoredRows, anchors: readonly Anchor[] = []): Promise<VerifyReport> {
  return verifyStores({ rows, history: null }, { anchors, onProgress: () => undefined });
}

describe('a check of ledger, decisions and seals', () => {
  const stores = new Stores();
  let lastPayment = 0;

  beforeAll(async () => {
    await stores.run(200, 1);
    // Another life, another configuration.
    await stores.run(120, 2, { ...definition, ruleSetVersion: 'test.2' });
    lastPayment = Math.max(...stores.values.keys());
  });

  it('finds nothing in what two runs left', async () => {
    const report = await verify(stores.rows());
    expect(report).toMatchObject({ totalFindings: 0, chainBegin: 0, sealedTo: stores.records.length });
    expect(report.stores.map(({ store, rows }) => [store, rows])).toEqual([
      ['ledger', stores.records.length],
      ['decisions', stores.values.size],
      ['seals', stores.records.length],
      ['ids', stores.ids.size],
    ]);
  });

  it('has the chain that one more replica, in batches of its own, makes of the ledger alone', async () => {
    const decided = new Map<number, Buffer>();
    const replica = await TopologyDriver.start({ definition, ledger: new MemoryLedger([...stores.records]) });
    await replica.stop();
    for (const { ledgerOffset, value } of await replica.decisions.read(0, stores.records.length))
      decided.set(ledgerOffset, value);
    const chain = new SealChain(0);
    const rows = stores.records.map((value, offset) => ({ offset, value }));
    sealRows(chain, rows, decided);
    const { head } = await verify(stores.rows());
    expect(head).toEqual({ ledgerOffset: stores.records.length - 1, chainSha256: chain.head });
    expect((await verifyReplay(replica)).different).toBe(0);
  });

  const seeds = Array.from({ length: 60 }, (_, index) => index + 1);
  it.each(['ledger', 'decisions', 'seals'] as const)(
    'names each row of %s that was tampered with, and no other',
    async (store) => {
      for (const seed of seeds) {
        const rows = stores.rows();
        const touched = tamper(rows, store, lastPayment, new Random(seed, store));
        const { findings } = await verify(rows);
        const named = findings.filter((finding) => finding.store === store).map(({ ledgerOffset }) => ledgerOffset);
        expect(new Set(named), `seed ${seed}`).toEqual(new Set(touched));
        const elsewhere = findings.filter(
          ({ ledgerOffset }) => ledgerOffset !== null && !touched.includes(ledgerOffset),
        );
        expect(elsewhere, `seed ${seed}`).toEqual([]);
      }
    },
  );

  it('finds an id that leads to another decision', async () => {
    const rows = stores.rows();
    const [[id, offset] = ['', 0], [, other] = ['', 0]] = rows.ids;
    rows.ids.set(id, other);
    expect((await verify(rows)).findings).toMatchObject([{ store: 'ids', ledgerOffset: offset, transactionId: id }]);
    rows.ids.delete(id);
    expect((await verify(rows)).findings).toMatchObject([
      { store: 'ids', ledgerOffset: offset, transactionId: id },
      { store: 'ids', ledgerOffset: null },
    ]);
  });

  it('finds by a kept head that all was rewritten from some record on, or cut off', async () => {
    const middle = Math.floor(lastPayment / 2);
    const anchors = [
      anchorOf(stores.rows(), middle - 1),
      anchorOf(stores.rows(), middle),
      anchorOf(stores.rows(), lastPayment),
    ];
    expect((await verify(stores.rows(), anchors)).totalFindings).toBe(0);
    const cut = stores.rows();
    for (const rows of Object.values(cut.stores))
      for (const offset of rows.keys()) if (offset >= middle) rows.delete(offset);
    for (const [id, offset] of cut.ids) if (offset >= middle) cut.ids.delete(id);
    expect((await verify(cut)).totalFindings).toBe(0);
    expect((await verify(cut, anchors)).findings.map(({ ledgerOffset }) => ledgerOffset)).toEqual([
      middle,
      lastPayment,
    ]);
    const rewritten = stores.rows();
    rewritten.stores.ledger.delete(lastPayment);
    rewritten.stores.ledger.set(middle, rewritten.stores.ledger.get(0) ?? Buffer.alloc(0));
    rewritten.stores.decisions.delete(middle);
    const ledger = [...rewritten.stores.ledger]
      .map(([offset, value]) => ({ offset, value }))
      .filter(({ offset }) => offset < lastPayment);
    for (const offset of [...rewritten.stores.ledger.keys()])
      if (offset >= lastPayment) rewritten.stores.ledger.delete(offset);
    rewritten.stores.decisions.delete(lastPayment);
    rewritten.stores.seals.clear();
    for (const { ledgerOffset, value } of sealRows(new SealChain(0), ledger, rewritten.stores.decisions))
      rewritten.stores.seals.set(ledgerOffset, value);
    const { findings } = await verify(rewritten, anchors);
    expect(findings.filter((finding) => finding.store === 'anchor').map(({ ledgerOffset }) => ledgerOffset)).toEqual([
      middle,
      lastPayment,
    ]);
  });

  it('takes records of an older Sluice as they are, and says where the chain begins', async () => {
    const older = new Stores();
    await older.run(60, 3);
    older.chain.begin = null;
    older.chain.seals.clear();
    const begin = older.records.length;
    expect(await verify(older.rows())).toMatchObject({ totalFindings: 0, chainBegin: null, head: null });
    await older.run(40, 4);
    const report = await verify(older.rows());
    expect(report).toMatchObject({ totalFindings: 0, chainBegin: begin, sealedTo: older.records.length });
    const rows = older.rows();
    const [first = 0, second = 0] = rows.stores.decisions.keys();
    rows.stores.decisions.set(first, rows.stores.decisions.get(second) ?? Buffer.alloc(0));
    expect((await verify(rows)).findings).toMatchObject([{ store: 'decisions', ledgerOffset: first, kind: 'changed' }]);
  });

  it('finds that the chain was made to begin later', async () => {
    const rows = stores.rows();
    rows.chainBegin = 30;
    for (let offset = 0; offset < 30; offset++) rows.stores.seals.delete(offset);
    expect((await verify(rows)).findings).toMatchObject([
      { store: 'seals', ledgerOffset: 30, detail: expect.stringContaining('the chain does not begin here') },
    ]);
  });

  it('names some of very many, and counts the rest', async () => {
    const rows = stores.rows();
    for (const [offset, value] of rows.stores.decisions) {
      const decision = codecs.decision.decode(value);
      rows.stores.decisions.set(offset, codecs.decision.encode({ ...decision, score: 999 - decision.score }));
    }
    const report = await verify(rows);
    expect(report.totalFindings).toBe(stores.values.size);
    expect(report.findings.length).toBe(20);
  });
});

function anchorOf(rows: MemoryStoredRows, ledgerOffset: number): Anchor {
  const seal = rows.stores.seals.get(ledgerOffset);
  const chainSha256 = seal === undefined ? '' : (decodeSeal(ledgerOffset, seal)?.chainSha256 ?? '');
  return { ledgerOffset, chainSha256 };
}

/** Changes one or two rows; returns the offsets that must be named, null standing for the store. */
function tamper(rows: MemoryStoredRows, store: StoreName, lastPayment: number, random: Random): (number | null)[] {
  const map = rows.stores[store];
  const keys = [...map.keys()].filter((key) => key <= lastPayment);
  const key = random.pick(keys);
  const other = random.pick(keys.filter((each) => each !== key));
  const value = map.get(key) ?? Buffer.alloc(0);
  const otherValue = map.get(other) ?? Buffer.alloc(0);
  switch (random.integer(0, 5)) {
    case 0: {
      const flipped = Buffer.from(value);
      const at = random.integer(0, flipped.length - 1);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << random.integer(0, 7)), at);
      map.set(key, flipped);
      return [key];
    }
    case 1:
      map.delete(key);
      return [key];
    case 2:
      map.set(key, otherValue).set(other, value);
      return [key, other];
    case 3:
      map.set(key, otherValue);
      return [key];
    case 4:
      map.set(key, value.subarray(0, -1));
      return [key];
    default:
      map.set(key + 0.5, value);
      return [null];
  }
}
