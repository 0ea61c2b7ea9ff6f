import { Command } from 'commander';
import { runImport, type ImportProgress } from '../pipeline/import/importRun.ts';
import { dataFolder, requireDeployment } from './deployment.ts';
import { ImportFile } from './importFile.ts';
import { importReport, reportText } from './importReport.ts';
import { createLogger } from './logger.ts';
import { noHistoryOption, portOption } from './options.ts';
import { ProgressLine } from './progressLine.ts';
import { RunningSluice } from './runningSluice.ts';
import { UserError } from './userError.ts';
import { sizeOfUserFile } from './userFile.ts';

export function importCommand(): Command {
  return new Command('import')
    .description('Run a file of past payments through the whole pipeline, as fast as it goes.')
    .argument('<file>', '.csv or .csv.gz (read by mapping.yaml), or .ndjson or .ndjson.gz (of sluice simulate)')
    .requiredOption('--config <folder>', 'the deployment, e.g. config/handbook')
    .option('--data <folder>', 'where ledger, decisions and history are kept (default: data/ and its name)')
    .addOption(portOption('--history-port <port>', 'of the embedded ClickHouse, instead of that in sluice.yaml'))
    .addOption(noHistoryOption())
    .option('--json', 'the report as JSON')
    .addHelpText('after', '\nInterrupted (Ctrl-C, or worse), it goes on where it stopped when it is run again.')
    .action(async (file: string, options: ImportCommandOptions) => {
      const totalBytes = sizeOfUserFile(file);
      const deployment = await requireDeployment(options.config);
      const importFile = new ImportFile(file, deployment.mapping);
      const source = await importFile.source();
      const dataDir = dataFolder(deployment, options.data);
      const progressLine = new ProgressLine(options.json !== true);
      const startMs = performance.now();
      const sluice = await RunningSluice.start({
        deployment,
        dataDir,
        logger: createLogger('warn'),
        http: null,
        isLive: false,
        history: options.history,
        ...(options.historyPort === undefined ? {} : { historyPort: options.historyPort }),
      });
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort());
      process.once('SIGTERM', () => interrupted.abort());
      const show = (progress: ImportProgress): void => {
        const seconds = (performance.now() - startMs) / 1000;
        const rate = Math.round((progress.payments - progress.resumedPayments) / seconds);
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
        source,
        engineOffset: () => sluice.pipeline.engine.nextOffset,
        signal: interrupted.signal,
        onProgress: show,
      });
      const progress = await Promise.race([running, sluice.pipeline.failed]);
      const end = sluice.data.ledger.endOffset();
      const { history } = sluice;
      // What the engine has not taken by the stop would only be decided at the next start.
      await sluice.pipeline.caughtUp(interrupted.signal);
      if (history !== null && !interrupted.signal.aborted) {
        const waiting = setInterval(() => {
          progressLine.show(`history: ${history.lagRecords.toLocaleString('en')} records behind`);
        }, 200);
        await Promise.race([history.reached(end, interrupted.signal), sluice.pipeline.failed]);
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
      const report = await importReport(history, progress, seconds);
      await sluice.stop();
      process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : reportText(report));
    });
}

interface ImportCommandOptions {
  readonly config: string;
  readonly data?: string;
  readonly historyPort?: number;
  readonly history: boolean;
  readonly json?: boolean;
}
