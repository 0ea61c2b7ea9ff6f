import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { Command } from 'commander';
import { runImport, type ImportProgress } from '../pipeline/import/importRun.ts';
import { dataFolder, requireDeployment } from './deployment.ts';
import { HistoryReader } from './historyReader.ts';
import { ImportFile } from './importFile.ts';
import { createLogger } from './logger.ts';
import { portOption } from './options.ts';
import { ProgressLine } from './progressLine.ts';
import { RunningSluice } from './runningSluice.ts';
import { UserError } from './userError.ts';

export function importCommand(): Command {
  return new Command('import')
    .description('Run a file of past payments through the whole pipeline, as fast as it goes.')
    .argument('<file>', '.csv or .csv.gz (read by mapping.yaml), or .ndjson or .ndjson.gz (of sluice simulate)')
    .requiredOption('--config <folder>', 'the deployment, e.g. config/handbook')
    .option('--data <folder>', 'where ledger, decisions and history are kept (default: data/ and its name)')
    .addOption(portOption('--history-port <port>', 'of the embedded ClickHouse, instead of that in sluice.yaml'))
    .option('--json', 'the report as JSON')
    .addHelpText('after', '\nInterrupted (Ctrl-C, or worse), it goes on where it stopped when it is run again.')
    .action(async (file: string, options: ImportCommandOptions) => {
      const totalBytes = statSync(file).size;
      const deployment = await requireDeployment(options.config);
      const importFile = new ImportFile(file, deployment.mapping);
      const dataDir = dataFolder(deployment, options.data);
      const progressLine = new ProgressLine(options.json !== true);
      const startMs = performance.now();
      const sluice = await RunningSluice.start({
        deployment,
        dataDir,
        logger: createLogger('warn'),
        http: null,
        isLive: false,
        ...(options.historyPort === undefined ? {} : { historyPort: options.historyPort }),
      });
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort());
      process.once('SIGTERM', () => interrupted.abort());
      const show = (progress: ImportProgress): void => {
        const seconds = (performance.now() - startMs) / 1000;
        const rate = Math.round((progress.payments + progress.labels) / seconds);
        progressLine.show(
          `${progress.payments.toLocaleString('en')} payments, ${progress.labels.toLocaleString('en')} labels, ` +
            `${rate.toLocaleString('en')}/s`,
          importFile.bytesRead / totalBytes,
        );
      };
      const running = runImport(importFile.events(), {
        services: {
          ledger: sluice.data.ledger,
          decisions: sluice.data.decisions,
          clock: Date.now,
          telemetry: sluice.telemetry,
          cardKey: sluice.cardKey,
        },
        source: `import:${basename(file)}`,
        engineOffset: () => sluice.pipeline.engine.nextOffset,
        signal: interrupted.signal,
        onProgress: show,
      });
      const progress = await Promise.race([running, sluice.pipeline.failed]);
      const end = sluice.data.ledger.endOffset();
      if (!interrupted.signal.aborted) {
        const waiting = setInterval(() => {
          progressLine.show(`history: ${sluice.history.state().lagRecords.toLocaleString('en')} records behind`);
        }, 200);
        await Promise.race([sluice.history.reached(end, interrupted.signal), sluice.pipeline.failed]);
        clearInterval(waiting);
      }
      progressLine.clear();
      if (interrupted.signal.aborted) {
        await sluice.stop();
        throw new UserError(
          `Interrupted after ${progress.payments.toLocaleString('en')} payments. The same command goes on from there.`,
          130,
        );
      }
      const seconds = (performance.now() - startMs) / 1000;
      const report = await importReport(sluice, progress, seconds);
      await sluice.stop();
      process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : reportText(report));
    });
}

interface ImportCommandOptions {
  readonly config: string;
  readonly data?: string;
  readonly historyPort?: number;
  readonly json?: boolean;
}

interface ImportReport extends ImportProgress {
  readonly seconds: number;
  readonly paymentsPerSecond: number;
  /** Counted in ClickHouse. */
  readonly history: { readonly transactions: number; readonly decisions: number; readonly labels: number };
  readonly verdicts: Readonly<Record<string, number>>;
  /** `flagged`: any verdict but approve. A payment without a fraud label counts as genuine. */
  readonly flagged: Quality;
  readonly declined: Quality;
}

interface Quality {
  readonly payments: number;
  readonly frauds: number;
  readonly precision: number | null;
  readonly recall: number | null;
  /** Genuine payments among them, as a share of all genuine payments. */
  readonly falsePositiveRate: number | null;
}

async function importReport(sluice: RunningSluice, progress: ImportProgress, seconds: number): Promise<ImportReport> {
  const reader = new HistoryReader(sluice.historyServer);
  const number = async (query: string): Promise<number> => Number((await reader.rows(query))[0]?.['value'] ?? 0);
  const frauds = `(SELECT transaction_offset FROM sluice.latest_labels WHERE label = 'fraud')`;
  const quality = async (condition: string): Promise<Quality> => {
    const [row] = await reader.rows(
      `SELECT countIf(${condition}) AS payments, countIf(${condition} AND ledger_offset IN ${frauds}) AS frauds,
         countIf(ledger_offset IN ${frauds}) AS all_frauds, count() AS everything FROM sluice.decisions`,
    );
    const found = Number(row?.['frauds'] ?? 0);
    const payments = Number(row?.['payments'] ?? 0);
    const allFrauds = Number(row?.['all_frauds'] ?? 0);
    const genuine = Number(row?.['everything'] ?? 0) - allFrauds;
    return {
      payments,
      frauds: found,
      precision: payments === 0 ? null : found / payments,
      recall: allFrauds === 0 ? null : found / allFrauds,
      falsePositiveRate: genuine === 0 ? null : (payments - found) / genuine,
    };
  };
  const verdicts = await reader.rows(
    'SELECT verdict, count() AS value FROM sluice.decisions GROUP BY verdict ORDER BY verdict',
  );
  const report = {
    ...progress,
    seconds,
    paymentsPerSecond: progress.payments / seconds,
    history: {
      transactions: await number('SELECT count() AS value FROM sluice.transactions'),
      decisions: await number('SELECT count() AS value FROM sluice.decisions'),
      labels: await number('SELECT count() AS value FROM sluice.labels'),
    },
    verdicts: Object.fromEntries(verdicts.map((row) => [String(row['verdict']), Number(row['value'])])),
    flagged: await quality("verdict != 'approve'"),
    declined: await quality("verdict = 'decline'"),
  };
  await reader.close();
  return report;
}

function reportText(report: ImportReport): string {
  const count = (value: number): string => value.toLocaleString('en');
  const percent = (value: number | null, digits = 1): string =>
    value === null ? '-' : `${(100 * value).toFixed(digits)}%`;
  const quality = (name: string, { payments, precision, recall, falsePositiveRate }: Quality): string =>
    `${name.padEnd(12)}${count(payments)} payments, precision ${percent(precision)}, recall ${percent(recall)}, ` +
    `false positives ${percent(falsePositiveRate, 2)}\n`;
  return (
    `Payments    ${count(report.payments)}, labels ${count(report.labels)}, refused ${count(report.deadLetters)}\n` +
    `Time        ${report.seconds.toFixed(1)} s, ${count(Math.round(report.paymentsPerSecond))} payments/s end to end\n` +
    `History     ${count(report.history.transactions)} transactions, ${count(report.history.decisions)} decisions, ` +
    `${count(report.history.labels)} labels in ClickHouse\n` +
    `Verdicts    ${Object.entries(report.verdicts)
      .map(([verdict, value]) => `${verdict} ${count(value)}`)
      .join(', ')}\n` +
    quality('Flagged', report.flagged) +
    quality('Declined', report.declined)
  );
}
