import { Argument, Command } from 'commander';
import { checkReport, checkReportData } from '../infra/deployment/checkReport.ts';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';

export function checkCommand(): Command {
  return new Command('check')
    .description('Check a deployment folder: settings, features, rules and their examples, model, mapping.')
    .addArgument(new Argument('<folder>', 'the deployment, e.g. config/default'))
    .option('--json', 'the result as JSON')
    .addHelpText('after', '\nEvery mistake is told with its file and line. Exit code 1 when there is one.')
    .action(async (folder: string, options: { readonly json?: boolean }) => {
      const result = await loadDeployment(folder);
      const text =
        options.json === true ? JSON.stringify(checkReportData(folder, result), null, 2) : checkReport(folder, result);
      process.stdout.write(`${text}\n`);
      process.exitCode = result.ok ? 0 : 1;
    });
}
