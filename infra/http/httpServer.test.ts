import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPLY_SCHEMAS } from './replySchemas.ts';
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

describe('keys', () => {
  it('asks for one, under either header, and compares whole keys', async () => {
    const none = await server.call('/v1/lists', { as: null });
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    const header = await server.call('/v1/lists', { as: null, headers: { 'x-api-key': server.keys.analyst } });
    expect(header.status).toBe(200);
    for (const key of [server.keys.analyst.slice(0, -1), `${server.keys.analyst}x`, '', 'x'.repeat(300)]) {
      const wrong = await server.call('/v1/lists', { as: null, headers: { authorization: `Bearer ${key}` } });
      expect(wrong.status).toBe(401);
    }
    expect(server.logLines.join('')).not.toContain('sk_');
  });

  it('lets each role do its own and no more', async () => {
    const routes: readonly [string, string][] = [
      ['POST', '/v1/transactions'],
      ['GET', '/v1/verdicts/x'],
      ['POST', '/v1/outcomes'],
      ['POST', '/v1/labels'],
      ['GET', '/v1/lists'],
      ['DELETE', '/v1/lists/blocked-cards/x'],
      ['GET', '/v1/posture'],
      ['PUT', '/v1/posture'],
    ];
    const allowed: Record<string, string[]> = {};
    for (const role of ['gateway', 'analyst', 'operator'] as const) {
      allowed[role] = [];
      for (const [method, path] of routes) {
        const { status } = await server.call(path, { method, as: role });
        if (status !== 403) allowed[role].push(`${method} ${path}`);
      }
    }
    expect(allowed).toEqual({
      gateway: ['POST /v1/transactions', 'GET /v1/verdicts/x', 'POST /v1/outcomes', 'POST /v1/labels'],
      analyst: ['POST /v1/labels', 'GET /v1/lists', 'DELETE /v1/lists/blocked-cards/x', 'GET /v1/posture'],
      operator: routes.map((route) => route.join(' ')),
    });
  });

  it('refuses an unknown key without reading a large body', async () => {
    const received = await exchange(
      server.url,
      `POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n{`,
    );
    expect(received).toMatch(/^HTTP\/1.1 401 /);
  });

  it('can be switched off', async () => {
    await server.close();
    server = await startTestServer({ requireKeys: false });
    await server.call('/v1/transactions', { json: payment, as: null });
    expect(server.gateway.received[0]?.sender.source).toBe('anonymous');
  });
});

describe('operation', () => {
  it('says whether it lives and whether it can decide', async () => {
    expect((await server.call('/healthz', { as: null })).json).toEqual({ status: 'ok' });
    const posture = { riskLevel: 'normal', degradation: 'full' };
    expect((await server.call('/readyz', { as: null })).json).toEqual({ status: 'ready', ...posture });
    server.gateway.warning = 'the disk is full';
    const warned = await server.call('/readyz', { as: null });
    expect([warned.status, warned.json]).toEqual([200, { status: 'ready', ...posture, warning: 'the disk is full' }]);
    server.gateway.isReady = false;
    const waiting = await server.call('/readyz', { as: null });
    expect([waiting.status, REPLY_SCHEMAS.Error.parse(waiting.json).error.code]).toEqual([503, 'SLUICE_NOT_READY']);
  });

  it('counts requests by route pattern, so that no id gets into metrics or log', async () => {
    await server.call('/v1/verdicts/4111111111111111');
    await server.call('/v1/lists/blocked-cards/4111111111111111');
    await server.call('/nowhere/4111111111111111');
    const page = await server.call('/metrics', { as: null });
    expect(page.text).toContain('sluice_http_requests_total{route="GET /v1/verdicts/{transactionId}",status="404"} 1');
    expect(page.text).toContain('route="unmatched",status="404"');
    expect(page.text + server.logLines.join('')).not.toContain('4111');
  });

  it('answers an unexpected error without a word of its own, and logs it under the request id', async () => {
    server.gateway.failure = new Error('cannot read 4111111111111111');
    const reply = await server.call('/v1/transactions', { json: payment });
    expect([reply.status, REPLY_SCHEMAS.Error.parse(reply.json).error.code]).toEqual([500, 'SLUICE_INTERNAL']);
    expect(reply.text).not.toMatch(/4111| at /);
    const log = server.logLines.join('');
    expect(log).toContain(reply.headers.get('x-request-id'));
    expect(log).toContain('httpServer.test.ts');
    expect(log).not.toContain('4111');
  });

  it('says in one line that a port is busy', async () => {
    const port = Number(new URL(server.url).port);
    const fault: unknown = await startTestServer({ port }).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'SLUICE_PORT_BUSY' });
    expect(String(fault)).toMatch(new RegExp(`port ${port} on 127.0.0.1 is in use[^\\n]*$`));
  });

  it('finishes what it has begun when it stops', async () => {
    let open = (): void => undefined;
    server.gateway.gate = new Promise((resolve) => (open = resolve));
    const waiting = server.call('/v1/transactions', { json: payment });
    await expect.poll(() => server.gateway.received.length).toBe(1);
    const closed = server.close();
    open();
    expect((await waiting).status).toBe(200);
    await closed;
  });

  it('does not wait for ever: neither for a connection that asks nothing nor for an answer that does not come', async () => {
    await server.close();
    server = await startTestServer({ closeTimeoutMs: 50 });
    server.gateway.gate = new Promise(() => undefined);
    const silent = exchange(server.url, '');
    const waiting = server.call('/v1/transactions', { json: payment }).catch(() => 'cut off');
    await expect.poll(() => server.gateway.received.length).toBe(1);
    await server.close();
    expect(await waiting).toBe('cut off');
    expect(await silent).toBe('');
  });
});
