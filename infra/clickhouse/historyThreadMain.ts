import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Challengers } from '../../pipeline/challengers.ts';
import { HistoryWriter } from '../../pipeline/history.ts';
import { runThisThreadInBackground } from '../backgroundPriority.ts';
import { openLmdb } from '../lmdb/openLmdb.ts';
import { DriftWatch } from './driftWatch.ts';
import { ClickHouseHistory } from './history.ts';
import type { HistoryThreadMessage } from './historyThread.ts';

const STATE_INTERVAL_MS = 100;

const dataSchema = z.object({
  dataDir: z.string(),
  url: z.string(),
  username: z.string(),
  password: z.string(),
  batchRecords: z.number(),
});

/** Entry of the history thread (historyThread.ts). */
async function main(): Promise<void> {
  runThisThreadInBackground();
  const { dataDir, url, username, password, batchRecords } = dataSchema.parse(workerData);
  const data = openLmdb(dataDir, { readOnly: true });
  const history = new ClickHouseHistory({ url, username, password });
  const log = (level: 'info' | 'warn') => (fields: object, message: string) => {
    post({ kind: 'log', level, fields: { ...fields }, message });
  };
  const logger = { info: log('info'), warn: log('warn') };
  const challengers = new Challengers({
    models: data.models,
    logger,
    telemetry: {
      challenged: (model, scored, skipped) => {
        post({ kind: 'challenged', model, scored, skipped });
      },
    },
    clock: () => performance.now(),
  });
  const writer = new HistoryWriter({
    ledger: data.ledger,
    decisions: data.decisions,
    history,
    challengers,
    logger,
    telemetry: {
      stage: (_name, durationMs) => {
        post({ kind: 'written', durationMs });
      },
      gauge: () => undefined,
    },
    maxRecords: batchRecords,
  });
  const drift = new DriftWatch({
    url,
    username,
    password,
    onMeasured: (lines) => {
      post({ kind: 'drift', lines: [...lines] });
    },
  });
  const tellState = (): void => {
    post({ kind: 'state', state: writer.state() });
  };
  const timer = setInterval(tellState, STATE_INTERVAL_MS);
  const stopping = new AbortController();
  parentPort?.once('message', () => {
    stopping.abort();
  });
  await Promise.all([writer.run(stopping.signal), drift.run(stopping.signal)]);
  clearInterval(timer);
  tellState();
  await challengers.close();
  await history.close();
  await data.close();
  parentPort?.close();
}

function post(message: HistoryThreadMessage): void {
  parentPort?.postMessage(message);
}

await main();
