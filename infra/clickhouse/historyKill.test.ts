import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HistoryWriter } from '../../pipeline/history.ts';
import type { FeatureColumns, HistoryBatch } from '../../pipeline/ports.ts';
import { MemoryDecisionStore } from '../../pipeline/testing/memoryDecisionStore.ts';
import { MemoryLedger } from '../../pipeline/testing/memoryLedger.ts';
import { encodeSeal } from '../../pipeline/chain/seal.ts';
import { codecs } from '../../schemas/codec.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { TestEngine } from './testing/engine.ts';
import { expectedRows } from './testing/expectedRows.ts';
import { randomBatch } from './testing/randomHistory.ts';

const catalogue: FeatureColumns = { catalogueSha256: 'a'.repeat(64), names: ['count_1d', 'avg_7d'] };
const KILLS = 3;
const BATCH_RECORDS = 40;

if (platformPackage() === undefined) console.log('historyKill.test: no ClickHouse engine for this platform, not run');

describe.runIf(platformPackage() !== undefined)('history under kill -9 of the engine', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await TestEngine.start();
  });
  afterAll(() => engine.stop());

  it('has every row once when the writer is stopped and the engine is killed in the midst of writing', async () => {
    const seed = Number(process.env['SLUICE_TEST_SEED'] ?? 1);
    console.log(`historyKill.test: seed ${seed} (SLUICE_TEST_SEED)`);
    const [batch] = fc.sample(randomBatch([catalogue], 0, { minRecords: 400, maxRecords: 400 }), { numRuns: 1, seed });
    if (batch === undefined) throw new Error('no sample');
    const { ledger, decisions } = await stores(batch);
    const killAfterMs = fc.sample(fc.integer({ min: 20, max: 700 }), { numRuns: KILLS, seed });
    for (const afterMs of killAfterMs) {
      await run(ledger, decisions, async () => {
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        const { pid } = engine.clickHouse;
        if (pid !== null) process.kill(pid, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, afterMs / 2));
      });
    }
    await run(ledger, decisions, (writer) => writer.reached(batch.toOffset));

    const expected = expectedRows(batch, [catalogue]);
    const history = new ClickHouseHistory({ url: engine.clickHouse.url });
    for (const count of await history.check()) {
      const rows = expected.get(count.table)?.length ?? 0;
      expect(count).toEqual({ table: count.table, expected: rows, found: rows });
    }
    await history.close();
    expect(await engine.rows('SELECT uniqExact(ledger_offset) AS offsets FROM sluice.ledger')).toEqual([
      { offsets: batch.toOffset },
    ]);
  }, 180_000);

  /** One life of the writing process: it is stopped, without waiting for the write under way, when `life` ends. */
  async function run(
    ledger: MemoryLedger,
    decisions: MemoryDecisionStore,
    life: (writer: HistoryWriter) => Promise<void>,
  ): Promise<void> {
    const history = new ClickHouseHistory({ url: engine.clickHouse.url });
    await prepared(history);
    const silent = (): void => undefined;
    const writer = new HistoryWriter({
      ledger,
      decisions,
      history,
      logger: { info: silent, warn: silent },
      maxRecords: BATCH_RECORDS,
      maxWaitMs: 10,
      firstBackoffMs: 20,
      maxBackoffMs: 100,
      stopWithinMs: 1,
    });
    const stop = new AbortController();
    const running = writer.run(stop.signal);
    await life(writer);
    stop.abort();
    await running;
    await history.close();
  }
});

async function prepared(history: ClickHouseHistory): Promise<void> {
  for (;;) {
    try {
      await history.prepare([catalogue]);
      return;
    } catch {
      // The engine is being restarted.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function stores(
  batch: HistoryBatch,
): Promise<{ readonly ledger: MemoryLedger; readonly decisions: MemoryDecisionStore }> {
  const ledger = new MemoryLedger();
  const decisions = new MemoryDecisionStore();
  await ledger.append(batch.records.map(({ value }) => value));
  await decisions.put(
    batch.records.flatMap(({ offset, decision }) =>
      decision === null
        ? []
        : [
            {
              ledgerOffset: offset,
              transactionId: decision.transactionId,
              isFirst: decision.status === 'new',
              value: codecs.decision.encode(decision),
            },
          ],
    ),
    batch.records.flatMap(({ offset, seal }) =>
      seal === null ? [] : [{ ledgerOffset: offset, value: encodeSeal(seal) }],
    ),
  );
  await decisions.beginChain(0);
  return { ledger, decisions };
}
