import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadReport } from '../infra/load/loadStats.ts';
import { significant, type Measurement } from './benchmark.ts';
import { processUsage } from './processUsage.ts';
import { withTemporaryFolder } from './sluiceProcess.ts';
import { prepareEvents, sendLoad } from './timedEvents.ts';
import { UpDeployment } from './upDeployment.ts';

export interface OverloadBenchmarkOptions {
  readonly config: string;
  /** How long each step of the load lasts. */
  readonly seconds: number;
  /** Sent before, so that both sides run optimised code. */
  readonly warmUpSeconds: number;
}

const SECOND_MS = 1_000;
const MB = 1e6;
/** Of the measured capacity, in this order; after the last one the load falls to the first. */
const STEPS = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 2, 2.5, 3] as const;
/** Payments on their way while capacity is measured, under a deadline that refuses none of them. */
const CAPACITY_IN_FLIGHT = 64;
/** Of them, at least so many must get a verdict: a machine that is held up for a moment makes Sluice refuse a few. */
const MIN_CAPACITY_SHARE = 0.95;
const CAPACITY_DEADLINE = '10s';
const CAPACITY_PAYMENTS_PER_SECOND = 1_000;
const WARM_UP_RATE = 500;
/** What a payment may take, and how many may be refused, for a rate to count as carried. */
const IN_TIME_MS = 50;
const MAX_REFUSED_SHARE = 0.001;
/** Of the server's 1,000 connections, those of two steps together; the rest is room. */
const MAX_CONNECTIONS = 400;
const MAX_IN_FLIGHT = 4_000;

interface Step {
  readonly factor: number;
  readonly offeredPerSecond: number;
  readonly acceptedPerSecond: number;
  readonly refusedShare: number;
  readonly report: LoadReport;
  readonly serverCpuPercent: number;
  readonly sourceCpuPercent: number;
  readonly memoryMb: number;
}

/**
 * `sluice up` under more and more load, up to three times what it can do: an open-loop source in this process sends each payment
 * at its own time. Prints each step, then how fast all is well again once the load falls. Ends with a replay.
 */
export async function benchmarkOverload(
  options: OverloadBenchmarkOptions,
  print: (line: string) => void,
): Promise<Measurement> {
  return withTemporaryFolder(async (folder) => {
    const capacity = await measureCapacity(options, join(folder, 'capacity'));
    print(`overload: capacity_per_s=${significant(capacity)}`);
    const up = await UpDeployment.start(options.config, folder);
    try {
      const warmUp = await sendLoad({
        ...sourceOf(up),
        events: prepareEvents(WARM_UP_RATE, options.warmUpSeconds, 'w'),
      });
      const steps: Step[] = [];
      const events = (factor: number, name: string): ReturnType<typeof prepareEvents> =>
        prepareEvents(Math.round(capacity * factor), options.seconds, name);
      for (const [index, factor] of STEPS.slice(0, -1).entries()) {
        const step = await runStep(up, factor, events(factor, `s${index}`), options.seconds);
        steps.push(step);
        print(`overload: ${stepText(step)}`);
      }
      const [highest, after] = [STEPS.at(-1) ?? 1, STEPS[0]];
      const [peakEvents, afterEvents] = [events(highest, 'p'), events(after, 'a')];
      const fallsAtMs = Date.now() + (1 + options.seconds) * SECOND_MS;
      const recovery = new Recovery(fallsAtMs);
      const [peak, fallen] = await Promise.all([
        runStep(up, highest, peakEvents, options.seconds, fallsAtMs - options.seconds * SECOND_MS),
        sendLoad({
          ...sourceOf(up),
          events: afterEvents,
          startMs: fallsAtMs,
          onAnswer: (answer) => {
            recovery.note(answer);
          },
        }),
      ]);
      steps.push(peak);
      print(`overload: ${stepText(peak)}`);
      const memoryAfterMb = memoryOf(up);
      await up.stop();
      const told = steps.reduce((sum, { report }) => sum + report.acknowledged, 0);
      const equal = await up.verify(warmUp.acknowledged + told + fallen.acknowledged);
      return {
        fields: {
          capacity_per_s: significant(capacity),
          rate_p99_50ms: Math.round(carriedRate(steps)),
          ...peakFields(peak),
          ...recovery.fields(),
          memory_mb: steps.map(({ memoryMb }) => memoryMb).join('/'),
          memory_after_mb: memoryAfterMb,
          replay_equal: equal,
        },
        conditions:
          `open loop, ${options.seconds} s a step, latency from the intended send time; capacity: ${CAPACITY_IN_FLIGHT} payments on their way ` +
          'all the time; server, ClickHouse and load source share the machine; rate_p99_50ms: the highest step up to which p99 of all ' +
          `payments is within ${IN_TIME_MS} ms and at most 0.1% are refused; recovery: until the last payment after the fall that was ` +
          `refused, late or not decided in full; the curve: ${steps.map(stepText).join('; ')}`,
      };
    } finally {
      up.kill();
    }
  });
}

function sourceOf({ baseUrl, apiKey }: UpDeployment): {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly maxConnections: number;
  readonly maxInFlight: number;
} {
  return { baseUrl, apiKey, maxConnections: MAX_CONNECTIONS, maxInFlight: MAX_IN_FLIGHT };
}

/** Decisions a second with so many payments always on their way, by a server of its own. */
async function measureCapacity(options: OverloadBenchmarkOptions, folder: string): Promise<number> {
  mkdirSync(folder);
  const up = await UpDeployment.start(options.config, folder, CAPACITY_DEADLINE);
  try {
    const send = async (seconds: number, name: string): Promise<number> => {
      const events = prepareEvents(CAPACITY_PAYMENTS_PER_SECOND, seconds, name);
      // All of them due already: each is sent as soon as another is answered.
      const due = { events, startMs: Date.now() - (seconds + 1) * SECOND_MS, maxInFlight: CAPACITY_IN_FLIGHT };
      const startMs = performance.now();
      const { acknowledged, sent } = await sendLoad({ ...sourceOf(up), ...due });
      if (acknowledged < MIN_CAPACITY_SHARE * sent)
        throw new Error(`${sent - acknowledged} of ${sent} payments got no verdict while capacity was measured`);
      return (SECOND_MS * acknowledged) / (performance.now() - startMs);
    };
    await send(options.warmUpSeconds, 'w');
    return await send(options.seconds, 'c');
  } finally {
    up.kill();
  }
}

async function runStep(
  up: UpDeployment,
  factor: number,
  events: ReturnType<typeof prepareEvents>,
  seconds: number,
  startMs?: number,
): Promise<Step> {
  const cpuSeconds = (): number => processUsage(up.pid)?.cpuSeconds ?? NaN;
  const [serverBefore, sourceBefore] = [cpuSeconds(), process.cpuUsage()];
  const report = await sendLoad({ ...sourceOf(up), events, ...(startMs === undefined ? {} : { startMs }) });
  const source = process.cpuUsage(sourceBefore);
  return {
    factor,
    offeredPerSecond: report.sent / seconds,
    acceptedPerSecond: report.acknowledged / seconds,
    refusedShare: (report.sent - report.acknowledged) / report.sent,
    report,
    serverCpuPercent: Math.round((100 * (cpuSeconds() - serverBefore)) / seconds),
    sourceCpuPercent: Math.round((100 * (source.user + source.system)) / 1e6 / seconds),
    memoryMb: memoryOf(up),
  };
}

/** Of its own, not of LMDB's mapped files. */
function memoryOf({ pid }: UpDeployment): number {
  return Math.round((processUsage(pid)?.anonymousBytes ?? NaN) / MB);
}

function carriedRate(steps: readonly Step[]): number {
  let rate = 0;
  for (const { report, refusedShare, offeredPerSecond } of steps) {
    if (report.p99Ms > IN_TIME_MS || refusedShare > MAX_REFUSED_SHARE) break;
    rate = offeredPerSecond;
  }
  return rate;
}

function peakFields({
  factor,
  offeredPerSecond,
  acceptedPerSecond,
  refusedShare,
  report,
}: Step): Measurement['fields'] {
  return {
    peak: `${factor}x`,
    offered_per_s: Math.round(offeredPerSecond),
    accepted_per_s: Math.round(acceptedPerSecond),
    p50_ms: significant(report.p50Ms),
    p99_ms: significant(report.p99Ms),
    'p99.9_ms': significant(report.p999Ms),
    refused_percent: significant(100 * refusedShare),
    refused_p99_ms: significant(report.refusedP99Ms),
    modes: modesText(report),
    unanswered: report.unanswered,
  };
}

function stepText(step: Step): string {
  const { factor, report, serverCpuPercent, sourceCpuPercent, memoryMb } = step;
  return (
    `${factor}x offered ${Math.round(step.offeredPerSecond)}/s accepted ${Math.round(step.acceptedPerSecond)}/s ` +
    `p50/p99/p99.9 ${significant(report.p50Ms)}/${significant(report.p99Ms)}/${significant(report.p999Ms)} ms ` +
    `refused ${significant(100 * step.refusedShare)}% with p99 ${significant(report.refusedP99Ms)} ms, ${modesText(report)}, ` +
    `${report.unanswered} unanswered, CPU server ${serverCpuPercent}% source ${sourceCpuPercent}% (p99 sent ` +
    `${significant(report.sendDelayP99Ms)} ms late), ${memoryMb} MB`
  );
}

/** Percent of the verdicts: `full:100`. */
function modesText({ modes, acknowledged }: LoadReport): string {
  return Object.entries(modes)
    .map(([mode, times]) => `${mode}:${significant((100 * times) / acknowledged)}`)
    .join('+');
}

/** When all was well again: seconds from the load's fall to the last payment that was not as it should be. */
class Recovery {
  readonly #fallsAtMs: number;
  #inTimeMs = 0;
  #inFullMs = 0;

  constructor(fallsAtMs: number) {
    this.#fallsAtMs = fallsAtMs;
  }

  note({
    dueMs,
    latencyMs,
    mode,
  }: {
    readonly dueMs: number;
    readonly latencyMs: number;
    readonly mode: string | null;
  }): void {
    const sinceMs = dueMs - this.#fallsAtMs;
    if (mode !== 'full') this.#inFullMs = Math.max(this.#inFullMs, sinceMs);
    if (mode === null || latencyMs > IN_TIME_MS) this.#inTimeMs = Math.max(this.#inTimeMs, sinceMs);
  }

  fields(): Measurement['fields'] {
    return {
      recovery_s: significant(this.#inTimeMs / SECOND_MS),
      full_again_s: significant(this.#inFullMs / SECOND_MS),
    };
  }
}
