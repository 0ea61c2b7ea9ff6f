import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPLY_SCHEMAS } from './replySchemas.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer({ maxBodyBytes: 2000, maxBatchBytes: 20_000, maxBatch: 3, maxInFlight: 3 });
});
afterEach(async () => {
  await server.close();
});

const payment = { transactionId: 't-1', amountMinor: 100 };

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
    expect([retry.status, retry.json]).toMatchObject([200, { status: 'duplicate' }]);
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
      expect([reply.status, reply.json]).toMatchObject([415, { error: { code: 'SLUICE_HTTP_CONTENT_TYPE' } }]);
    }
    const withoutBody = await server.call('/v1/transactions', { method: 'POST' });
    expect(withoutBody.status).toBe(415);
    expect(server.gateway.received).toEqual([]);
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
      expect(reply.json).toMatchObject({ error: { code: 'SLUICE_HTTP_BATCH' } });
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
    expect([reply.status, reply.json]).toMatchObject([200, { transactionId }]);
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
