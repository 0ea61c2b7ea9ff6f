import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { createApiKey } from '../infra/http/apiKeys.ts';
import { HttpLoad } from '../infra/load/httpLoad.ts';
import type { LoadReport } from '../infra/load/loadStats.ts';
import { liveSimulation } from '../pipeline/simulate/options.ts';
import { simulate, type SimulatedEvent } from '../pipeline/simulate/simulate.ts';
import { significant, type Measurement } from './benchmark.ts';
import { UsageWatch, type ProcessUsage } from './processUsage.ts';
import { runSluice, SluiceProcess, withTemporaryFolder } from './sluiceProcess.ts';

export interface HttpBenchmarkOptions {
  readonly config: string;
  /** Payments a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Sent before, at the same rate, so that both sides run optimised code. */
  readonly warmUpSeconds: number;
}

const SECOND_MS = 1_000;
const LEAD_MS = 500;
const MAX_CATCH_UP_SECONDS = 30;

/**
 * `sluice up` with embedded history as one process, an open-loop load source in this one: every payment is sent at its own
 * time, and its latency counts from there. Ends with a replay that must give every decision again.
 */
export async function benchmarkHttp(options: HttpBenchmarkOptions): Promise<Measurement> {
  return withTemporaryFolder(async (folder) => {
    const { key, sha256 } = createApiKey();
    const config = deploymentWithKey(options.config, join(folder, 'config'), sha256);
    const dataDir = join(folder, 'data');
    const sluice = new SluiceProcess([
      'up',
      '--config',
      config,
      '--data',
      dataDir,
      '--port',
      '0',
      '--history-port',
      '0',
    ]);
    try {
      const baseUrl = await sluice.untilLogged(readyUrl);
      const load = { baseUrl, apiKey: key };
      // Prepared before anything is measured: the simulator's CPU is neither the server's nor the load source's.
      const warmUpEvents = prepareEvents(options.rate, options.warmUpSeconds, 'w');
      const timedEvents = prepareEvents(options.rate, options.seconds, 't');
      const warmUp = await sendLoad({ ...load, events: warmUpEvents });
      const watch = new UsageWatch(sluice.pid);
      const before = watch.look();
      const loadCpu = process.cpuUsage();
      const startMs = performance.now();
      const report = await sendLoad({ ...load, events: timedEvents });
      const seconds = (performance.now() - startMs) / SECOND_MS;
      const after = watch.look();
      const { user, system } = process.cpuUsage(loadCpu);
      watch.stop();
      const lag = await historyLag(baseUrl, key);
      const caughtUpSeconds = await historyCaughtUp(baseUrl, key);
      const stopSeconds = await stop(sluice);
      const replay = replaySchema.parse(
        JSON.parse(await runSluice(['replay', '--verify', '--json', '--data', dataDir])),
      );
      const acknowledged = warmUp.acknowledged + report.acknowledged;
      if (replay.different > 0 || replay.equal < acknowledged) {
        throw new Error(`the replay differs: ${JSON.stringify(replay)}, acknowledged ${String(acknowledged)}`);
      }
      return {
        fields: {
          ...latencyFields(report),
          ...cpuFields(before, after, seconds),
          load_source_cpu_percent: significant((100 * (user + system)) / 1e6 / seconds),
          history_lag_records: lag,
          history_caught_up_s:
            caughtUpSeconds === null ? `over-${MAX_CATCH_UP_SECONDS}` : significant(caughtUpSeconds, 2),
          stop_s: significant(stopSeconds, 2),
          replay_equal: replay.equal,
        },
        conditions:
          `${errorsOf(report)}open loop, ${options.rate}/s for ${options.seconds} s after ${options.warmUpSeconds} s of warm-up; latency from the intended ` +
          'send time; server, ClickHouse and load source share the machine',
      };
    } finally {
      sluice.signal('SIGKILL');
    }
  });
}

const readySchema = z.object({ msg: z.literal('ready'), url: z.string() });

function readyUrl(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const parsed = readySchema.safeParse(JSON.parse(line));
  return parsed.success ? parsed.data.url : undefined;
}

const replaySchema = z.object({
  decisions: z.number(),
  equal: z.number(),
  different: z.number(),
  undecided: z.number(),
});

/** A copy of the deployment that lets the load source in. */
function deploymentWithKey(from: string, to: string, sha256: string): string {
  cpSync(from, to, { recursive: true });
  const file = join(to, 'sluice.yaml');
  const document = parseDocument(readFileSync(file, 'utf8'));
  document.set('apiKeys', [{ id: 'bench', sha256, role: 'operator' }]);
  writeFileSync(file, document.toString());
  return to;
}

interface Load {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly events: readonly SimulatedEvent[];
}

async function sendLoad({ baseUrl, apiKey, events }: Load): Promise<LoadReport> {
  const startMs = Date.now() + LEAD_MS;
  const shifted = events.map((event) => shift(event, startMs));
  await sleep(startMs - Date.now());
  return new HttpLoad({ baseUrl, apiKey, events: shifted }).run();
}

/** `label` tells the payments of one load from those of another. Simulated from REFERENCE_MS on, sent when they are wanted. */
function prepareEvents(rate: number, seconds: number, label: string): SimulatedEvent[] {
  const durationMs = seconds * SECOND_MS;
  const idPrefix = `${label}${Date.now().toString(36)}-`;
  const events: SimulatedEvent[] = [];
  const options = liveSimulation({ seed: 1, startTimeMs: REFERENCE_MS, durationMs, paymentsPerSecond: rate, idPrefix });
  for (const event of simulate(options)) {
    // What follows the last payment are labels, minutes later.
    if (event.timeMs >= REFERENCE_MS + durationMs) break;
    events.push(event);
  }
  return events;
}

const REFERENCE_MS = Date.UTC(2026, 5, 1, 4);

function shift(event: SimulatedEvent, startMs: number): SimulatedEvent {
  const byMs = startMs - REFERENCE_MS;
  const timeMs = event.timeMs + byMs;
  switch (event.kind) {
    case 'transaction':
      return { ...event, timeMs, event: { ...event.event, eventTimeMs: event.event.eventTimeMs + byMs } };
    case 'label':
      return { ...event, timeMs, event: { ...event.event, eventTimeMs: event.event.eventTimeMs + byMs } };
    case 'outcome':
      return { ...event, timeMs, event: { ...event.event, eventTimeMs: event.event.eventTimeMs + byMs } };
  }
}

function latencyFields(report: LoadReport): Measurement['fields'] {
  return {
    p50_ms: significant(report.p50Ms),
    p99_ms: significant(report.p99Ms),
    'p99.9_ms': significant(report.p999Ms),
    max_ms: significant(report.maxMs),
    send_delay_p99_ms: significant(report.sendDelayP99Ms),
    sent: report.sent,
    acknowledged: report.acknowledged,
    errors: report.refused + report.unavailable + report.unanswered + report.followUps.failed,
  };
}

/** Which errors they were, where there are any. */
function errorsOf({ refused, unavailable, unanswered, followUps }: LoadReport): string {
  const parts = { refused, unavailable, unanswered, followUpsFailed: followUps.failed };
  const found = Object.entries(parts).filter(([, times]) => times > 0);
  return found.length === 0 ? '' : `errors: ${found.map(([what, times]) => `${times} ${what}`).join(', ')}; `;
}

type Usages = ReturnType<UsageWatch['look']>;

/** Percent of one core. */
function cpuFields(before: Usages, after: Usages, seconds: number): Measurement['fields'] {
  const percent = (from: ProcessUsage | undefined, to: ProcessUsage | undefined): number | string =>
    to === undefined ? '-' : significant((100 * (to.cpuSeconds - (from?.cpuSeconds ?? 0))) / seconds);
  return {
    server_cpu_percent: percent(before.main, after.main),
    clickhouse_cpu_percent: percent(before.children, after.children),
  };
}

async function historyLag(baseUrl: string, key: string): Promise<number> {
  const response = await fetch(new URL('/metrics', baseUrl), { headers: { authorization: `Bearer ${key}` } });
  const lag = /^sluice_history_lag_records (\d+)/m.exec(await response.text())?.[1];
  if (lag === undefined)
    throw new Error(`/metrics does not tell sluice_history_lag_records (${String(response.status)})`);
  return Number(lag);
}

/** Seconds until history had nothing left to write; null when it took too long. Ticks go on, so nearly nothing is nothing. */
async function historyCaughtUp(baseUrl: string, key: string): Promise<number | null> {
  const startMs = performance.now();
  for (;;) {
    const seconds = (performance.now() - startMs) / SECOND_MS;
    if ((await historyLag(baseUrl, key)) <= ALMOST_NONE) return seconds;
    if (seconds > MAX_CATCH_UP_SECONDS) return null;
    await sleep(100);
  }
}

const ALMOST_NONE = 2;

/** Seconds that Ctrl-C takes. */
async function stop(sluice: SluiceProcess): Promise<number> {
  const startMs = performance.now();
  sluice.signal('SIGINT');
  const code = await sluice.exited;
  if (code !== 0) throw new Error(`sluice up ended with ${String(code)} after Ctrl-C: ${sluice.lastErrors}`);
  return (performance.now() - startMs) / SECOND_MS;
}
