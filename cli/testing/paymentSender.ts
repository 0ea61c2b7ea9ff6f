import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../../infra/load/gatewayClient.ts';
import { liveSimulation } from '../../pipeline/simulate/options.ts';
import { simulate } from '../../pipeline/simulate/simulate.ts';
import { requestBody } from '../../pipeline/simulate/simulationLines.ts';

/** A verdict as its gateway was told it. */
export interface Acknowledged {
  readonly verdict: string;
  readonly mode: string;
  readonly score: number;
  readonly status: string;
}

export interface PaymentSenderOptions {
  readonly apiKey: string;
  /** Asked for every attempt, since a restarted server has another address. */
  readonly url: () => string;
  readonly paymentsPerSecond: number;
  readonly seed: number;
}

const RETRY_MS = 50;
const TIMEOUT_MS = 3_000;

/**
 * Gateways that do as the documentation says: every payment is sent again under its id until it has a verdict. Now and then
 * one that has its verdict is sent once more, as a gateway does whose own write was lost.
 */
export class PaymentSender {
  /** The first verdict on each payment. */
  readonly acknowledged = new Map<string, Acknowledged>();
  /** Payments whose later answer was not the first one: must stay empty. */
  readonly contradicted: string[] = [];
  readonly #options: PaymentSenderOptions;
  readonly #inFlight = new Set<Promise<void>>();
  #isSending = true;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: PaymentSenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sending = this.#send();
  }

  /** Sends no new payments; resolves when all have their verdict. */
  async finish(): Promise<void> {
    this.#isSending = false;
    await this.#sending;
    await Promise.all(this.#inFlight);
  }

  /** Sends no new payments and gives up on those without a verdict. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    await this.finish();
  }

  #isAbandoned = false;

  async #send(): Promise<void> {
    const { seed, paymentsPerSecond } = this.#options;
    const startTimeMs = Date.now();
    const startMs = performance.now();
    let sent = 0;
    for (const event of simulate(liveSimulation({ seed, startTimeMs, paymentsPerSecond }))) {
      if (event.kind !== 'transaction') continue;
      if (!this.#isSending) return;
      const dueMs = startMs + (sent * 1_000) / paymentsPerSecond;
      await sleep(Math.max(0, dueMs - performance.now()));
      sent += 1;
      const delivery = this.#deliver(event.event.transactionId, requestBody(event), sent % 10 === 0 ? 2 : 1);
      this.#inFlight.add(delivery);
      void delivery.finally(() => this.#inFlight.delete(delivery));
    }
  }

  async #deliver(transactionId: string, body: string, times: number): Promise<void> {
    for (let delivered = 0; delivered < times;) {
      if (this.#isAbandoned) return;
      const reply = await this.#post(body);
      if (reply.status === 200) {
        delivered += 1;
        this.#acknowledge(transactionId, reply.body);
      } else if (reply.status >= 400 && reply.status < 500 && reply.status !== 429) {
        throw new Error(`a simulated payment was refused: ${reply.body}`);
      } else {
        await sleep(RETRY_MS);
      }
    }
  }

  async #post(body: string): Promise<{ readonly status: number; readonly body: string }> {
    const { url, apiKey } = this.#options;
    const client = new GatewayClient({ baseUrl: url(), apiKey, maxConnections: 1, timeoutMs: TIMEOUT_MS });
    try {
      return await client.post('/v1/transactions', body);
    } finally {
      client.close();
    }
  }

  #acknowledge(transactionId: string, json: string): void {
    const reply = verdictOf(json);
    const first = this.acknowledged.get(transactionId);
    if (first === undefined) this.acknowledged.set(transactionId, reply);
    else if (first.verdict !== reply.verdict || first.mode !== reply.mode || reply.status !== 'duplicate') {
      this.contradicted.push(`${transactionId}: ${JSON.stringify(first)}, then ${JSON.stringify(reply)}`);
    }
  }
}

function verdictOf(json: string): Acknowledged {
  const value: unknown = JSON.parse(json);
  const text = (name: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : '');
  return {
    verdict: String(text('verdict')),
    mode: String(text('mode')),
    score: Number(text('score')),
    status: String(text('status')),
  };
}
