import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EmbeddedClickHouseError } from './index.ts';
import { startedClickHouse, until } from './testing/startedClickHouse.ts';

let dataDir: string;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-clickhouse-'));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(dataDir, { recursive: true, force: true });
});

async function started(options: Parameters<typeof startedClickHouse>[0] = {}) {
  const clickHouse = await startedClickHouse({ dataDir, ...options });
  cleanups.push(() => clickHouse.stop());
  return clickHouse;
}

async function failure(starting: Promise<unknown>): Promise<EmbeddedClickHouseError> {
  const error: unknown = await starting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EmbeddedClickHouseError)) throw new Error('it should not have started');
  return error;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('comes back on the same port after kill -9, with every acknowledged row there once', async () => {
  const states: string[] = [];
  const clickHouse = await started({ onState: (state) => states.push(state) });
  const { url } = clickHouse.server;
  const client = clickHouse.client();
  await client.command({ query: 'CREATE TABLE kept (batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY batch' });
  const rowsPerBatch = 100;
  const acknowledged = new Set<number>();
  const countRows = async (batch: number): Promise<number> => {
    const result = await client.query({
      query: `SELECT count() AS rows FROM kept WHERE batch = ${batch}`,
      format: 'JSONEachRow',
    });
    return Number((await result.json<{ rows: string }>())[0]?.rows);
  };
  // As the history writer does: after an insert without an answer, what is there is counted, and what is missing is sent again.
  // A deduplication token would not do: ClickHouse notes it before the part appears, so a kill can leave a token without rows.
  const insert = async (batch: number): Promise<void> => {
    const values = Array.from({ length: rowsPerBatch }, (_, row) => ({ batch, row }));
    for (let isFirst = true; ; isFirst = false) {
      try {
        if (isFirst || (await countRows(batch)) === 0) {
          await client.insert({ table: 'kept', values, format: 'JSONEachRow' });
        }
        return;
      } catch {
        await delay(20);
      }
    }
  };
  let nextBatch = 0;
  let isOver = false;
  const insertForEver = async (): Promise<void> => {
    while (!isOver) {
      const batch = nextBatch++;
      await insert(batch);
      acknowledged.add(batch);
    }
  };
  const inserters = [insertForEver(), insertForEver(), insertForEver()];
  for (let kill = 1; kill <= 3; kill += 1) {
    const before = acknowledged.size;
    await until(() => acknowledged.size > before + 5);
    const { pid } = clickHouse.server;
    if (pid === null) throw new Error('no process');
    process.kill(pid, 'SIGKILL');
    await until(() => clickHouse.server.state === 'running' && clickHouse.server.restartCount === kill);
  }
  isOver = true;
  await Promise.all(inserters);
  const counted = await client.query({
    query: 'SELECT batch, count() AS rows, uniqExact(row) AS different FROM kept GROUP BY batch ORDER BY batch',
    format: 'JSONEachRow',
  });
  const expected = [...acknowledged].sort((a, b) => a - b);
  expect(await counted.json()).toEqual(
    expected.map((batch) => ({ batch, rows: rowsPerBatch, different: rowsPerBatch })),
  );
  expect(clickHouse.server.url).toBe(url);
  expect(states).toEqual(['running', 'starting', 'running', 'starting', 'running', 'starting', 'running']);
});

it('keeps tables over an orderly stop, and syncs what is inserted', async () => {
  const first = await startedClickHouse({ dataDir });
  await first.post('/', 'CREATE TABLE kept (a Int8) ENGINE = MergeTree ORDER BY a');
  await first.post('/', 'INSERT INTO kept VALUES (1)');
  const { pid } = first.server;
  await first.stop();
  expect(first.server.state).toBe('stopped');
  expect(pid === null || isAlive(pid)).toBe(false);
  const second = await started();
  expect(await (await second.post('/', 'SELECT * FROM kept')).text()).toBe('1\n');
  const settings =
    "SELECT value FROM system.merge_tree_settings WHERE name IN ('fsync_after_insert', 'fsync_part_directory')";
  expect(await (await second.post('/', settings)).text()).toBe('1\n1\n');
});

it('stops although a query runs', async () => {
  const clickHouse = await started();
  const { pid } = clickHouse.server;
  const query = clickHouse.post('/', 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1');
  const outcome = query.then(
    () => 'answered',
    () => 'cut',
  );
  await delay(100);
  await clickHouse.server.stop();
  expect(await outcome).toBe('cut');
  expect(pid === null || isAlive(pid)).toBe(false);
});

it('says so when the port is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  cleanups.push(async () => {
    other.close();
    await once(other, 'close');
  });
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const error = await failure(started({ port }));
  expect(error.code).toBe('SLUICE_HISTORY_PORT');
  expect(error.message).toContain(String(port));
});

it('says so when another process has the data folder open', async () => {
  const first = await started();
  const error = await failure(started());
  expect(error.code).toBe('SLUICE_HISTORY_LOCKED');
  expect(error.message).toContain(dataDir);
  expect(error.message).not.toContain('\n');
  // And leaves that one alone.
  expect((await first.post('/', "INSERT INTO FUNCTION null('a Int8') VALUES (1)")).status).toBe(200);
});

it('ends when its parent is gone', async () => {
  const entry = fileURLToPath(new URL('./testing/parentProcess.ts', import.meta.url));
  const parent = spawn(process.execPath, ['--import', 'tsx', entry, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(async () => {
    if (parent.exitCode === null && parent.signalCode === null) {
      parent.kill('SIGKILL');
      await once(parent, 'exit');
    }
  });
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.setEncoding('utf8').once('data', (line: string) => {
      resolve(Number(line));
    });
  });
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid));
  // The folder is free again.
  await started();
});
