import type { Logger } from 'pino';
import { HistoryThread } from '../infra/clickhouse/historyThread.ts';
import type { HistorySettings } from '../infra/deployment/deploymentSettings.ts';
import type { DriftMetrics } from '../infra/clickhouse/driftWatch.ts';
import type { HistoryRows } from '../pipeline/backtest/historyFacts.ts';
import type { Telemetry } from '../pipeline/ports.ts';
import { HistoryReader } from './historyReader.ts';
import { openHistoryServer, type HistoryServer } from './historyServer.ts';

export interface RunningHistoryOptions {
  readonly settings: HistorySettings;
  /** Of the embedded server, instead of that in the settings. */
  readonly port: number | undefined;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly telemetry: Telemetry & DriftMetrics;
}

/** The ClickHouse server and the thread that writes the ledger into it. */
export class RunningHistory {
  readonly server: HistoryServer;
  readonly #thread: HistoryThread;
  readonly #reader: HistoryReader;

  private constructor(server: HistoryServer, thread: HistoryThread) {
    this.server = server;
    this.#thread = thread;
    const { url, username, password } = server;
    this.#reader = new HistoryReader({ url, username, password });
  }

  static async start(options: RunningHistoryOptions): Promise<RunningHistory> {
    const { settings, port, dataDir, logger, telemetry } = options;
    const chosen =
      port === undefined || settings.server.kind === 'url'
        ? settings
        : { ...settings, server: { kind: 'embedded' as const, port } };
    const server = await openHistoryServer(chosen, dataDir, logger);
    const thread = new HistoryThread({
      dataDir,
      url: server.url,
      username: server.username,
      password: server.password,
      batchRecords: settings.batchRecords,
      logger: logger.child({ part: 'history' }),
      telemetry,
    });
    return new RunningHistory(server, thread);
  }

  get lagRecords(): number {
    return this.#thread.state().lagRecords;
  }

  /** What asks the history for a backtest. */
  rows(signal: AbortSignal): HistoryRows {
    return this.#reader.backtestRows(signal);
  }

  /** Resolves when history holds every record before `endOffset`, or when the signal comes. */
  async reached(endOffset: number, signal: AbortSignal): Promise<void> {
    await this.#thread.reached(endOffset, signal);
  }

  async stop(): Promise<void> {
    await this.#thread.stop();
    await this.#reader.close();
    await this.server.stop();
  }
}
