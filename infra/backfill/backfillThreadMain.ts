import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { compileConfiguration, parseConfiguration } from '../../operators/configuration.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import { StateParts } from '../../operators/stateParts.ts';
import { FeatureBackfill } from '../../pipeline/engine/featureBackfill.ts';
import { runThisThreadInBackground } from '../backgroundPriority.ts';
import { openLmdb } from '../lmdb/openLmdb.ts';
import { FolderStorage } from '../reservoir/folderStorage.ts';
import type { BackfillThreadMessage } from './backfillThread.ts';

const PROGRESS_MS = 5;

const dataSchema = z.object({ dataDir: z.string(), storageFolder: z.string(), configuration: z.string() });

/** Entry of the thread (backfillThread.ts): follows the ledger until it is told to hand its state over, or to give up. */
async function main(): Promise<void> {
  runThisThreadInBackground();
  const { dataDir, storageFolder, configuration } = dataSchema.parse(workerData);
  const parsed = parseConfiguration(configuration);
  const compiled = parsed.ok ? compileConfiguration(parsed.value) : parsed;
  if (!compiled.ok) throw new Error('SLUICE_BACKFILL_CONFIGURATION: the configuration was not checked');
  const data = openLmdb(dataDir, { readOnly: true, pollMs: 2 });
  const storage = new FolderStorage(storageFolder);
  const backfill = new FeatureBackfill(data.ledger, createFeatureState(compiled.value.catalogue, {}, storage));
  const ending = new AbortController();
  const asked = { forState: false };
  parentPort?.on('message', (message: unknown) => {
    asked.forState ||= message === 'handOver';
    ending.abort();
  });
  const progress = setInterval(() => {
    post({ kind: 'progress', nextOffset: backfill.nextOffset });
  }, PROGRESS_MS);
  await backfill.follow(ending.signal);
  clearInterval(progress);
  if (asked.forState) {
    const state = new StateParts();
    backfill.save(state);
    parentPort?.postMessage({ kind: 'state', parts: state.parts } satisfies BackfillThreadMessage, state.buffers);
  }
  storage.leave();
  await data.close();
  parentPort?.close();
}

function post(message: BackfillThreadMessage): void {
  parentPort?.postMessage(message);
}

await main();
