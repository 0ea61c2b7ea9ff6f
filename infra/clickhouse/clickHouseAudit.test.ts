import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../schemas/packageRoot.ts';
import { Random } from '../../pipeline/simulate/random.ts';
import type {
  FeatureColumns,
  HistoryBatch,
  HistoryDifference,
  HistoryRecord,
  ModelScore,
} from '../../pipeline/ports.ts';
import { ClickHouseAudit } from './clickHouseAudit.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { HistoryTables } from './historyTables.ts';
import { TestEngine } from './testing/engine.ts';
import { randomBatch } from './testing/randomHistory.ts';

const catalogues: readonly FeatureColumns[] = [
  { catalogueSha256: 'a'.repeat(64), names: ['count_1d', 'avg_7d'] },
  { catalogueSha256: 'b'.repeat(64), names: ['avg_7d', 'new_one'] },
];
const FEATURES = ['f_count_1d', 'f_avg_7d', 'f_new_one'].map((name) => ({ name, type: 'Float64' }));
/** Changes of tables take seconds where the machine is busy. */
const TIMEOUT_MS = 240_000;
/** ClickHouse does not update what a table is ordered by. */
const ORDER_COLUMNS = new Set(['ledger_offset', 'position', 'rule', 'feature']);

const half = (edge: number): object => ({ edges: [edge], shares: [0, 0.5, 0.5] });
const trainingDistribution = { rows: 100, score: half(0.5), features: { count_1d: half(2) } };
/** What verify leaves out: it must not take it for a row that somebody made up. */
const challengerScore: ModelScore = {
  ledgerOffset: 1,
  transactionId: 't-1',
  eventTimeMs: Date.UTC(2026, 0, 1),
  modelId: 'challenger',
  modelVersion: '1',
  modelSha256: 'c'.repeat(64),
  isDeciding: false,
  probability: 0.5,
  score: 500,
};

if (platformPackage() === undefined)
  console.log('clickHouseAudit.test: no ClickHouse engine for this platform, not run');

describe.runIf(platformPackage() !== undefined)('a check of the history', () => {
  let engine: TestEngine;
  let batch: HistoryBatch;
  beforeAll(async () => {
    engine = await TestEngine.start();
  });
  afterAll(() => engine.stop());

  async function write(seed: number): Promise<void> {
    await engine.empty();
    const [sample] = fc.sample(randomBatch(catalogues, 0, { minRecords: 250, maxRecords: 300 }), { numRuns: 1, seed });
    if (sample === undefined) throw new Error('no sample');
    batch = { ...sample, records: sample.records.map(withDistribution), modelScores: [challengerScore] };
    const history = new ClickHouseHistory({ url: engine.clickHouse.url });
    await history.prepare(catalogues);
    await history.write(batch);
    await history.close();
  }

  async function differences(): Promise<readonly HistoryDifference[]> {
    const audit = new ClickHouseAudit({ url: engine.clickHouse.url, username: 'default', password: '' });
    try {
      const { endOffset, differences: ofTables } = await audit.begin();
      audit.learn(catalogues);
      expect(endOffset).toBe(batch.toOffset);
      const middle = Math.floor(batch.toOffset / 2);
      const parts = [
        { fromOffset: 0, toOffset: middle, records: batch.records.slice(0, middle) },
        { fromOffset: middle, toOffset: batch.toOffset, records: batch.records.slice(middle) },
      ];
      const found: HistoryDifference[] = [...ofTables];
      for (const part of parts) found.push(...(await audit.compare(part)).differences);
      return [...found, ...(await audit.end())];
    } finally {
      await audit.close();
    }
  }

  async function offsetsOf(table: string): Promise<number[]> {
    const rows = await engine.rows(`SELECT DISTINCT ledger_offset FROM sluice.${table} ORDER BY ledger_offset`);
    return rows.map((row) => Number(row['ledger_offset']));
  }

  it.each([1])(
    'finds nothing in what was written (seed %i)',
    async (seed) => {
      await write(seed);
      expect(await differences()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    "has the chain that the guide's SQL follows",
    async () => {
      const guide = readFileSync(join(packageRoot, 'docs', 'history.md'), 'utf8');
      const [, query = ''] = /```sql\n(SELECT countIf\(chain_sha256[^`]*)```/.exec(guide) ?? [];
      await write(3);
      expect(await engine.rows(query)).toEqual([{ sealed: batch.records.length, wrong: [] }]);
      await engine.command(
        "ALTER TABLE sluice.ledger UPDATE value = 'x' WHERE ledger_offset = 7 SETTINGS mutations_sync = 2",
      );
      await engine.command('ALTER TABLE sluice.ledger DELETE WHERE ledger_offset = 90 SETTINGS mutations_sync = 2');
      expect(await engine.rows(query)).toEqual([{ sealed: batch.records.length - 1, wrong: [7, 91] }]);
    },
    TIMEOUT_MS,
  );

  it(
    'names every changed column of every table',
    async () => {
      await write(4);
      const touched = new Map<string, string[]>();
      for (const table of new HistoryTables().derived) {
        const offsets = await offsetsOf(table.name);
        expect(offsets.length, table.name).toBeGreaterThan(0);
        const columns = [...table.columnTypes(), ...(table.name === 'decisions' ? FEATURES : [])].filter(
          ({ name }) => !ORDER_COLUMNS.has(name),
        );
        const updates = columns.map(({ name, type }, index) => {
          const offset = offsets[index % offsets.length] ?? 0;
          const key = `${table.name} ${offset}`;
          touched.set(key, [...(touched.get(key) ?? []), name]);
          return `${name} = if(ledger_offset = ${offset}, ${changedValue(name, type)}, ${name})`;
        });
        await engine.command(
          `ALTER TABLE ${table.qualifiedName} UPDATE ${updates.join(', ')} WHERE 1 SETTINGS mutations_sync = 2`,
        );
      }
      const found = new Map<string, string>();
      for (const { table, ledgerOffset, kind, detail } of await differences()) {
        expect(kind).toBe('changed');
        found.set(`${table} ${ledgerOffset}`, detail);
      }
      expect([...found.keys()].sort()).toEqual([...touched.keys()].sort());
      for (const [key, columns] of touched)
        for (const column of columns.slice(0, 6)) expect(found.get(key), key).toContain(`${column} `);
    },
    TIMEOUT_MS,
  );

  it.each([5])(
    'names rows that were removed, copied, made up or moved (seed %i)',
    async (seed) => {
      await write(seed);
      const random = new Random(seed, 'tamper');
      const expected: string[] = [];
      const tampered = new HistoryTables().derived.map(async ({ name, qualifiedName }) => {
        const offsets = await offsetsOf(name);
        const [removed = 0, copied = 0] = shuffled(offsets, random);
        const free = batch.records.map(({ offset }) => offset).find((offset) => !offsets.includes(offset));
        const made = [copied, batch.toOffset + 5, ...(free === undefined ? [] : [free])];
        await engine.command(
          `INSERT INTO ${qualifiedName} SELECT * REPLACE (arrayJoin([${made.join(', ')}]) AS ledger_offset) ` +
            `FROM (SELECT * FROM ${qualifiedName} WHERE ledger_offset = ${copied} LIMIT 1)`,
        );
        await engine.command(
          `ALTER TABLE ${qualifiedName} DELETE WHERE ledger_offset = ${removed} SETTINGS mutations_sync = 2`,
        );
        expected.push(`${name} ${removed} missing`, ...made.map((offset) => `${name} ${offset} added`));
      });
      await Promise.all(tampered);
      const found = (await differences()).map(({ table, ledgerOffset, kind }) => `${table} ${ledgerOffset} ${kind}`);
      expect([...new Set(found)].sort()).toEqual(expected.sort());
    },
    TIMEOUT_MS,
  );

  it(
    'names tables and columns that are gone or of another type, and catalogues that were changed',
    async () => {
      await write(8);
      await engine.command('DROP TABLE sluice.labels SYNC');
      await engine.command('ALTER TABLE sluice.outcomes DROP COLUMN response_code');
      await engine.command('ALTER TABLE sluice.decisions MODIFY COLUMN score Int64 SETTINGS mutations_sync = 2');
      await engine.command("INSERT INTO sluice.catalogues VALUES ('made up', 0, 'count_1d')");
      await engine.command(`INSERT INTO sluice.catalogues VALUES ('${'a'.repeat(64)}', 2, 'new_one')`);
      expect(await differences()).toEqual([
        {
          table: 'decisions',
          ledgerOffset: null,
          kind: 'changed',
          detail: 'column score has type Int64 instead of Int32',
        },
        expect.objectContaining({ table: 'outcomes', ledgerOffset: null, kind: 'missing' }),
        expect.objectContaining({ table: 'labels', ledgerOffset: null, kind: 'missing' }),
        expect.objectContaining({ table: 'catalogues', kind: 'changed' }),
        expect.objectContaining({ table: 'catalogues', kind: 'added' }),
      ]);
    },
    TIMEOUT_MS,
  );
});

/** SQL of another value of the type. */
function changedValue(name: string, type: string): string {
  const inner = /^(?:LowCardinality|Nullable)\((.*)\)$/.exec(type)?.[1];
  if (inner !== undefined) return `ifNull(${changedValue(name, inner)}, ${constant(type)})`;
  if (type === 'String') return `concat(${name}, 'x')`;
  if (type === 'Bool') return `NOT ${name}`;
  if (type === 'Float64') return `if(${name} = 12345, 1, 12345)`;
  if (type.startsWith('DateTime64')) return `addMilliseconds(${name}, 1)`;
  if (type.startsWith('Array(')) return `arrayPushBack(${name}, ${constant(type)})`;
  if (type.startsWith('Map(')) return `CAST(map('zz', ${constant(type.slice(type.indexOf(',')))}), '${type}')`;
  return `${name} + 1`;
}

function constant(type: string): string {
  if (type.includes('DateTime64')) return "toDateTime64('2026-01-01 00:00:00', 3, 'UTC')";
  if (type.includes('String')) return "'x'";
  return type.includes('Bool') ? 'true' : '1';
}

function withDistribution(record: HistoryRecord): HistoryRecord {
  const { event } = record;
  if (event.kind !== 'modelPromotion') return record;
  const described = { ...event.event, modelId: 'm', metadata: JSON.stringify({ trainingDistribution }) };
  return { ...record, event: { ...event, event: described } };
}

function shuffled(items: readonly number[], random: Random): number[] {
  return items
    .map((item) => ({ item, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
