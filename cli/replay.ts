import { Command } from 'commander';
import { openLmdb, type LmdbData } from '../infra/lmdb/openLmdb.ts';
import { TemporaryReservoir } from '../infra/reservoir/temporaryReservoir.ts';
import { verifyReplay, type ReplayReport } from '../pipeline/replay.ts';
import { ProgressLine } from './progressLine.ts';

export function replayCommand(): Command {
  return new Command('replay')
    .description('Run the ledger again from its start and compare every decision with the stored one, byte for byte.')
    .requiredOption('--data <folder>', 'the data folder, e.g. data/default')
    .requiredOption('--verify', 'compare with the stored decisions')
    .option('--json', 'the report as JSON')
    .addHelpText(
      'after',
      `
Reads only: it may run beside a running Sluice. Events of the feature windows go to the folder for temporary files (TMPDIR) for
as long as it runs, as many bytes as the data folder's reservoir/ has. Exit code 1 when any decision differs.`,
    )
    .action(async (options: { readonly data: string; readonly json?: boolean }) => {
      const report = await replayAll(options.data, new ProgressLine(options.json !== true));
      process.exitCode = report.different === 0 ? 0 : 1;
      process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : replayText(report));
    });
}

/** Decides everything in the data folder again. */
export async function replayAll(dataDir: string, progress: ProgressLine): Promise<ReplayReport> {
  const data = openLmdb(dataDir, { readOnly: true });
  const report = await verified(data, (done, total) => {
    progress.show(`replaying ${done.toLocaleString('en')} of ${total.toLocaleString('en')} records`, done / total);
  });
  progress.clear();
  await data.close();
  return report;
}

export function replayText(report: ReplayReport): string {
  const { records, decisions, equal, different, undecided, differences, seconds } = report;
  const lines = [
    `${records.toLocaleString('en')} records, ${decisions.toLocaleString('en')} decisions in ${seconds.toFixed(1)} s: ` +
      `${equal.toLocaleString('en')} equal, ${different.toLocaleString('en')} different` +
      `${undecided > 0 ? `, ${undecided.toLocaleString('en')} not decided before` : ''}.\n`,
  ];
  for (const { ledgerOffset, transactionId, kind, fields } of differences) {
    const what = {
      missing: 'is not stored',
      extra: 'should not be there',
      different: `differs in ${fields.join(', ')}`,
    }[kind];
    lines.push(`  offset ${String(ledgerOffset)}, transaction ${transactionId}: ${what}\n`);
  }
  return lines.join('');
}

/** With the events in files, so that memory does not grow with the ledger. */
async function verified(data: LmdbData, onProgress: (done: number, total: number) => void): Promise<ReplayReport> {
  const reservoir = new TemporaryReservoir();
  const stop = (): never => {
    reservoir.remove();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await verifyReplay({ ...data, openReservoir: () => reservoir.open() }, onProgress);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    reservoir.remove();
  }
}
