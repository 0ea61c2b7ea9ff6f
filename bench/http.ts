import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadReport } from '../infra/load/loadStats.ts';
import { significant, type Measurement } from './benchmark.ts';
import { UsageWatch, type ProcessUsage } from './processUsage.ts';
import { withTemporaryFolder } from './sluiceProcess.ts';
import { prepareEvents, sendLoad } from './timedEvents.ts';
import { UpDeployment } from './upDeployment.ts';

export interface HttpBenchmarkOptions {
  readonly config: string;
  /** Payments a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Sent before, at the same rate, so that both sides run optimised code. */
  readonly warmUpSeconds: number;
}

const SECOND_MS = 1_000;
const MAX_CATCH_UP_SECONDS = 30;

/**
 * `sluice up` with embedded history as one process, an open-loop load source in this one: every payment is sent at its own
 * time, and its latency counts from there. Ends with a replay that must give every decision again.
 */
export async function benchmarkHttp(options: HttpBenchmarkOptions): Promise<Measurement> {
  return withTemporaryFolder(async (folder) => {
    const up = await UpDeployment.start(options.config, folder);
    try {
      const { baseUrl, apiKey } = up;
      const load = { baseUrl, apiKey };
      // Prepared before anything is measured: the simulator's CPU is neither the server's nor the load source's.
      const warmUpEvents = prepareEvents(options.rate, options.warmUpSeconds, 'w');
      const timedEvents = prepareEvents(options.rate, options.seconds, 't');
      const warmUp = await sendLoad({ ...load, events: warmUpEvents });
      const watch = new UsageWatch(up.pid);
      const before = watch.look();
      const loadCpu = process.cpuUsage();
      const startMs = performance.now();
      const report = await sendLoad({ ...load, events: timedEvents });
      const seconds = (performance.now() - startMs) / SECOND_MS;
      const after = watch.look();
      const { user, system } = process.cpuUsage(loadCpu);
      watch.stop();
      const lag = await historyLag(baseUrl, apiKey);
      const caughtUpSeconds = await historyCaughtUp(baseUrl, apiKey);
      const stopSeconds = await up.stop();
      const replayEqual = await up.verify(warmUp.acknowledged + report.acknowledged);
      return {
        fields: {
          ...latencyFields(report),
          ...cpuFields(before, after, seconds),
          load_source_cpu_percent: significant((100 * (user + system)) / 1e6 / seconds),
          history_lag_records: lag,
          history_caught_up_s:
            caughtUpSeconds === null ? `over-${MAX_CATCH_UP_SECONDS}` : significant(caughtUpSeconds, 2),
          stop_s: significant(stopSeconds, 2),
          replay_equal: replayEqual,
        },
        conditions:
          `${errorsOf(report)}open loop, ${options.rate}/s for ${options.seconds} s after ${options.warmUpSeconds} s of warm-up; latency from the intended ` +
          'send time; server, ClickHouse and load source share the machine',
      };
    } finally {
      up.kill();
    }
  });
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
