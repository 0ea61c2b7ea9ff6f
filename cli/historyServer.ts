import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { startEmbeddedClickHouse } from '../infra/clickhouse/embedded/supervisor.ts';
import type { HistorySettings } from '../infra/deployment/deploymentSettings.ts';

/** A ClickHouse to write to: the embedded engine, or a server of the deployment's own. */
export interface HistoryServer {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** For people: reads only. Null with a server of one's own, which has its own users. */
  readonly analyst: { readonly username: string; readonly passwordFile: string; readonly password: string } | null;
  stop(): Promise<void>;
}

const WRITER = 'sluice';
const ANALYST = 'analyst';

export async function openHistoryServer(
  settings: HistorySettings,
  dataDir: string,
  logger: Logger,
): Promise<HistoryServer> {
  if (settings.server.kind === 'url') {
    return {
      url: settings.server.url,
      username: settings.server.username ?? 'default',
      password: process.env['SLUICE_CLICKHOUSE_PASSWORD'] ?? '',
      analyst: null,
      stop: () => Promise.resolve(),
    };
  }
  const password = randomBytes(24).toString('base64url');
  const passwordFile = join(dataDir, 'analyst.password');
  const analystPassword = storedPassword(passwordFile);
  const server = await startEmbeddedClickHouse({
    dataDir: join(dataDir, 'history'),
    port: settings.server.port,
    users: [
      { name: WRITER, password, role: 'writer' },
      { name: ANALYST, password: analystPassword, role: 'analyst' },
    ],
    logger: logger.child({ part: 'history' }),
  });
  return {
    url: server.url,
    username: WRITER,
    password,
    analyst: { username: ANALYST, passwordFile, password: analystPassword },
    stop: () => server.stop(),
  };
}

/** The analysts' password stays the same over restarts, in a file that only its owner reads. */
function storedPassword(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = randomBytes(12).toString('hex');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}
