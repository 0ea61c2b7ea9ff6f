import { build, type Histogram } from 'hdr-histogram-js';
import type { Clock } from '../../pipeline/ports.ts';
import type { Verdict } from '../../schemas/types.ts';

/** One finished second. Latencies are milliseconds, null when nothing was decided in it. */
export interface SecondStatistics {
  /** Epoch milliseconds at which the second began. */
  readonly startMs: number;
  readonly approve: number;
  readonly challenge: number;
  readonly review: number;
  readonly decline: number;
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
}

/** The last finished seconds taken together. */
export interface WindowStatistics {
  readonly seconds: number;
  readonly decisionsPerSecond: number;
  readonly decisions: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly latencyP999Ms: number | null;
}

interface Bucket {
  second: number;
  approve: number;
  challenge: number;
  review: number;
  decline: number;
  readonly latency: Histogram;
}

/** Latencies are kept in microseconds up to a minute, at two digits: about 9 KB a second kept. */
const MAX_LATENCY_US = 60_000_000;
/** How far back a window may reach. */
const KEPT_SECONDS = 61;
/** How far back single seconds are remembered, for a chart. */
const REMEMBERED_SECONDS = 300;

/**
 * Verdicts and latencies by second, for the console and the live status line; Prometheus is for everything longer.
 * record() takes under a microsecond and allocates nothing.
 */
export class LiveStatistics {
  readonly #clock: Clock;
  readonly #buckets: Bucket[];
  readonly #scratch: Histogram;
  readonly #finished: SecondStatistics[] = [];
  readonly #startSecond: number;
  #current: Bucket;
  #total = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#buckets = Array.from({ length: KEPT_SECONDS }, emptyBucket);
    this.#scratch = emptyHistogram();
    this.#startSecond = Math.floor(clock() / 1000);
    this.#current = this.#openBucket(this.#startSecond);
  }

  /** Decisions since the start. */
  get total(): number {
    return this.#total;
  }

  /** `latencyMs`: from the acceptance of the payment to its durable decision. */
  record(verdict: Verdict, latencyMs: number): void {
    this.#advance();
    const bucket = this.#current;
    bucket[verdict]++;
    bucket.latency.recordValue(Math.min(MAX_LATENCY_US, Math.max(0, Math.round(latencyMs * 1000))));
    this.#total++;
  }

  /** Finished seconds that began after `afterMs`, oldest first, silent ones included; at most the last five minutes. */
  seconds(afterMs: number): readonly SecondStatistics[] {
    this.#advance();
    return this.#finished.filter((second) => second.startMs > afterMs);
  }

  /** The last `seconds` finished seconds (1 to 60), or as many as there have been since the start. */
  window(seconds: number): WindowStatistics {
    this.#advance();
    const wanted = Math.min(KEPT_SECONDS - 1, Math.max(1, Math.floor(seconds)));
    const toSecond = this.#current.second;
    const fromSecond = Math.max(toSecond - wanted, this.#startSecond);
    const verdicts = { approve: 0, challenge: 0, review: 0, decline: 0 };
    this.#scratch.reset();
    for (const bucket of this.#buckets) {
      if (bucket.second < fromSecond || bucket.second >= toSecond) continue;
      verdicts.approve += bucket.approve;
      verdicts.challenge += bucket.challenge;
      verdicts.review += bucket.review;
      verdicts.decline += bucket.decline;
      this.#scratch.add(bucket.latency);
    }
    const decisions = verdicts.approve + verdicts.challenge + verdicts.review + verdicts.decline;
    const covered = toSecond - fromSecond;
    return {
      seconds: covered,
      decisionsPerSecond: covered === 0 ? 0 : decisions / covered,
      decisions,
      verdicts,
      latencyP50Ms: percentileMs(this.#scratch, 50),
      latencyP99Ms: percentileMs(this.#scratch, 99),
      latencyP999Ms: percentileMs(this.#scratch, 99.9),
    };
  }

  #advance(): void {
    const second = Math.floor(this.#clock() / 1000);
    // A clock set back must not reopen a second that is already shown as finished.
    if (second <= this.#current.second) return;
    const firstMissing = Math.max(this.#current.second + 1, second - REMEMBERED_SECONDS);
    this.#remember(finish(this.#current));
    for (let silent = firstMissing; silent < second; silent++) this.#remember(silentSecond(silent));
    this.#current = this.#openBucket(second);
  }

  #remember(second: SecondStatistics): void {
    this.#finished.push(second);
    if (this.#finished.length > REMEMBERED_SECONDS) this.#finished.shift();
  }

  #openBucket(second: number): Bucket {
    const bucket = this.#buckets[second % KEPT_SECONDS];
    if (bucket === undefined) throw new Error('SLUICE_INVARIANT: a clock before 1970');
    bucket.second = second;
    bucket.approve = 0;
    bucket.challenge = 0;
    bucket.review = 0;
    bucket.decline = 0;
    bucket.latency.reset();
    return bucket;
  }
}

function emptyBucket(): Bucket {
  return { second: -1, approve: 0, challenge: 0, review: 0, decline: 0, latency: emptyHistogram() };
}

function emptyHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_LATENCY_US,
    numberOfSignificantValueDigits: 2,
    bitBucketSize: 32,
    autoResize: false,
    useWebAssembly: false,
  });
}

function percentileMs(latency: Histogram, percentile: number): number | null {
  return latency.totalCount === 0 ? null : latency.getValueAtPercentile(percentile) / 1000;
}

function finish(bucket: Bucket): SecondStatistics {
  return {
    startMs: bucket.second * 1000,
    approve: bucket.approve,
    challenge: bucket.challenge,
    review: bucket.review,
    decline: bucket.decline,
    latencyP50Ms: percentileMs(bucket.latency, 50),
    latencyP99Ms: percentileMs(bucket.latency, 99),
  };
}

function silentSecond(second: number): SecondStatistics {
  return {
    startMs: second * 1000,
    approve: 0,
    challenge: 0,
    review: 0,
    decline: 0,
    latencyP50Ms: null,
    latencyP99Ms: null,
  };
}
