import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FeatureColumns, HistoryBatch } from '../../pipeline/ports.ts';
import { ClickHouseHistory } from './history.ts';
import { TestEngine } from './testing/engine.ts';
import { expectedRows } from './testing/expectedRows.ts';
import { randomBatch } from './testing/randomHistory.ts';
import { platformPackage } from './embedded/platform.ts';

const first: FeatureColumns = { catalogueSha256: 'a'.repeat(64), names: ['count_1d', 'avg_7d', 'max_30d'] };
const grown: FeatureColumns = {
  catalogueSha256: 'b'.repeat(64),
  names: ['avg_7d', 'new_one', 'count_1d'],
  descriptions: ['Mean of 7 days', "What's new", 'Payments of a day'],
};
const MANY = { minRecords: 150, maxRecords: 250 };

if (platformPackage() === undefined) console.log('history.test: no ClickHouse engine for this platform, not run');

describe.runIf(platformPackage() !== undefined)('history in ClickHouse', () => {
  let engine: TestEngine;
  const opened: ClickHouseHistory[] = [];

  beforeAll(async () => {
    engine = await TestEngine.start();
  });
  afterAll(async () => {
    await Promise.all(opened.map((history) => history.close()));
    await engine.stop();
  });
  beforeEach(() => engine.empty());

  function open(): ClickHouseHistory {
    const history = new ClickHouseHistory({ url: engine.clickHouse.url });
    opened.push(history);
    return history;
  }

  it.each([1, 2, 3, 4])('reads back what was written: any text, time, number and null (seed %i)', async (seed) => {
    const history = open();
    await history.prepare([first, grown]);
    const batch = sample([first, grown], 0, MANY, seed);
    await history.write(batch);
    for (const [table, rows] of expectedRows(batch, [first, grown])) {
      const value = table === 'ledger' ? '* REPLACE (hex(value) AS value)' : '*';
      expect(sorted(await engine.rows(`SELECT ${value} FROM sluice.${table}`)), table).toEqual(sorted(rows));
    }
    expect((await history.check()).filter(({ expected, found }) => expected !== found)).toEqual([]);
  });

  it('widens decisions when the catalogue grows, and leaves NaN where a decision knew no such feature', async () => {
    const before = open();
    await before.prepare([first]);
    const old = sample([first], 0, MANY, 5);
    await before.write(old);
    const after = open();
    await after.prepare([grown]);
    expect(await after.position()).toEqual({ fromOffset: old.toOffset, toOffset: null });
    const mixed = sample([first, grown], old.toOffset, MANY, 6);
    await after.write(mixed);
    const both = [...old.records, ...mixed.records];
    const decisions = expectedRows({ fromOffset: 0, toOffset: both.length, records: both }, [first, grown]);
    expect(sorted(await engine.rows('SELECT * FROM sluice.decisions'))).toEqual(
      sorted(decisions.get('decisions') ?? []),
    );
    expect(
      await engine.rows(
        "SELECT name, comment FROM system.columns WHERE database = 'sluice' AND name = 'f_new_one' AND table = 'decisions'",
      ),
    ).toEqual([{ name: 'f_new_one', comment: "What's new" }]);
    expect(await engine.rows('SELECT count() AS rows FROM sluice.feature_distribution')).toEqual([{ rows: 4 }]);
  });

  it('knows earlier catalogues after a restart without being told', async () => {
    const before = open();
    await before.prepare([first, grown]);
    const after = open();
    await after.prepare([]);
    const batch = sample([first, grown], 0, MANY, 7);
    await after.write(batch);
    expect(await engine.rows('SELECT count() AS rows FROM sluice.decisions')).toEqual([
      { rows: expectedRows(batch, [first, grown]).get('decisions')?.length },
    ]);
  });

  it('adds the columns that tables of an older version lack', async () => {
    await open().prepare([]);
    await engine.command('ALTER TABLE sluice.labels DROP COLUMN fraud_type');
    await engine.command('DROP VIEW sluice.verdicts_by_hour');
    await open().prepare([]);
    const found = await engine.rows("SELECT name FROM system.columns WHERE table = 'labels' AND name = 'fraud_type'");
    expect(found).toHaveLength(1);
    expect(await engine.rows('SELECT * FROM sluice.verdicts_by_hour')).toEqual([]);
  });

  it('writes a large batch as one part per table, so that it appears whole or not at all', async () => {
    const history = open();
    await history.prepare([first, grown]);
    const small = sample([first, grown], 0, MANY, 8);
    const records = Array.from({ length: 20_000 }, (_, offset) => {
      const record = small.records[offset % small.records.length];
      if (record === undefined) throw new Error('the sample is empty');
      const decision = record.decision === null ? null : { ...record.decision, ledgerOffset: offset };
      return { ...record, offset, decision };
    });
    await history.write({ fromOffset: 0, toOffset: records.length, records });
    expect(
      await engine.rows(
        "SELECT table FROM system.parts WHERE database = 'sluice' AND table != 'history_batches' AND active GROUP BY table HAVING count() > 1 AND table != 'catalogues'",
      ),
    ).toEqual([]);
    expect(await engine.rows('SELECT count() AS rows FROM sluice.ledger')).toEqual([{ rows: records.length }]);
    expect((await history.check()).filter(({ expected, found }) => expected !== found)).toEqual([]);
  });

  it('comments every table and every column', async () => {
    await open().prepare([grown]);
    expect(await engine.rows("SELECT name FROM system.tables WHERE database = 'sluice' AND comment = ''")).toEqual([]);
    const bare =
      "SELECT table, name FROM system.columns WHERE database = 'sluice' AND comment = '' AND table IN (SELECT name FROM system.tables WHERE database = 'sluice' AND engine LIKE '%MergeTree')";
    expect(await engine.rows(bare)).toEqual([]);
  });

  it('refuses a batch that is not next, and leaves nothing of it', async () => {
    const history = open();
    await history.prepare([first]);
    const batch = sample([first], 10, MANY, 9);
    await expect(history.write(batch)).rejects.toThrow(/SLUICE_HISTORY_BOUNDS.*0 to any next, not 10/);
    expect(await engine.rows('SELECT count() AS rows FROM sluice.ledger')).toEqual([{ rows: 0 }]);
  });

  it('refuses decisions of a catalogue it was not given, and payments without a decision', async () => {
    const history = open();
    await history.prepare([first]);
    const foreign = sample([grown], 0, MANY, 10);
    await expect(history.write(foreign)).rejects.toThrow(/SLUICE_HISTORY_CATALOGUE/);
    const undecided = { ...foreign, records: foreign.records.map((record) => ({ ...record, decision: null })) };
    await expect(open().write(undecided)).rejects.toThrow(/SLUICE_HISTORY_UNDECIDED/);
    await expect(history.prepare([{ catalogueSha256: 'c', names: ['x` Int8, y'] }])).rejects.toThrow(
      /SLUICE_HISTORY_FEATURE_NAME/,
    );
  });
});

function sample(
  catalogues: readonly FeatureColumns[],
  fromOffset: number,
  bounds: { readonly minRecords: number; readonly maxRecords: number },
  seed: number,
): HistoryBatch {
  const [batch] = fc.sample(randomBatch(catalogues, fromOffset, bounds), { numRuns: 1, seed });
  if (batch === undefined) throw new Error('no sample');
  return batch;
}

/** Rows in one order, and each row's columns in one order: neither is part of what is promised. */
function sorted(rows: readonly Record<string, unknown>[]): readonly Record<string, unknown>[] {
  const key = (row: Record<string, unknown>): string =>
    JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
