import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { createApiKey } from '../infra/http/apiKeys.ts';
import { HttpLoad } from '../infra/load/httpLoad.ts';
import { demoSimulation, type SimulationOptions } from '../pipeline/simulate/options.ts';
import type { Verdict } from '../schemas/types.ts';
import { dataFolder, requireDeployment } from './deployment.ts';
import { createLogger } from './logger.ts';
import { noHistoryOption, numberOption, portOption } from './options.ts';
import type { RunningHistory } from './runningHistory.ts';
import { RunningSluice } from './runningSluice.ts';
import { untilStopped } from './untilStopped.ts';
import { eventsFromStart, warmUp } from './warmUp.ts';

const HOUR_MS = 3_600_000;
const STATUS_INTERVAL_MS = 1_000;
const STATUS_WINDOW_SECONDS = 5;
/** The time to pass over the simulated days before the start, so that the first payments do not come all at once. */
const SKIPPING_MS = 3_000;

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Run Sluice with a simulated gateway: realistic payments with fraud campaigns, over HTTP, until Ctrl-C.',
    )
    .option('--config <folder>', 'the deployment', 'config/default')
    .option('--data <folder>', 'where ledger, decisions and history are kept (default: data/ and its name)')
    .addOption(portOption('--port <port>', 'of the gateway API and the console, instead of that in sluice.yaml'))
    .addOption(portOption('--history-port <port>', 'of the embedded ClickHouse, instead of that in sluice.yaml'))
    .addOption(noHistoryOption())
    .addOption(numberOption('--rate <n>', 'payments a second', 1, 5_000).default(100))
    .addOption(numberOption('--seed <n>', 'of the simulation', 0, 2 ** 31).default(1))
    .addOption(numberOption('--seconds <n>', 'stop by itself after so long', 1, 1_000_000))
    .action(async (options: DemoOptions) => {
      const deployment = await requireDeployment(options.config);
      const dataDir = dataFolder(deployment, options.data);
      const { key, sha256 } = createApiKey();
      say(`Starting Sluice with ${options.config}; its data is in ${dataDir}.`);
      const logger = createLogger('warn');
      const simulationFrom = (startTimeMs: number): SimulationOptions =>
        demoSimulation({ seed: options.seed, startTimeMs, paymentsPerSecond: options.rate });
      if (!existsSync(join(dataDir, 'ledger'))) {
        const startMs = performance.now();
        const { payments, missingMs } = await warmUp({ deployment, dataDir, logger }, simulationFrom(Date.now()));
        const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
        const rest =
          missingMs === 0
            ? 'six days'
            : `six days but the last ${Math.ceil(missingMs / HOUR_MS)} hours, for which this machine is too busy`;
        say(
          `Gave the simulated customers a history: ${payments.toLocaleString('en')} payments of ${rest}, in ${seconds} s.`,
        );
      }
      const sluice = await RunningSluice.start({
        deployment,
        dataDir,
        logger,
        apiKeys: [{ id: 'demo', sha256, role: 'operator' }],
        http: options.port === undefined ? {} : { port: options.port },
        isLive: true,
        history: options.history,
        ...(options.historyPort === undefined ? {} : { historyPort: options.historyPort }),
      });
      const url = sluice.url ?? '';
      say(banner(url, key, sluice.history, dataDir));
      const stopping = new AbortController();
      const load = new HttpLoad({
        baseUrl: url,
        apiKey: key,
        signal: stopping.signal,
        events: eventsFromStart(simulationFrom(Date.now() + SKIPPING_MS)),
        // As a gateway would, when the disk of a busy machine made the ledger miss the deadline.
        maxRetries: 3,
      });
      const loading = load.run();
      const status = setInterval(() => {
        showStatus(statusLine(sluice));
      }, STATUS_INTERVAL_MS);
      const timeUp = new AbortController();
      if (options.seconds !== undefined) setTimeout(() => timeUp.abort(), options.seconds * 1_000);
      await untilStopped(sluice.pipeline.failed, timeUp.signal);
      clearInterval(status);
      say('\nStopping.');
      stopping.abort();
      await loading;
      await sluice.stop();
      const { sent, acknowledged } = load.report();
      say(
        `${sent.toLocaleString('en')} payments sent, ${acknowledged.toLocaleString('en')} verdicts received. Start again to go on.`,
      );
    });
}

interface DemoOptions {
  readonly config: string;
  readonly data?: string;
  readonly port?: number;
  readonly historyPort?: number;
  readonly history: boolean;
  readonly rate: number;
  readonly seed: number;
  readonly seconds?: number;
}

function banner(url: string, key: string, history: RunningHistory | null, dataDir: string): string {
  return [
    '',
    `Console   ${url}/#key=${key}`,
    `API       ${url}/docs`,
    `API key   ${key}`,
    `History   ${historyText(history, dataDir)}`,
    '',
    'A simulated gateway is sending payments. Ctrl-C stops.',
    '',
  ].join('\n');
}

function historyText(history: RunningHistory | null, dataDir: string): string {
  if (history === null) return 'none (--no-history)';
  const { analyst, url } = history.server;
  if (analyst === null) return url;
  const { username, password } = analyst;
  return `${url}  user ${username}, password ${password} (also in ${join(dataDir, 'analyst.password')})`;
}

const VERDICTS: readonly Verdict[] = ['approve', 'challenge', 'review', 'decline'];

function statusLine(sluice: RunningSluice): string {
  const window = sluice.statistics.window(STATUS_WINDOW_SECONDS);
  const total = VERDICTS.reduce((sum, verdict) => sum + window.verdicts[verdict], 0);
  const shares = VERDICTS.map((verdict) => {
    const share = total === 0 ? 0 : (100 * window.verdicts[verdict]) / total;
    return `${verdict} ${share.toFixed(1)}%`;
  });
  const lag = sluice.history === null ? '' : ` | history ${sluice.history.lagRecords.toLocaleString('en')} behind`;
  return (
    `${window.decisionsPerSecond.toFixed(0).padStart(5)} payments/s | ${shares.join('  ')} | ` +
    `p50 ${(window.latencyP50Ms ?? 0).toFixed(1)} ms  p99 ${(window.latencyP99Ms ?? 0).toFixed(1)} ms${lag}`
  );
}

/** Over and over on one line of a terminal; elsewhere a line each time. */
function showStatus(line: string): void {
  process.stdout.write(process.stdout.isTTY ? `\r\u001b[2K${line}` : `${line}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
