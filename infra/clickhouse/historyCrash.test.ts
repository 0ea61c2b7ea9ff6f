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

describe.runIf(platformPackage() !== undefined)('history after a crash', () => {
  let engine: TestEngine;
  let proxy: FaultyProxy;
  let opened: ClickHouseHistory[] = [];
  /** Written before the fault, hit by it, and written after it. */
  const batches = consecutiveBatches(3, 20261122);

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
    const tables = await engine.rows(
      "SELECT name FROM system.tables WHERE database = 'sluice' AND engine = 'MergeTree'",
    );
    // A truncated table forgets its deduplication tokens too.
    await Promise.all(tables.map(({ name }) => engine.command(`TRUNCATE TABLE sluice.${String(name)}`)));
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
    for (const known of [catalogue]) await history.prepare([known]);
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

  async function expectExactlyOnce(history: ClickHouseHistory): Promise<void> {
    const records = batches.flatMap((batch) => batch.records);
    const expected = expectedRows({ fromOffset: 0, toOffset: records.length, records }, [catalogue]);
    for (const { table, found, expected: logged } of await history.check()) {
      expect([table, found, logged]).toEqual([table, expected.get(table)?.length ?? 0, found]);
    }
    const distinct = await engine.rows(
      'SELECT uniqExact(ledger_offset) AS offsets, count() AS rows FROM sluice.ledger',
    );
    expect(distinct).toEqual([{ offsets: records.length, rows: records.length }]);
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
    await expectExactlyOnce(history);
  });

  it.each([PLAN, 'INSERT INTO sluice.decisions ', END])(
    'at %s: the same process may simply try again',
    async (statement) => {
      const history = await crashAt(statement, 'unanswered');
      await finish(history);
      await expectExactlyOnce(history);
    },
  );

  it("is exact when the dead writer's insert arrives after it was sent again", async () => {
    await crashAt('INSERT INTO sluice.decisions ', 'late');
    const history = await restarted();
    await finish(history);
    await proxy.deliverLate();
    await expectExactlyOnce(history);
  });

  it('is exact when it strikes again while the batch is repaired', async () => {
    await crashAt('INSERT INTO sluice.decisions ', 'lost');
    for (const statement of ['INSERT INTO sluice.decisions ', END]) {
      proxy.arm(statement, 'unanswered');
      await expect(finish(await restarted())).rejects.toThrow();
    }
    const history = await restarted();
    await finish(history);
    await expectExactlyOnce(history);
  });

  it('brings back rows whose deduplication token was kept and whose part was lost', async () => {
    await crashAt(END, 'lost');
    const { fromOffset } = at(batches[1]);
    await engine.command(
      `ALTER TABLE sluice.decisions DELETE WHERE ledger_offset >= ${fromOffset} SETTINGS mutations_sync = 2`,
    );
    const history = await restarted();
    await finish(history);
    await expectExactlyOnce(history);
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
    await expectExactlyOnce(history);
  });

  it("goes by the last plan when a dead writer's plan arrived late", async () => {
    await engine.command(
      "INSERT INTO sluice.history_batches (from_offset, to_offset, step, at) VALUES (0, 7, 'planned', now64(3) - 60)",
    );
    const last = at(batches[0]).toOffset;
    await engine.command(
      `INSERT INTO sluice.history_batches (from_offset, to_offset, step) VALUES (0, ${last}, 'planned')`,
    );
    const history = await restarted();
    expect(await history.position()).toEqual({ fromOffset: 0, toOffset: last });
    await finish(history);
    await expectExactlyOnce(history);
  });
});

function consecutiveBatches(count: number, seed: number): readonly HistoryBatch[] {
  const batches: HistoryBatch[] = [];
  for (let index = 0; index < count; index++) {
    const fromOffset = batches.at(-1)?.toOffset ?? 0;
    // Every table that a fault is aimed at must have rows.
    const arbitrary = randomBatch([catalogue], fromOffset, { minRecords: 100, maxRecords: 100 }).filter((batch) => {
      const rows = expectedRows(batch, [catalogue]);
      return TABLES.every((table) => rows.has(table));
    });
    batches.push(...fc.sample(arbitrary, { numRuns: 1, seed: seed + index }));
  }
  return batches;
}

function at(batch: HistoryBatch | undefined): HistoryBatch {
  if (batch === undefined) throw new Error('no such batch');
  return batch;
}
