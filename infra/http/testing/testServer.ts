import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { LiveStatistics } from '../../metrics/liveStatistics.ts';
import { PrometheusTelemetry } from '../../metrics/prometheusTelemetry.ts';
import { createApiKey, type Role } from '../apiKeys.ts';
import { createHttpServer } from '../httpServer.ts';
import { DEFAULT_HTTP_SETTINGS, type HttpSettings } from '../httpSettings.ts';
import { listenHttp } from '../listenHttp.ts';
import { LiveFeed, type LiveStatus } from '../liveFeed.ts';
import { FakeGateway } from './fakeGateway.ts';

export interface TestServer {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly gateway: FakeGateway;
  readonly liveFeed: LiveFeed;
  readonly telemetry: PrometheusTelemetry;
  readonly statistics: LiveStatistics;
  readonly status: { current: LiveStatus };
  readonly keys: Readonly<Record<Role, string>>;
  readonly logLines: string[];
  call(path: string, options?: CallOptions): Promise<TestReply>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly method?: string;
  /** Default operator; null: no key. */
  readonly as?: Role | null;
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** A whole HTTP server on a free port of this machine, over a gateway in memory. */
export async function startTestServer(
  settings: Partial<HttpSettings> = {},
  live: {
    readonly clock?: () => number;
    readonly intervalMs?: number;
    readonly maxSubscribers?: number;
    readonly deadlineMs?: number;
  } = {},
): Promise<TestServer> {
  const gateway = new FakeGateway();
  const clock = live.clock ?? Date.now;
  const statistics = new LiveStatistics(clock);
  const telemetry = new PrometheusTelemetry({ liveStatistics: statistics, processMetrics: false });
  const status = { current: TEST_STATUS };
  const liveFeed = new LiveFeed({ statistics, clock, status: () => status.current, intervalMs: 100, ...live });
  const created = {
    gateway: createApiKey(),
    analyst: createApiKey(),
    alerting: createApiKey(),
    operator: createApiKey(),
  };
  const logLines: string[] = [];
  const allSettings = { ...DEFAULT_HTTP_SETTINGS, port: 0, ...settings };
  const app = createHttpServer({
    gateway,
    metrics: telemetry,
    liveFeed,
    settings: allSettings,
    deadlineMs: live.deadlineMs ?? 100,
    apiKeys: [
      { id: 'shop', role: 'gateway', sha256: created.gateway.sha256 },
      { id: 'ana', role: 'analyst', sha256: created.analyst.sha256 },
      { id: 'alerts', role: 'alerting', sha256: created.alerting.sha256 },
      { id: 'op', role: 'operator', sha256: created.operator.sha256 },
    ],
    logger: pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) }),
    version: '0.0.0-test',
  });
  const url = await listenHttp(app, allSettings);
  const keys = {
    gateway: created.gateway.key,
    analyst: created.analyst.key,
    alerting: created.alerting.key,
    operator: created.operator.key,
  };
  return {
    app,
    url,
    gateway,
    liveFeed,
    telemetry,
    statistics,
    status,
    keys,
    logLines,
    call: (path, options = {}) => call(url + path, keys, options),
    close: async () => {
      await app.close();
    },
  };
}

export const TEST_STATUS: LiveStatus = {
  ready: true,
  waitingFor: null,
  deployment: 'test',
  startedAtMs: 1_767_225_600_000,
  ledgerEndOffset: 0,
  engineLagRecords: 0,
  historyLagRecords: 0,
  ruleSet: '2026-11.1',
  model: { id: 'default', version: '1' },
  riskLevel: 'normal',
  degradation: 'full',
};

async function call(url: string, keys: TestServer['keys'], options: CallOptions): Promise<TestReply> {
  const role = options.as === undefined ? 'operator' : options.as;
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const response = await fetch(url, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(role === null ? {} : { authorization: `Bearer ${keys[role]}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}
