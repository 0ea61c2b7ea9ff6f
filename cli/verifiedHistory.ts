import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { ClickHouseAudit } from '../infra/clickhouse/clickHouseAudit.ts';
import type { DeploymentPlace } from '../infra/deployment/deploymentPlace.ts';
import { DataFolderError } from '../infra/lmdb/dataFolderError.ts';
import { takeWriterLock } from '../infra/lmdb/writerLock.ts';
import { historyServer, type HistoryAccessOptions } from './historyAccess.ts';
import { openHistoryServer } from './historyServer.ts';

/** The history of a deployment opened for a check, wherever it is. */
export interface VerifiedHistory {
  readonly audit: ClickHouseAudit;
  close(): Promise<void>;
}

/**
 * A server of the deployment's own, the embedded one of the Sluice that runs on the folder, or, where none runs, an embedded one
 * that is started for the check; the folder's lock then keeps Sluice from starting beside it. Null: the folder has no history.
 */
export async function openVerifiedHistory(
  deployment: DeploymentPlace,
  dataDir: string,
  options: HistoryAccessOptions,
): Promise<VerifiedHistory | null> {
  const isEmbedded = deployment.settings.history.server.kind === 'embedded';
  if (isEmbedded && !existsSync(join(dataDir, 'history'))) return null;
  const lock = isEmbedded ? lockIfStopped(dataDir) : null;
  if (lock === null) {
    const audit = new ClickHouseAudit(historyServer(deployment, { ...options, data: dataDir }));
    return { audit, close: () => audit.close() };
  }
  try {
    const settings = { ...deployment.settings.history, server: { kind: 'embedded' as const, port: 0 } };
    const server = await openHistoryServer(settings, dataDir, pino({ level: 'silent' }));
    const audit = new ClickHouseAudit(server);
    return {
      audit,
      close: async () => {
        await audit.close();
        await server.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function lockIfStopped(dataDir: string): ReturnType<typeof takeWriterLock> | null {
  try {
    return takeWriterLock(dataDir);
  } catch (error) {
    if (error instanceof DataFolderError && error.code === 'SLUICE_DATA_IN_USE') return null;
    throw error;
  }
}
