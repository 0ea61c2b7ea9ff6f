import { Command } from 'commander';
import { openLmdb } from '../infra/lmdb/openLmdb.ts';
import { certify } from '../pipeline/certificate.ts';
import { certificatePage } from './certificatePage.ts';
import { dataFolder, requirePlace } from './deployment.ts';
import { ProgressLine } from './progressLine.ts';
import { UserError } from './userError.ts';

export function decisionCommand(): Command {
  return new Command('decision')
    .description('Print the certificate of a decision: everything that it came from, in English and Chinese.')
    .argument('<transactionId>', 'of the payment')
    .option('--config <folder>', 'the deployment', 'config/default')
    .option('--data <folder>', 'its data folder (default: data/ and its name)')
    .option('--all', 'every feature, not only those that weighed most or are named by rules and reasons')
    .option('--json', 'the certificate as JSON, every feature')
    .addHelpText(
      'after',
      `
Reads the data folder only: it may run beside a running Sluice. Rules, texts and versions are those of then, from the ledger. Exit
code 1 when record or decision are not what was sealed.`,
    )
    .action(async (transactionId: string, options: DecisionOptions) => {
      const dataDir = dataFolder(await requirePlace(options.config), options.data);
      const data = openLmdb(dataDir, { readOnly: true });
      const progress = new ProgressLine(options.json !== true);
      const certificate = await certify(data, transactionId, null, (done, total) => {
        progress.show(`looking for the rule set in ${total.toLocaleString('en')} records`, done / total);
      });
      progress.clear();
      await data.close();
      if (certificate === undefined) throw new UserError(`No payment ${transactionId} was decided in ${dataDir}.`);
      process.exitCode = certificate.seal?.isIntact === false ? 1 : 0;
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify(certificate, null, 2)}\n`
          : certificatePage(certificate, options.all === true),
      );
    });
}

interface DecisionOptions {
  readonly config: string;
  readonly data?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}
