import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPLY_SCHEMAS } from './replySchemas.ts';
import { listenHttp } from './listenHttp.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer({ maxBodyBytes: 2000, maxBatchBytes: 20_000, maxBatch: 3, maxInFlight: 3 });
});
afterEach(async () => {
  await server.close();
});

const payment = { transactionId: 't-1', amountMinor: 100 };

/** Sends raw bytes and resolves to everything received until the server closes. */
function exchange(url: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('close', () => {
      resolve(received);
    });
    socket.on('error', (error) => {
      if (received === '') reject(error);
    });
  });
}

async function metrics(): Promise<string> {
  return (await server.telemetry.exposition()).text;
}

describe('POST /v1/transactions', () => {
  it('hands the very bytes to the gateway, with the key id as source, and answers the verdict', async () => {
    const body = '{"transactionId":"t-1",  "amountMinor":100}';
    const reply = await server.call('/v1/transactions', { body, as: 'gateway' });
    expect(reply.status).toBe(200);
    expect(REPLY_SCHEMAS.Verdict.parse(reply.json)).toMatchObject({ transactionId: 't-1', status: 'new' });
    expect(server.gateway.received).toEqual([
      {
        input: { format: 'jsonText', bytes: Buffer.from(body) },
        sender: { source: 'shop', contentType: 'application/json' },
      },
    ]);
  });

  it('takes Avro', async () => {
    const headers = { 'content-type': 'avro/binary' };
    const reply = await server.call('/v1/transactions', { body: new Uint8Array([0xc3, 1, 2]), headers });
    expect(reply.status).toBe(200);
    expect(server.gateway.received[0]?.input).toEqual({ format: 'avro', bytes: Buffer.from([0xc3, 1, 2]) });
  });

  it('answers a retry with the earlier verdict, and other content under the same id with 409', async () => {
    await server.call('/v1/transactions', { json: payment });
    const retry = await server.call('/v1/transactions', { json: payment });
    expect([retry.status, retry.json]).toEqual([200, expect.objectContaining({ status: 'duplicate' })]);
    const conflict = await server.call('/v1/transactions', { json: { ...payment, amountMinor: 101 } });
    expect(conflict.status).toBe(409);
    expect(REPLY_SCHEMAS.Error.parse(conflict.json).error.code).toBe('SLUICE_TRANSACTION_CONFLICT');
  });

  it('answers 400 with the field at fault, also for no JSON and for an empty body', async () => {
    for (const body of ['{"amountMinor":1}', '{"transactionId":', '\u0000', '']) {
      const reply = await server.call('/v1/transactions', { body });
      expect([body, reply.status]).toEqual([body, 400]);
      expect(REPLY_SCHEMAS.Error.parse(reply.json).error.field).toBe('transactionId');
    }
    expect(server.gateway.received).toHaveLength(4);
  });

  it('answers 503 with Retry-After when the ledger cannot take it', async () => {
    server.gateway.nextAnswer = {
      kind: 'unavailable',
      refusal: { code: 'SLUICE_LEDGER_FULL', field: null, message: 'the disk is full' },
      retryAfterSeconds: 5,
    };
    const reply = await server.call('/v1/transactions', { json: payment });
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '5']);
  });

  it('refuses other content types and compressed bodies with 415', async () => {
    const types = [{ 'content-type': 'text/plain' }, { 'content-type': 'nonsense' }, { 'content-encoding': 'gzip' }];
    for (const headers of types) {
      const reply = await server.call('/v1/transactions', { body: '{}', headers });
      expect([reply.status, reply.json]).toEqual([
        415,
        { error: expect.objectContaining({ code: 'SLUICE_HTTP_CONTENT_TYPE' }) },
      ]);
    }
    const withoutBody = await server.call('/v1/transactions', { method: 'POST' });
    expect(withoutBody.status).toBe(415);
    expect(server.gateway.received).toEqual([]);
  });
});

describe('bounds', () => {
  it('refuses a 10 MB body by its announced length, before reading it, and counts it', async () => {
    const body = new Uint8Array(10 * 1024 * 1024).fill(32);
    const reply = await server.call('/v1/transactions', { body });
    expect([reply.status, reply.json]).toEqual([
      413,
      { error: expect.objectContaining({ code: 'SLUICE_HTTP_BODY_TOO_LARGE' }) },
    ]);
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
    expect([broken.status, broken.json]).toEqual([
      400,
      { error: expect.objectContaining({ code: 'SLUICE_HTTP_REQUEST' }) },
    ]);
    const unknown = await server.call('/v1/secrets/4111111111111111', { json: {} });
    expect([unknown.status, unknown.json]).toEqual([
      404,
      { error: expect.objectContaining({ code: 'SLUICE_HTTP_ROUTE' }) },
    ]);
  });
});

describe('POST /v1/transactions:batch', () => {
  it('answers in order, each payment with its own status', async () => {
    const transactions = [payment, { amountMinor: 1 }, { ...payment, amountMinor: 2 }];
    const reply = await server.call('/v1/transactions:batch', { json: { transactions } });
    expect(reply.status).toBe(200);
    const { results } = REPLY_SCHEMAS.BatchReply.parse(reply.json);
    expect(results.map((result) => result.status)).toEqual([200, 400, 409]);
  });

  it('refuses a faulty envelope whole, and gives it to the gateway as one thing that cannot be a payment', async () => {
    const bodies = [
      '{"transactions":',
      JSON.stringify(payment),
      '[]',
      '{"transactions":[]}',
      '{"transactions":[1,2,3,4]}',
    ];
    for (const body of bodies) {
      const reply = await server.call('/v1/transactions:batch', { body });
      expect([body, reply.status]).toEqual([body, 400]);
      expect(reply.json).toEqual({ error: expect.objectContaining({ code: 'SLUICE_HTTP_BATCH' }) });
    }
    expect(server.gateway.received.map(({ input }) => input)).toEqual(
      bodies.map((value) => ({ format: 'json', value })),
    );
    expect(server.gateway.verdicts.size).toBe(0);
  });

  it('is refused whole when it would pass maxInFlight', async () => {
    let open = (): void => undefined;
    server.gateway.gate = new Promise((resolve) => (open = resolve));
    const waiting = server.call('/v1/transactions', { json: payment });
    await expect.poll(() => server.gateway.received.length).toBe(1);
    const refused = await server.call('/v1/transactions:batch', { json: { transactions: [{}, {}, {}] } });
    expect(refused.status).toBe(429);
    open();
    await waiting;
  });
});

describe('verdicts, outcomes, labels', () => {
  it('finds a verdict by id, whatever characters the id has', async () => {
    const transactionId = 'a/b ü?';
    await server.call('/v1/transactions', { json: { transactionId } });
    const path = `/v1/verdicts/${encodeURIComponent(transactionId)}`;
    const reply = await server.call(path);
    expect([reply.status, reply.json]).toEqual([200, expect.objectContaining({ transactionId })]);
    expect((await server.call('/v1/verdicts/none')).status).toBe(404);
  });

  it('accepts outcomes and labels of known payments with 202', async () => {
    await server.call('/v1/transactions', { json: payment });
    for (const path of ['/v1/outcomes', '/v1/labels']) {
      const known = await server.call(path, { json: { transactionId: 't-1' } });
      expect([known.status, REPLY_SCHEMAS.Accepted.parse(known.json)]).toEqual([202, { ledgerOffset: 9 }]);
      expect((await server.call(path, { json: { transactionId: 't-2' } })).status).toBe(404);
      expect((await server.call(path, { json: {} })).status).toBe(400);
    }
  });
});

describe('lists and posture', () => {
  const entry = '/v1/lists/blocked-cards/c%2F1';

  it('puts, reads and deletes entries', async () => {
    expect((await server.call(entry, { method: 'PUT', json: { reason: 'stolen' }, as: 'analyst' })).status).toBe(202);
    const read = await server.call(entry, { as: 'analyst' });
    expect(REPLY_SCHEMAS.ListEntry.parse(read.json)).toMatchObject({ value: 'c/1', reason: 'stolen', author: 'ana' });
    expect(REPLY_SCHEMAS.Lists.parse((await server.call('/v1/lists')).json).lists[0]?.entries).toBe(1);
    expect((await server.call(`${entry}?reason=found`, { method: 'DELETE' })).status).toBe(202);
    expect((await server.call(entry)).status).toBe(404);
    expect((await server.call(entry, { method: 'PUT' })).status).toBe(202);
  });

  it('pages through a list', async () => {
    for (const value of ['a', 'b', 'c']) await server.call(`/v1/lists/blocked-cards/${value}`, { method: 'PUT' });
    const first = REPLY_SCHEMAS.ListPage.parse((await server.call('/v1/lists/blocked-cards?limit=2')).json);
    expect([first.entries.map((each) => each.value), first.next]).toEqual([['a', 'b'], 'b']);
    const rest = REPLY_SCHEMAS.ListPage.parse((await server.call('/v1/lists/blocked-cards?limit=2&after=b')).json);
    expect([rest.entries.map((each) => each.value), rest.next]).toEqual([['c'], null]);
  });

  it('names the field of a wrong request', async () => {
    const cases: readonly [string, string, unknown, string | null][] = [
      ['GET', '/v1/lists/blocked-cards?limit=0', undefined, 'limit'],
      ['GET', '/v1/lists/blocked-cards?after=a&after=b', undefined, 'after'],
      ['GET', `/v1/lists/blocked-cards/${'x'.repeat(65)}`, undefined, 'value'],
      ['PUT', entry, { expiresAtMs: 'tomorrow' }, 'expiresAtMs'],
      ['PUT', entry, { why: '4111111111111111' }, null],
      ['PUT', '/v1/posture', { riskLevel: 'panic' }, 'riskLevel'],
    ];
    for (const [method, path, json, field] of cases) {
      const reply = await server.call(path, { method, ...(json === undefined ? {} : { json }) });
      expect([path, reply.status]).toEqual([path, 400]);
      expect(REPLY_SCHEMAS.Error.parse(reply.json).error.field).toBe(field);
      expect(reply.text).not.toMatch(/panic|tomorrow|4111/);
    }
    expect((await server.call('/v1/lists/nope/x')).status).toBe(404);
  });

  it('sets and reads the posture', async () => {
    const set = await server.call('/v1/posture', { method: 'PUT', json: { riskLevel: 'elevated', reason: 'attack' } });
    expect(set.status).toBe(202);
    const read = await server.call('/v1/posture', { as: 'analyst' });
    expect(REPLY_SCHEMAS.Posture.parse(read.json)).toMatchObject({ riskLevel: 'elevated', degradation: 'full' });
  });
});

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
    expect((await server.call('/readyz', { as: null })).json).toEqual({ status: 'ready' });
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
    expect(log).toContain('fakeGateway.ts');
    expect(log).not.toContain('4111');
  });

  it('says in one line that a port is busy', async () => {
    const port = Number(new URL(server.url).port);
    const other = await startTestServer();
    try {
      await other.app.close();
      const third = await startTestServer({ port }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(third).toMatchObject({ code: 'SLUICE_PORT_BUSY', message: expect.stringContaining(String(port)) });
    } finally {
      await other.close();
    }
    expect(listenHttp).toBeTypeOf('function');
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
});
