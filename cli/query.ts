import { Command } from 'commander';
import { requirePlace } from './deployment.ts';
import { askHistory, withHistoryOptions, type HistoryAccessOptions } from './historyAccess.ts';

export function queryCommand(): Command {
  const command = new Command('query')
    .description('Ask the history of a running Sluice in SQL, e.g. "SELECT * FROM sluice.verdicts_by_hour".')
    .argument('<sql>', 'one SELECT');
  return withHistoryOptions(command)
    .option('--format <name>', "one of ClickHouse's formats", 'PrettyCompactNoEscapes')
    .option('--json', 'the same as --format JSON')
    .action(async (sql: string, options: QueryOptions) => {
      const deployment = await requirePlace(options.config);
      const format = options.json === true ? 'JSON' : options.format;
      await askHistory(deployment, options, (reader) =>
        reader.stream(sql.replace(/;\s*$/, ''), format, (chunk) => process.stdout.write(chunk)),
      );
    });
}

interface QueryOptions extends HistoryAccessOptions {
  readonly format: string;
  readonly json?: boolean;
}
