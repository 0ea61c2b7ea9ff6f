import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange } from './testing/exchange.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer({ maxBodyBytes: 2000, maxBatchBytes: 20_000, maxBatch: 3, maxInFlight: 3 });
});
afterEach(async () => {
  await server.close();
});

const payment = { transactionId: 't-1', amountMinor: 100 };

async function metrics(): Promise<string> {
  return (await server.telemetry.exposition()).text;
}

describe('bounds', () => {
  it('refuses a 10 MB body by its announced length, before reading it, and counts it', async () => {
    const body = new Uint8Array(10 * 1024 * 1024).fill(32);
    const reply = await server.call('/v1/transactions', { body });
    expect([reply.status, reply.json]).toMatchObject([413, { error: { code: 'SLUICE_HTTP_BODY_TOO_LARGE' } }]);
    expect(await metrics()).toContain('sluice_http_requests_total{route="POST /v1/transactions",status="413"} 1');
    expect(server.gateway.received).toEqual([]);
  });

  it('refuses a body without announced length as soon as it passes the bound', async () => {
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
    const received = await exchange(
      server.url,
      `POST /v1/transactions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.keys.gateway}\r\n` +
        `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
    );
    expect(received).toMatch(/^HTTP\/1.1 413 /);
    expect(received).toContain('SLUICE_HTTP_BODY_TOO_LARGE');
  });

  it('says 413 in place of 100 Continue', async () => {
    const received = await exchange(
      server.url,
      `POST /v1/transactions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.keys.gateway}\r\n` +
        'content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n',
    );
    expect(received).toMatch(/^HTTP\/1.1 413 /);
  });

  it('answers 429 with Retry-After above maxInFlight, and takes payments again afterwards', async () => {
    let open = (): void => undefined;
    server.gateway.gate = new Promise((resolve) => (open = resolve));
    const waiting = ['a', 'b', 'c'].map((transactionId) =>
      server.call('/v1/transactions', { json: { transactionId } }),
    );
    await expect.poll(() => server.gateway.received.length).toBe(3);
    const refused = await server.call('/v1/transactions', { json: payment });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    open();
    expect((await Promise.all(waiting)).map((reply) => reply.status)).toEqual([200, 200, 200]);
    expect((await server.call('/v1/transactions', { json: payment })).status).toBe(200);
  });

  it('answers 503 with Retry-After when payments would wait too long, and goes on taking what people send', async () => {
    await server.close();
    // So short a deadline that any wait is too long.
    server = await startTestServer({}, { deadlineMs: 0.001 });
    let open = (): void => undefined;
    server.gateway.gate = new Promise((resolve) => (open = resolve));
    const waiting = Array.from({ length: 8 }, (_, id) =>
      server.call('/v1/transactions', { json: { transactionId: `w-${id}` } }),
    );
    await expect.poll(() => server.gateway.received.length).toBe(8);
    for (const path of ['/v1/transactions', '/v1/transactions:batch', '/v1/outcomes']) {
      const refused = await server.call(path, { json: payment });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
      expect(refused.json).toMatchObject({ error: { code: 'SLUICE_OVERLOADED', field: null } });
    }
    expect((await server.call('/v1/labels', { json: payment })).status).not.toBe(503);
    open();
    expect((await Promise.all(waiting)).map((reply) => reply.status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect((await server.call('/v1/transactions', { json: payment })).status).toBe(200);
    expect(await metrics()).toContain('sluice_http_requests_total{route="POST /v1/outcomes",status="503"} 1');
  });

  it('does not let bodies in flight add up beyond their bound, also when clients go away', async () => {
    await server.close();
    server = await startTestServer({ maxBodyBytesInFlight: 1000 });
    const { hostname, port } = new URL(server.url);
    const slow = connect(Number(port), hostname);
    slow.write(
      `POST /v1/labels HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.keys.gateway}\r\n` +
        'content-type: application/json\r\ncontent-length: 990\r\n\r\n',
    );
    await expect.poll(async () => (await server.call('/v1/transactions', { json: payment })).status).toBe(429);
    slow.destroy();
    await expect.poll(async () => (await server.call('/v1/transactions', { json: payment })).status).toBe(200);
  });

  it('cuts off a client that does not finish its request', async () => {
    await server.close();
    server = await startTestServer({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const received = await exchange(server.url, 'POST /v1/transactions HTTP/1.1\r\nhost: x\r\n');
    expect(received).toMatch(/^HTTP\/1.1 408 /);
    expect(received).toContain('SLUICE_HTTP_TIMEOUT');
  });

  it('answers bytes that are no HTTP, and headers too large, in the same form', async () => {
    expect(await exchange(server.url, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [^]*SLUICE_HTTP_REQUEST/);
    const large = `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
    expect(await exchange(server.url, large)).toMatch(/^HTTP\/1.1 431 [^]*SLUICE_HTTP_HEADERS/);
    expect(await metrics()).toContain('sluice_http_client_errors_total{code="SLUICE_HTTP_HEADERS"} 1');
  });

  it('answers a broken percent-encoding and an unknown route', async () => {
    const broken = await server.call('/v1/verdicts/%E0%A4%A');
    expect([broken.status, broken.json]).toMatchObject([400, { error: { code: 'SLUICE_HTTP_REQUEST' } }]);
    const unknown = await server.call('/v1/secrets/4111111111111111', { json: {} });
    expect([unknown.status, unknown.json]).toMatchObject([404, { error: { code: 'SLUICE_HTTP_ROUTE' } }]);
  });
});
