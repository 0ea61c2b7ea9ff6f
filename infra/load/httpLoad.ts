import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedEvent } from '../../pipeline/simulate/simulate.ts';
import { requestBody } from '../../pipeline/simulate/simulationLines.ts';
import type { Verdict } from '../../schemas/types.ts';
import { GatewayClient } from './gatewayClient.ts';
import { LoadStats } from './loadStats.ts';
import type { LoadReport } from './loadStats.ts';

export interface HttpLoadOptions {
  /** E.g. http://127.0.0.1:8080. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /**
   * In order of time; `timeMs` is when each is to be sent, by the wall clock. What lies before the start of run() (a
   * simulation's warm-up) is sent at once, and not timed.
   */
  readonly events: Iterable<SimulatedEvent>;
  /** Stops the sending; what is in flight is still awaited. */
  readonly signal?: AbortSignal;
  /** Posts awaiting their answer, at most. When so many do, the next is sent late, and its latency shows it. */
  readonly maxInFlight?: number;
  readonly maxConnections?: number;
  readonly timeoutMs?: number;
  /** How often a payment without an answer, or answered 429 or 5xx, is posted again under its id. */
  readonly maxRetries?: number;
  /** Called for every payment that was sent in its time, with the last answer: `mode` is null where there was no verdict. */
  readonly onAnswer?: (answer: {
    readonly dueMs: number;
    readonly latencyMs: number;
    readonly mode: string | null;
  }) => void;
  /** Called for every payment that got a verdict. */
  readonly onVerdict?: (payment: AcknowledgedPayment) => void;
}

export interface AcknowledgedPayment {
  readonly transactionId: string;
  readonly verdict: Verdict;
  readonly status: 'new' | 'duplicate';
  /** From the intended send time to the verdict; null for what was due before the start. */
  readonly latencyMs: number | null;
  /** The simulated truth. */
  readonly campaign: string | null;
  readonly fraud: boolean;
}

const DEFAULT_MAX_IN_FLIGHT = 1_000;
const DEFAULT_MAX_CONNECTIONS = 64;
const DEFAULT_TIMEOUT_MS = 10_000;
const FIRST_RETRY_DELAY_MS = 100;
const MAX_RETRY_DELAY_MS = 2_000;
const PATHS = { transaction: '/v1/transactions', label: '/v1/labels', outcome: '/v1/outcomes' } as const;

/**
 * A gateway that does not wait: every payment is sent at its own time whether or not earlier ones were answered, and its
 * latency counts from that intended time (an open loop; a closed one would hide every stall).
 */
export class HttpLoad {
  readonly #options: HttpLoadOptions;
  readonly #client: GatewayClient;
  readonly #stats = new LoadStats();
  readonly #maxInFlight: number;
  #startMs = 0;
  /** Wakes the sender when an answer makes room. */
  #onRoom: (() => void) | undefined;

  constructor(options: HttpLoadOptions) {
    this.#options = options;
    this.#maxInFlight = options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT;
    // Every payment in flight may be waiting to be sent again, and so may the sender; Node would warn from the eleventh on.
    if (options.signal !== undefined) setMaxListeners(this.#maxInFlight + 1, options.signal);
    this.#client = new GatewayClient({
      baseUrl: options.baseUrl,
      apiKey: options.apiKey,
      maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
  }

  /** Sends until the events or the signal end, awaits every answer, and reports. */
  async run(): Promise<LoadReport> {
    const { events, signal } = this.#options;
    this.#startMs = wallClockMs();
    for (const event of events) {
      const waitMs = event.timeMs - wallClockMs();
      if (waitMs > 0 && !(await waits(waitMs, signal))) break;
      while (this.#stats.inFlight >= this.#maxInFlight) await this.#room();
      if (signal?.aborted === true) break;
      this.#stats.inFlight += 1;
      void this.#send(event).finally(() => {
        this.#stats.inFlight -= 1;
        this.#onRoom?.();
      });
    }
    while (this.#stats.inFlight > 0) await this.#room();
    this.#client.close();
    return this.#stats.report();
  }

  report(): LoadReport {
    return this.#stats.report();
  }

  takeRecent(): ReturnType<LoadStats['takeRecent']> {
    return this.#stats.takeRecent();
  }

  #isTimed(event: SimulatedEvent): boolean {
    return event.timeMs >= this.#startMs;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  async #send(event: SimulatedEvent): Promise<void> {
    const body = requestBody(event);
    if (event.kind !== 'transaction') {
      this.#stats.followUpsSent += 1;
      const { status } = await this.#client.post(PATHS[event.kind], body);
      if (status < 200 || status >= 300) this.#stats.followUpsFailed += 1;
      return;
    }
    this.#stats.sent += 1;
    if (this.#isTimed(event)) this.#stats.recordSendDelay(wallClockMs() - event.timeMs);
    for (let attempt = 0; ; attempt++) {
      const { status, body: answer } = await this.#client.post(PATHS.transaction, body);
      const mayRetry = status === 0 || status === 429 || status >= 500;
      if (mayRetry && attempt < (this.#options.maxRetries ?? 0)) {
        const delayMs = Math.min(MAX_RETRY_DELAY_MS, FIRST_RETRY_DELAY_MS * 2 ** attempt);
        if (await waits(delayMs, this.#options.signal)) {
          this.#stats.retries += 1;
          continue;
        }
      }
      this.#count(event, status, answer);
      return;
    }
  }

  #count(event: Extract<SimulatedEvent, { kind: 'transaction' }>, status: number, answer: string): void {
    const stats = this.#stats;
    const verdict = status === 200 ? parseVerdict(answer) : undefined;
    const latencyMs = this.#isTimed(event) ? wallClockMs() - event.timeMs : null;
    if (latencyMs !== null) this.#options.onAnswer?.({ dueMs: event.timeMs, latencyMs, mode: verdict?.mode ?? null });
    if (verdict === undefined) {
      if (status === 0) stats.unanswered += 1;
      else if (status === 429 || status >= 500) {
        stats.unavailable += 1;
        if (latencyMs !== null) stats.recordRefusal(latencyMs);
      } else stats.refused += 1;
      return;
    }
    stats.acknowledged += 1;
    stats.verdicts[verdict.verdict] += 1;
    stats.countMode(verdict.mode);
    if (verdict.status === 'duplicate') stats.duplicates += 1;
    if (latencyMs !== null) stats.recordLatency(latencyMs);
    const { transactionId } = event.event;
    const { campaign, fraud } = event;
    this.#options.onVerdict?.({
      transactionId,
      ...{ verdict: verdict.verdict, status: verdict.status, latencyMs, campaign, fraud },
    });
  }
}

/** Epoch milliseconds with their fraction, steady between calls. */
function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}

/** False when the signal came first. */
async function waits(delayMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch {
    return false;
  }
}

interface ParsedVerdict {
  readonly verdict: Verdict;
  readonly status: 'new' | 'duplicate';
  readonly mode: string;
}

function parseVerdict(json: string): ParsedVerdict | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('verdict' in value)) return undefined;
  const { verdict } = value;
  const status = 'status' in value && value.status === 'duplicate' ? 'duplicate' : 'new';
  const mode = 'mode' in value && typeof value.mode === 'string' ? value.mode : 'unknown';
  if (verdict === 'approve' || verdict === 'challenge' || verdict === 'review' || verdict === 'decline') {
    return { verdict, status, mode };
  }
  return undefined;
}
