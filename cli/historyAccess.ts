import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { DeploymentPlace } from '../infra/deployment/deploymentPlace.ts';
import { dataFolder } from './deployment.ts';
import { HistoryReader } from './historyReader.ts';
import { portOption } from './options.ts';
import { UserError } from './userError.ts';

/** Where the history of a running Sluice is, for commands that ask it. */
export interface HistoryAccessOptions {
  readonly config: string;
  readonly data?: string;
  readonly historyPort?: number;
}

export function withHistoryOptions(command: Command): Command {
  return withHistoryPlace(command.option('--config <folder>', 'the deployment', 'config/default'));
}

/** Where the deployment's history is. */
function withHistoryPlace(command: Command): Command {
  return command
    .option('--data <folder>', 'its data folder (default: data/ and its name)')
    .addOption(portOption('--history-port <port>', 'of the embedded ClickHouse, instead of that in sluice.yaml'));
}

/** Lets `ask` read the history; what ClickHouse refuses is told to the user. */
export async function askHistory<T>(
  deployment: DeploymentPlace,
  options: HistoryAccessOptions,
  ask: (reader: HistoryReader) => Promise<T>,
): Promise<T> {
  const server = historyServer(deployment, options);
  const reader = new HistoryReader(server);
  try {
    return await ask(reader);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (isRefused(error)) throw new UserError(`No history answers at ${server.url}: is Sluice running?`);
    throw new UserError(error instanceof Error ? error.message : String(error));
  } finally {
    await reader.close();
  }
}

export function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

/** Of a running Sluice, as an analyst reaches it. */
export function historyServer(
  deployment: DeploymentPlace,
  { data, historyPort }: HistoryAccessOptions,
): ConstructorParameters<typeof HistoryReader>[0] {
  const { server } = deployment.settings.history;
  if (server.kind === 'url') {
    return {
      url: server.url,
      username: server.username ?? 'default',
      password: process.env['SLUICE_CLICKHOUSE_PASSWORD'] ?? '',
    };
  }
  const file = join(dataFolder(deployment, data), 'analyst.password');
  if (!existsSync(file)) throw new UserError(`There is no ${file}: start Sluice on this data folder first.`);
  return {
    url: `http://127.0.0.1:${String(historyPort ?? server.port)}`,
    username: 'analyst',
    password: readFileSync(file, 'utf8').trim(),
  };
}
