import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Deployment } from '../infra/deployment/loadDeployment.ts';
import { loadCardKey } from '../infra/deployment/secretKey.ts';
import type { ApiKey } from '../infra/http/apiKeys.ts';
import { createHttpServer } from '../infra/http/httpServer.ts';
import { listenHttp } from '../infra/http/listenHttp.ts';
import { LiveFeed } from '../infra/http/liveFeed.ts';
import { BackfillThreads } from '../infra/backfill/backfillThread.ts';
import { openLmdb, type LmdbData } from '../infra/lmdb/openLmdb.ts';
import { LiveStatistics } from '../infra/metrics/liveStatistics.ts';
import { PrometheusTelemetry } from '../infra/metrics/prometheusTelemetry.ts';
import { ReservoirFolder } from '../infra/reservoir/reservoirFolder.ts';
import { ReservoirHealth } from '../infra/reservoir/reservoirHealth.ts';
import { SnapshotFolder } from '../infra/snapshots/snapshotFolder.ts';
import { SnapshotThread } from '../infra/snapshots/snapshotThread.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { ChainHeads } from './chainHeads.ts';
import { giveHeapRoom } from './heapGrowth.ts';
import { RunningHistory } from './runningHistory.ts';
import { version } from './version.ts';

export interface RunOptions {
  readonly deployment: Deployment;
  readonly dataDir: string;
  readonly logger: Logger;
  /** Keys beside those of sluice.yaml. */
  readonly apiKeys?: readonly ApiKey[];
  /** Null: no HTTP server (imports). Port overrides that of sluice.yaml. */
  readonly http: { readonly port?: number } | null;
  /** Imports live in their file's time: no ticks, and lag is by design. */
  readonly isLive: boolean;
  /** False: the ledger keeps everything, and the next run with history writes it. */
  readonly history: boolean;
  readonly historyPort?: number;
}

const GAUGE_INTERVAL_MS = 1_000;

/** Sluice on this machine: the ports joined to their adapters. */
export class RunningSluice {
  readonly pipeline: Pipeline;
  readonly data: LmdbData;
  readonly statistics: LiveStatistics;
  readonly telemetry: PrometheusTelemetry;
  readonly history: RunningHistory | null;
  readonly cardKey: Buffer;
  /** The gateway API's address; null without an HTTP server. */
  readonly url: string | null;
  readonly #http: FastifyInstance | null;
  readonly #snapshots: SnapshotThread | null;
  readonly #gauges: NodeJS.Timeout;
  readonly #chainHeads: ChainHeads;

  private constructor(parts: {
    readonly pipeline: Pipeline;
    readonly data: LmdbData;
    readonly statistics: LiveStatistics;
    readonly telemetry: PrometheusTelemetry;
    readonly history: RunningHistory | null;
    readonly snapshots: SnapshotThread | null;
    readonly cardKey: Buffer;
    readonly url: string | null;
    readonly http: FastifyInstance | null;
    readonly logger: Logger;
  }) {
    this.pipeline = parts.pipeline;
    this.data = parts.data;
    this.statistics = parts.statistics;
    this.telemetry = parts.telemetry;
    this.history = parts.history;
    this.cardKey = parts.cardKey;
    this.url = parts.url;
    this.#http = parts.http;
    this.#snapshots = parts.snapshots;
    this.#chainHeads = new ChainHeads(parts.data.decisions, parts.logger);
    this.#gauges = setInterval(() => {
      this.telemetry.gauge('waitingRequests', this.pipeline.waitingRequests);
    }, GAUGE_INTERVAL_MS);
  }

  /** Resolves when payments are taken: the engine has caught up with the ledger. */
  static async start(options: RunOptions): Promise<RunningSluice> {
    const { deployment, dataDir, logger, isLive } = options;
    giveHeapRoom();
    const started: (() => Promise<unknown>)[] = [];
    try {
      const data = openLmdb(dataDir);
      started.push(() => data.close());
      const cardKey = loadCardKey(process.env, dataDir);
      const clock = Date.now;
      const statistics = new LiveStatistics(clock);
      const telemetry = new PrometheusTelemetry({ liveStatistics: statistics });
      const health = new ReservoirHealth(telemetry, logger);
      const reservoirs = new ReservoirFolder(join(dataDir, 'reservoir'), { health });
      const { settings } = deployment;
      const { enabled, everyMs, records, keep } = settings.snapshots;
      let liveFeed: LiveFeed | null = null;
      let running: RunningHistory | null = null;
      const pipeline = new Pipeline(
        {
          ledger: data.ledger,
          decisions: data.decisions,
          models: data.models,
          openReservoir: () => reservoirs.open(),
          telemetry,
          clock,
          show: (decision) => liveFeed?.publish(decision),
          snapshots: enabled ? new SnapshotFolder(join(dataDir, 'snapshots'), { keep }) : null,
          logger,
          backfill: new BackfillThreads(dataDir, reservoirs),
          openHistory: (signal) => running?.rows(signal) ?? null,
        },
        {
          ingest: settings.ingest,
          maxBatch: settings.engine.maxBatch,
          overload: isLive ? settings.engine.overload : null,
          firingLimits: isLive ? settings.firingLimits : null,
          tickMs: isLive ? settings.engine.tickMs : null,
          cardKey,
          review: settings.review,
        },
      );
      started.push(() => pipeline.stop());
      const history = options.history
        ? await RunningHistory.start({
            settings: settings.history,
            port: options.historyPort,
            dataDir,
            logger,
            telemetry,
          })
        : null;
      running = history;
      if (history !== null) started.push(() => history.stop());
      let http: FastifyInstance | null = null;
      let url: string | null = null;
      if (options.http !== null) {
        const startedAtMs = clock();
        liveFeed = new LiveFeed({
          statistics,
          clock,
          status: () => {
            const readiness = pipeline.gateway.readiness();
            const posture = pipeline.gateway.posture();
            const { scorer, configuration, nextOffset } = pipeline.engine;
            return {
              ready: readiness.ready,
              waitingFor: readiness.ready ? null : readiness.reason,
              deployment: deployment.name,
              startedAtMs,
              ledgerEndOffset: data.ledger.endOffset(),
              engineLagRecords: data.ledger.endOffset() - nextOffset,
              historyLagRecords: history?.lagRecords ?? null,
              ruleSet: configuration?.definition.ruleSetVersion ?? null,
              model: scorer === null ? null : { id: scorer.metadata.id, version: scorer.metadata.version },
              riskLevel: posture.riskLevel,
              degradation: posture.degradation,
            };
          },
        });
        const httpSettings = { ...settings.http, port: options.http.port ?? settings.http.port };
        http = createHttpServer({
          gateway: pipeline.gateway,
          metrics: telemetry,
          liveFeed,
          settings: httpSettings,
          deadlineMs: settings.ingest.deadlineMs,
          apiKeys: [...settings.apiKeys, ...(options.apiKeys ?? [])],
          logger: logger.child({ part: 'http' }),
          version,
        });
        const server = http;
        started.push(() => server.close());
        url = await listenHttp(http, httpSettings);
      }
      await pipeline.start({ configuration: deployment.configuration, model: deployment.model });
      // An import is over soon, and wants both cores.
      const snapshots =
        enabled && isLive
          ? new SnapshotThread(
              {
                dataDir,
                keep,
                everyMs,
                records,
                ledgerEndOffset: () => data.ledger.endOffset(),
                clock,
                logger,
                telemetry,
              },
              pipeline.restoredOffset,
            )
          : null;
      return new RunningSluice({
        pipeline,
        data,
        statistics,
        telemetry,
        history,
        snapshots,
        cardKey,
        url,
        http,
        logger,
      });
    } catch (error) {
      for (const stop of started.reverse()) await stop().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Takes no more payments, answers those on their way, and closes everything. The threads for history and snapshots, which
   * only read, end meanwhile, so that the slowest sets the time: under 5 s.
   */
  async stop(): Promise<void> {
    clearInterval(this.#gauges);
    const threadsStopped = Promise.all([this.history?.stop(), this.#snapshots?.stop()]);
    await this.#http?.close();
    await this.pipeline.stop();
    this.#chainHeads.stop();
    await threadsStopped;
    await this.data.close();
  }
}
