import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { dataFolder, requireDeployment } from './deployment.ts';
import { HistoryReader } from './historyReader.ts';
import { portOption } from './options.ts';
import { UserError } from './userError.ts';

export function queryCommand(): Command {
  return new Command('query')
    .description('Ask the history of a running Sluice in SQL, e.g. "SELECT * FROM sluice.verdicts_by_hour".')
    .argument('<sql>', 'one SELECT')
    .option('--config <folder>', 'the deployment', 'config/default')
    .option('--data <folder>', 'its data folder (default: data/ and its name)')
    .addOption(portOption('--history-port <port>', 'of the embedded ClickHouse, instead of that in sluice.yaml'))
    .option('--format <name>', "one of ClickHouse's formats", 'PrettyCompactNoEscapes')
    .option('--json', 'the same as --format JSON')
    .action(async (sql: string, options: QueryOptions) => {
      const deployment = await requireDeployment(options.config);
      const reader = new HistoryReader(
        historyAccess(deployment.settings.history.server, dataFolder(deployment, options.data), options.historyPort),
      );
      const format = options.json === true ? 'JSON' : options.format;
      try {
        await reader.stream(sql.replace(/;\s*$/, ''), format, (chunk) => process.stdout.write(chunk));
      } catch (error) {
        throw new UserError(error instanceof Error ? error.message : String(error));
      } finally {
        await reader.close();
      }
    });
}

interface QueryOptions {
  readonly config: string;
  readonly data?: string;
  readonly historyPort?: number;
  readonly format: string;
  readonly json?: boolean;
}

type Server = Awaited<ReturnType<typeof requireDeployment>>['settings']['history']['server'];

function historyAccess(
  server: Server,
  dataDir: string,
  port: number | undefined,
): ConstructorParameters<typeof HistoryReader>[0] {
  if (server.kind === 'url') {
    return {
      url: server.url,
      username: server.username ?? 'default',
      password: process.env['SLUICE_CLICKHOUSE_PASSWORD'] ?? '',
    };
  }
  const file = join(dataDir, 'analyst.password');
  if (!existsSync(file)) throw new UserError(`There is no ${file}: start Sluice on this data folder first.`);
  return {
    url: `http://127.0.0.1:${String(port ?? server.port)}`,
    username: 'analyst',
    password: readFileSync(file, 'utf8').trim(),
  };
}
