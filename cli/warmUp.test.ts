import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openLmdb } from '../infra/lmdb/openLmdb.ts';
import { demoSimulation } from '../pipeline/simulate/options.ts';
import { decodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import { requireDeployment } from './deployment.ts';
import { createLogger } from './logger.ts';
import { eventsFromStart, warmUp } from './warmUp.ts';

const START_MS = Date.UTC(2026, 2, 4, 10);
const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'sluice-warm-up-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('decides the payments before the start, in order of time; the live events begin with the start', async () => {
  const simulation = {
    ...demoSimulation({ seed: 5, startTimeMs: START_MS, paymentsPerSecond: 5, durationMs: 20_000 }),
    warmUp: { durationMs: 6 * DAY_MS, payments: 300 },
  };
  const dataDir = join(folder, 'data');
  const deployment = await requireDeployment('config/default');
  const { payments, missingMs } = await warmUp({ deployment, dataDir, logger: createLogger('silent') }, simulation);
  expect(payments).toBeGreaterThan(250);
  expect(missingMs).toBe(0);

  const data = openLmdb(dataDir, { readOnly: true });
  const records = (await data.ledger.read(0, 2_000)).map(({ value }) => decodeLedgerRecord(value));
  const times = records.flatMap((record) => (record.kind === 'transaction' ? [record.event.eventTimeMs] : []));
  expect(times).toHaveLength(payments);
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect(times.at(-1)).toBeLessThan(START_MS);
  expect(records.filter(({ kind }) => kind === 'deadLetter')).toEqual([]);
  expect(await data.decisions.read(0, 2_000)).toHaveLength(payments);
  await data.close();

  const [first] = eventsFromStart(simulation);
  expect(first?.timeMs).toBeGreaterThanOrEqual(START_MS);
  expect(first?.timeMs).toBeLessThan(START_MS + 5_000);
});
