import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FeatureColumns, HistoryBatch } from '../../pipeline/ports.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { TestEngine } from './testing/engine.ts';
import { expectedRows } from './testing/expectedRows.ts';
import { FaultyProxy } from './testing/faultyProxy.ts';
import type { Fault } from './testing/faultyProxy.ts';
import { randomBatch } from './testing/randomHistory.ts';

const catalogue: FeatureColumns = { catalogueSha256: 'a'.repeat(64), names: ['count_1d', 'avg_7d'] };

/** Every statement of a write, in order: the plan, an insert for each table, the end. */
const PLAN = '"step":"planned"';
const END = '"step":"written"';
const TABLES = ['ledger', 'transactions', 'repeats', 'decisions', 'reasons', 'rule_firings', 'labels', 'dead_letters'];
const STATEMENTS = [PLAN, ...TABLES.map((table) => `INSERT INTO sluice.${table} `), END];

if (platformPackage() === undefined) console.log('historyCrash.test: no ClickHouse engine for this platform, not run');

const SAMPLES = sampleBatches(3, 20261122);

describe.runIf(platformPackage() !== undefined)('history after a crash', () => {
  let engine: TestEngine;
  let proxy: FaultyProxy;
  let opened: ClickHouseHistory[] = [];
  /** Of this test: written before the fault, hit by it, and written after it. Tests follow on from one another. */
  let batches: readonly HistoryBatch[] = [];

  beforeAll(async () => {
    engine = await TestEngine.start();
    proxy = await FaultyProxy.start(engine.clickHouse.url);
    await engine.empty();
    await open().prepare([catalogue]);
  });
  afterAll(async () => {
    await proxy.stop();
    await engine.stop();
  });
  beforeEach(async () => {
    const { fromOffset } = await open().position();
    batches = SAMPLES.map((batch) => moved(batch, fromOffset));
  });
  afterEach(async () => {
    await Promise.all(opened.map((history) => history.close()));
    opened = [];
  });

  function open(): ClickHouseHistory {
    const history = new ClickHouseHistory({ url: proxy.url });
    opened.push(history);
    return history;
  }

  /** As a new process does: knows nothing but what ClickHouse says. */
  async function restarted(): Promise<ClickHouseHistory> {
    const history = open();
    await history.prepare([]);
    return history;
  }

  /** Goes on from wherever history says, with the bounds it asks for. */
  async function finish(history: ClickHouseHistory): Promise<void> {
    for (;;) {
      const { fromOffset, toOffset } = await history.position();
      const next = batches.find((batch) => batch.fromOffset === fromOffset);
      if (next === undefined) return;
      expect([null, next.toOffset]).toContain(toOffset);
      await history.write(next);
    }
  }

  async function expectExactlyOnce(): Promise<void> {
    const { fromOffset } = at(batches[0]);
    const { toOffset } = at(batches.at(-1));
    expect(await open().position()).toEqual({ fromOffset: toOffset, toOffset: null });
    const expected = expectedRows({ fromOffset, toOffset, records: batches.flatMap((batch) => batch.records) }, [
      catalogue,
    ]);
    const counts = TABLES.map(
      (table) => `SELECT '${table}' AS name, count() AS rows FROM sluice.${table} WHERE ledger_offset >= ${fromOffset}`,
    );
    const found = await engine.rows(counts.join(' UNION ALL '));
    expect(Object.fromEntries(found.map(({ name, rows }) => [name, rows]))).toEqual(
      Object.fromEntries(TABLES.map((table) => [table, expected.get(table)?.length])),
    );
    expect(await engine.rows('SELECT uniqExact(ledger_offset) AS offsets, count() AS rows FROM sluice.ledger')).toEqual(
      [{ offsets: toOffset, rows: toOffset }],
    );
  }

  async function crashAt(statement: string, fault: Fault): Promise<ClickHouseHistory> {
    const [before, struck] = batches;
    const history = await restarted();
    await history.write(at(before));
    const strucks = proxy.struckCount;
    proxy.arm(statement, fault);
    await expect(history.write(at(struck))).rejects.toThrow();
    expect(proxy.struckCount).toBe(strucks + 1);
    return history;
  }

  const points = STATEMENTS.flatMap((statement) => [
    { statement, fault: 'lost' as const },
    { statement, fault: 'unanswered' as const },
  ]);

  it.each(points)('of the writer at $statement ($fault) goes on with the same bounds', async ({ statement, fault }) => {
    await crashAt(statement, fault);
    const history = await restarted();
    await finish(history);
    await expectExactlyOnce();
  });

  it.each([PLAN, 'INSERT INTO sluice.decisions ', END])(
    'at %s: the same process may simply try again',
    async (statement) => {
      const history = await crashAt(statement, 'unanswered');
      await finish(history);
      await expectExactlyOnce();
    },
  );

  it("is exact when the dead writer's insert arrives after it was sent again", async () => {
    await crashAt('INSERT INTO sluice.decisions ', 'late');
    const history = await restarted();
    await finish(history);
    await proxy.deliverLate();
    await expectExactlyOnce();
  });

  it('is exact when it strikes again while the batch is repaired', async () => {
    await crashAt('INSERT INTO sluice.decisions ', 'lost');
    for (const statement of ['INSERT INTO sluice.decisions ', END]) {
      proxy.arm(statement, 'unanswered');
      await expect(finish(await restarted())).rejects.toThrow();
    }
    const history = await restarted();
    await finish(history);
    await expectExactlyOnce();
  });

  it('brings back rows whose deduplication token was kept and whose part was lost', async () => {
    await crashAt(END, 'lost');
    const { fromOffset } = at(batches[1]);
    await engine.command(
      `ALTER TABLE sluice.decisions DELETE WHERE ledger_offset >= ${fromOffset} SETTINGS mutations_sync = 2`,
    );
    const history = await restarted();
    await finish(history);
    await expectExactlyOnce();
  });

  it('replaces rows of a part that is incomplete or doubled', async () => {
    await crashAt(END, 'lost');
    const { fromOffset } = at(batches[1]);
    await engine.command(
      `ALTER TABLE sluice.ledger DELETE WHERE ledger_offset = ${fromOffset} SETTINGS mutations_sync = 2`,
    );
    await engine.command(
      `INSERT INTO sluice.transactions SELECT * FROM sluice.transactions WHERE ledger_offset >= ${fromOffset}`,
    );
    const history = await restarted();
    await finish(history);
    await expectExactlyOnce();
  });

  it("goes by the last plan when a dead writer's plan arrived late", async () => {
    const { fromOffset, toOffset } = at(batches[0]);
    await engine.command(
      `INSERT INTO sluice.history_batches (from_offset, to_offset, step, at) VALUES (${fromOffset}, ${fromOffset + 7}, 'planned', now64(3) - 60)`,
    );
    await engine.command(
      `INSERT INTO sluice.history_batches (from_offset, to_offset, step) VALUES (${fromOffset}, ${toOffset}, 'planned')`,
    );
    const history = await restarted();
    expect(await history.position()).toEqual({ fromOffset, toOffset });
    await finish(history);
    await expectExactlyOnce();
  });
});

function moved(batch: HistoryBatch, by: number): HistoryBatch {
  return {
    fromOffset: batch.fromOffset + by,
    toOffset: batch.toOffset + by,
    records: batch.records.map((record) => ({
      ...record,
      offset: record.offset + by,
      decision:
        record.decision === null ? null : { ...record.decision, ledgerOffset: record.decision.ledgerOffset + by },
    })),
  };
}

function sampleBatches(count: number, seed: number): readonly HistoryBatch[] {
  return Array.from({ length: count }, (_, index) => {
    // Every table that a fault is aimed at must have rows.
    const arbitrary = randomBatch([catalogue], 50 * index, { minRecords: 50, maxRecords: 50 }).filter((batch) => {
      const rows = expectedRows(batch, [catalogue]);
      return TABLES.every((table) => rows.has(table));
    });
    return at(fc.sample(arbitrary, { numRuns: 1, seed: seed + index })[0]);
  });
}

function at(batch: HistoryBatch | undefined): HistoryBatch {
  if (batch === undefined) throw new Error('no such batch');
  return batch;
}
