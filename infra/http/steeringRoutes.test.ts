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

  it('takes one publication at a time and tells its progress', async () => {
    const path = '/v1/publications';
    const publish = (as: 'analyst' | 'gateway', json: unknown): ReturnType<typeof server.call> =>
      server.call(path, { method: 'POST', json, as });
    expect((await publish('gateway', { content: '{}' })).status).toBe(403);
    expect((await publish('analyst', { contents: '{}' })).status).toBe(400);
    const taken = await publish('analyst', { content: '{}', reason: 'a feature' });
    expect(taken.status).toBe(202);
    expect(REPLY_SCHEMAS.PublicationState.parse(taken.json).stage).toBe('backfilling');
    expect((await publish('analyst', { content: '{}' })).status).toBe(409);
    const read = await server.call(`${path}/latest`, { as: 'analyst' });
    expect(REPLY_SCHEMAS.PublicationState.parse(read.json)).toMatchObject({ doneRecords: 1, totalRecords: 2 });
    const cancelled = await server.call(`${path}/latest`, { method: 'DELETE', as: 'analyst' });
    expect(REPLY_SCHEMAS.PublicationState.parse(cancelled.json).stage).toBe('none');
  });

  it('sets and reads the posture', async () => {
    const set = await server.call('/v1/posture', { method: 'PUT', json: { riskLevel: 'elevated', reason: 'attack' } });
    expect(set.status).toBe(202);
    const read = await server.call('/v1/posture', { as: 'analyst' });
    expect(REPLY_SCHEMAS.Posture.parse(read.json)).toMatchObject({ riskLevel: 'elevated', degradation: 'full' });
  });
});
