import { build } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import type { Verdict } from '../../schemas/types.ts';

/**
 * What a load has done so far. Latencies are milliseconds from a payment's intended send time to its verdict, over the
 * payments that were due after the start.
 */
export interface LoadReport {
  /** Payments posted, each counted once however often it was retried. */
  readonly sent: number;
  /** Payments that got a verdict. */
  readonly acknowledged: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Their modes: the rungs of the degradation ladder. */
  readonly modes: Readonly<Record<string, number>>;
  /** Of those acknowledged: the ones whose verdict had been given before (a retry). */
  readonly duplicates: number;
  /** Payments answered 4xx: refused for good. */
  readonly refused: number;
  /** Payments given up for 429 or 5xx. */
  readonly unavailable: number;
  /** Payments given up without any answer. */
  readonly unanswered: number;
  readonly retries: number;
  /** Labels and outcomes posted, and those not accepted. */
  readonly followUps: { readonly sent: number; readonly failed: number };
  /** Posted and not yet answered. */
  readonly inFlight: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** From the intended send time of the payments given up for 429 or 5xx to that answer (p99). */
  readonly refusedP99Ms: number;
  /** How late payments were sent (p99): the load source's own share of the latency. */
  readonly sendDelayP99Ms: number;
}

const MICROSECONDS_PER_MS = 1_000;
const MAX_TRACKED_MICROSECONDS = 600_000_000;

/** Counts and timings of a load; HdrHistogram with three digits, so that no latency is averaged away. */
export class LoadStats {
  readonly verdicts: Record<Verdict, number> = { approve: 0, challenge: 0, review: 0, decline: 0 };
  sent = 0;
  acknowledged = 0;
  duplicates = 0;
  refused = 0;
  unavailable = 0;
  unanswered = 0;
  retries = 0;
  followUpsSent = 0;
  followUpsFailed = 0;
  inFlight = 0;
  readonly #modes = new Map<string, number>();
  readonly #latency = newHistogram();
  readonly #refusal = newHistogram();
  readonly #sendDelay = newHistogram();
  readonly #recent = newHistogram();

  recordLatency(latencyMs: number): void {
    record(this.#latency, latencyMs);
    record(this.#recent, latencyMs);
  }

  recordRefusal(latencyMs: number): void {
    record(this.#refusal, latencyMs);
  }

  countMode(mode: string): void {
    this.#modes.set(mode, (this.#modes.get(mode) ?? 0) + 1);
  }

  recordSendDelay(delayMs: number): void {
    record(this.#sendDelay, delayMs);
  }

  /** p50 and p99 of the payments answered since the last call: for a live display. */
  takeRecent(): { readonly answered: number; readonly p50Ms: number; readonly p99Ms: number } {
    const recent = {
      answered: this.#recent.totalCount,
      p50Ms: percentile(this.#recent, 50),
      p99Ms: percentile(this.#recent, 99),
    };
    this.#recent.reset();
    return recent;
  }

  report(): LoadReport {
    const { sent, acknowledged, duplicates, refused, unavailable, unanswered, retries, inFlight } = this;
    return {
      sent,
      acknowledged,
      verdicts: { ...this.verdicts },
      modes: Object.fromEntries(this.#modes),
      duplicates,
      refused,
      unavailable,
      unanswered,
      retries,
      followUps: { sent: this.followUpsSent, failed: this.followUpsFailed },
      inFlight,
      p50Ms: percentile(this.#latency, 50),
      p99Ms: percentile(this.#latency, 99),
      p999Ms: percentile(this.#latency, 99.9),
      maxMs: this.#latency.totalCount === 0 ? 0 : this.#latency.maxValue / MICROSECONDS_PER_MS,
      refusedP99Ms: percentile(this.#refusal, 99),
      sendDelayP99Ms: percentile(this.#sendDelay, 99),
    };
  }
}

function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_TRACKED_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
  });
}

function record(histogram: Histogram, valueMs: number): void {
  const microseconds = Math.round(valueMs * MICROSECONDS_PER_MS);
  histogram.recordValue(Math.min(MAX_TRACKED_MICROSECONDS, Math.max(1, microseconds)));
}

function percentile(histogram: Histogram, percent: number): number {
  return histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percent) / MICROSECONDS_PER_MS;
}
