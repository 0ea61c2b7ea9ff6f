import { Command } from 'commander';
import { dataFolder, requireDeployment } from './deployment.ts';
import { createLogger } from './logger.ts';
import { noHistoryOption, portOption } from './options.ts';
import { RunningSluice } from './runningSluice.ts';
import { untilStopped } from './untilStopped.ts';

export function upCommand(): Command {
  return new Command('up')
    .description('Run Sluice: gateway API, engine, history and console, until Ctrl-C.')
    .option('--config <folder>', 'the deployment', 'config/default')
    .option('--data <folder>', 'where ledger, decisions and history are kept (default: data/ and its name)')
    .addOption(portOption('--port <port>', 'of the gateway API and the console, instead of that in sluice.yaml'))
    .addOption(portOption('--history-port <port>', 'of the embedded ClickHouse, instead of that in sluice.yaml'))
    .addOption(noHistoryOption())
    .action(async (options: UpOptions) => {
      const logger = createLogger();
      const deployment = await requireDeployment(options.config);
      if (deployment.settings.http.requireKeys && deployment.settings.apiKeys.length === 0) {
        logger.warn('no API keys in sluice.yaml: every request will be refused; make one with: sluice key NAME');
      }
      const dataDir = dataFolder(deployment, options.data);
      const sluice = await RunningSluice.start({
        deployment,
        dataDir,
        logger,
        http: options.port === undefined ? {} : { port: options.port },
        isLive: true,
        history: options.history,
        ...(options.historyPort === undefined ? {} : { historyPort: options.historyPort }),
      });
      const { url, history } = sluice;
      // Whoever reads that it is ready may stop it at once.
      const stopped = untilStopped(sluice.pipeline.failed);
      logger.info({ url, history: history?.server.url ?? null, data: dataDir, deployment: deployment.name }, 'ready');
      await stopped;
      logger.info('stopping');
      await sluice.stop();
      logger.info('stopped');
    });
}

interface UpOptions {
  readonly config: string;
  readonly data?: string;
  readonly port?: number;
  readonly historyPort?: number;
  readonly history: boolean;
}
