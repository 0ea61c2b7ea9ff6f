import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { liveSimulation } from '../../pipeline/simulate/options.ts';
import { simulate } from '../../pipeline/simulate/simulate.ts';
import type { SimulatedEvent } from '../../pipeline/simulate/simulate.ts';
import { HttpLoad } from './httpLoad.ts';
import type { AcknowledgedPayment } from './httpLoad.ts';

const APPROVED = '{"verdict":"approve","status":"new"}';
let server: Server | undefined;

async function listen(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<string> {
  const started = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      answer(request, body, response);
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const address = started.address();
  if (address === null || typeof address === 'string') throw new Error('the test server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** The first payments of a simulation that starts in the past, so that all are due. */
function dueEvents(paymentsPerSecond: number, durationMs: number, startTimeMs = Date.now() - 60_000): SimulatedEvent[] {
  return [...simulate(liveSimulation({ seed: 7, startTimeMs, durationMs, paymentsPerSecond }))].filter(
    ({ timeMs }) => timeMs < startTimeMs + durationMs,
  );
}

describe('HttpLoad', () => {
  afterEach(async () => {
    const started = server;
    server = undefined;
    if (started !== undefined) {
      started.closeAllConnections();
      await new Promise((resolve) => started.close(resolve));
    }
  });

  it('posts every payment, label and outcome once, with the key, and counts the verdicts', async () => {
    const seen: string[] = [];
    const baseUrl = await listen((request, body, response) => {
      seen.push(`${request.url ?? ''} ${request.headers.authorization ?? ''} ${body}`);
      const verdict = body.includes('"type":"transfer"') ? 'review' : 'approve';
      response.end(request.url === '/v1/transactions' ? `{"verdict":"${verdict}","status":"new"}` : '{}');
    });
    const events = dueEvents(50, 4_000);
    const payments = events.filter(({ kind }) => kind === 'transaction');
    const acknowledged: AcknowledgedPayment[] = [];
    const load = new HttpLoad({ baseUrl, apiKey: 'k', events, onVerdict: (payment) => acknowledged.push(payment) });
    const report = await load.run();
    const transfers = seen.filter((line) => line.includes('"type":"transfer"')).length;
    expect(report).toMatchObject({ sent: payments.length, acknowledged: payments.length, inFlight: 0, unanswered: 0 });
    expect(report.verdicts).toEqual({
      approve: payments.length - transfers,
      challenge: 0,
      review: transfers,
      decline: 0,
    });
    expect(report.followUps).toEqual({ sent: events.length - payments.length, failed: 0 });
    expect(seen.every((line) => line.includes(' Bearer k '))).toBe(true);
    expect(seen.length).toBe(events.length);
    expect(new Set(acknowledged.map(({ transactionId }) => transactionId)).size).toBe(payments.length);
  });

  it('measures from the intended time, so that a stall shows in every payment it held up', async () => {
    const heldMs = 400;
    let answers = 0;
    const baseUrl = await listen((_request, _body, response) => {
      answers += 1;
      setTimeout(() => response.end(APPROVED), answers === 1 ? heldMs : 0);
    });
    const payments = dueEvents(50, 1_000).filter(({ kind }) => kind === 'transaction');
    const startTimeMs = Date.now() + 500;
    // All due within 200 ms of the start, but only one may be on its way at a time.
    const events = payments.slice(0, 20).map((event, order) => ({ ...event, timeMs: startTimeMs + order * 10 }));
    const report = await new HttpLoad({ baseUrl, apiKey: 'k', events, maxInFlight: 1 }).run();
    expect(report.acknowledged).toBe(20);
    // The last one was due at most 200 ms after the first, and waited for it.
    expect(report.p50Ms).toBeGreaterThan(heldMs - 200 - 10);
  });

  it('sends what was due before the start at once, without timing it', async () => {
    const baseUrl = await listen((_request, _body, response) => response.end(APPROVED));
    const latencies: (number | null)[] = [];
    const onVerdict = ({ latencyMs }: AcknowledgedPayment): unknown => latencies.push(latencyMs);
    const report = await new HttpLoad({ baseUrl, apiKey: 'k', events: dueEvents(50, 1_000), onVerdict }).run();
    expect(report.acknowledged).toBe(latencies.length);
    expect(new Set(latencies)).toEqual(new Set([null]));
    expect(report.maxMs).toBe(0);
  });

  it('never has more in flight than allowed, and ends when told to', async () => {
    let open = 0;
    let most = 0;
    const baseUrl = await listen((_request, _body, response) => {
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        response.end(APPROVED);
      });
    });
    const events = dueEvents(200, 3_000);
    const report = await new HttpLoad({ baseUrl, apiKey: 'k', events, maxInFlight: 5 }).run();
    expect(report.sent).toBeGreaterThan(400);
    expect(most).toBeLessThanOrEqual(5);

    const stop = new AbortController();
    const endless = simulate(liveSimulation({ seed: 7, startTimeMs: Date.now() - 1_000, paymentsPerSecond: 100 }));
    const onVerdict = (): void => {
      stop.abort();
    };
    const stopped = await new HttpLoad({ baseUrl, apiKey: 'k', events: endless, signal: stop.signal, onVerdict }).run();
    expect(stopped.acknowledged).toBe(stopped.sent);
  });

  it('tells refusals, overload and silence apart, and retries under the same id', async () => {
    const attempts = new Map<string, number>();
    const baseUrl = await listen((request, body, response) => {
      const attempt = (attempts.get(body) ?? 0) + 1;
      attempts.set(body, attempt);
      const number = [...attempts.keys()].indexOf(body) % 4;
      if (number === 0) response.writeHead(400).end('{}');
      else if (number === 1) response.writeHead(503).end('{}');
      else if (number === 2) request.socket.destroy();
      else if (attempt === 1) response.writeHead(429).end('{}');
      else response.end('{"verdict":"decline","status":"duplicate"}');
    });
    const events = dueEvents(50, 4_000)
      .filter(({ kind }) => kind === 'transaction')
      .slice(0, 40);
    const report = await new HttpLoad({ baseUrl, apiKey: 'k', events, maxRetries: 1 }).run();
    expect(report).toMatchObject({ refused: 10, unavailable: 10, unanswered: 10, acknowledged: 10, duplicates: 10 });
    expect(report.retries).toBe(30);
    expect(report.verdicts.decline).toBe(10);
  });
});
