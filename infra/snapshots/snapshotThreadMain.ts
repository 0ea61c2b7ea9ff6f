import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Engine } from '../../pipeline/engine/engine.ts';
import { PortEngineServices } from '../../pipeline/engine/engineServices.ts';
import { reasonOf } from '../../pipeline/snapshots/restoreEngine.ts';
import { takeSnapshot } from '../../pipeline/snapshots/takeSnapshot.ts';
import { runThisThreadInBackground } from '../backgroundPriority.ts';
import { openLmdb } from '../lmdb/openLmdb.ts';
import { ReservoirFolder } from '../reservoir/reservoirFolder.ts';
import { SnapshotFolder } from './snapshotFolder.ts';
import type { SnapshotThreadMessage } from './snapshotThread.ts';

const dataSchema = z.object({ dataDir: z.string(), keep: z.number() });

/** Entry of the thread (snapshotThread.ts): takes one snapshot. */
async function main(): Promise<void> {
  runThisThreadInBackground();
  const { dataDir, keep } = dataSchema.parse(workerData);
  const stopping = new AbortController();
  parentPort?.once('message', () => {
    stopping.abort();
  });
  const data = openLmdb(dataDir, { readOnly: true });
  const folder = join(dataDir, 'snapshots');
  const reservoirs = new ReservoirFolder(join(folder, 'reservoir'));
  const services = new PortEngineServices(data.ledger, data.decisions, data.models, () => reservoirs.open());
  try {
    const snapshot = await takeSnapshot({
      snapshots: new SnapshotFolder(folder, { keep }),
      ledger: data.ledger,
      decisions: data.decisions,
      newEngine: () => new Engine(services, { maxBatch: 1, decidedThrough: Infinity }),
      logger: {
        warn: (fields, message) => {
          post({ kind: 'warn', fields: { ...fields }, message });
        },
      },
      signal: stopping.signal,
    });
    if (snapshot !== null) post({ kind: 'taken', snapshot });
  } catch (error) {
    post({ kind: 'failed', ...reasonOf(error) });
  }
  await data.close();
  parentPort?.close();
}

function post(message: SnapshotThreadMessage): void {
  parentPort?.postMessage(message);
}

await main();
