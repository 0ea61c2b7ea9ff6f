import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_CHANGED_ENTRIES } from '../../pipeline/listKeeping.ts';
import { REPLY_SCHEMAS } from './replySchemas.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer({ maxBodyBytes: 2_000, maxBatchBytes: 100_000, maxBatch: 3, maxInFlight: 3 });
});
afterEach(async () => {
  await server.close();
});

describe('lists', () => {
  const list = '/v1/lists/blocked-cards';
  const entry = `${list}/c%2F1`;
  const why = { reason: 'stolen' };

  it('puts, reads, finds and deletes entries', async () => {
    expect((await server.call(entry, { method: 'PUT', json: why, as: 'analyst' })).status).toBe(202);
    const read = await server.call(entry, { as: 'analyst' });
    expect(REPLY_SCHEMAS.ListEntry.parse(read.json)).toMatchObject({ value: 'c/1', reason: 'stolen', author: 'ana' });
    expect(REPLY_SCHEMAS.Lists.parse((await server.call('/v1/lists')).json).lists[0]?.entries).toBe(1);
    const checked = await server.call('/v1/lists:check', { method: 'POST', json: { value: 'c/1' }, as: 'analyst' });
    expect(REPLY_SCHEMAS.ListHits.parse(checked.json).hits.map((hit) => hit.list)).toEqual(['blocked-cards']);
    expect((await server.call(`${entry}?reason=found`, { method: 'DELETE' })).status).toBe(202);
    expect((await server.call(entry)).status).toBe(404);
  });

  it('puts and deletes many at once, each with a reason and end of its own', async () => {
    const entries = [{ value: 'a' }, { value: 'b', reason: 'lost', expiresAtMs: 1_800_000_000_000 }];
    const post = (action: string): ReturnType<typeof server.call> =>
      server.call(list, { method: 'POST', json: { action, ...why, entries } });
    expect((await post('put')).status).toBe(202);
    const page = REPLY_SCHEMAS.ListPage.parse((await server.call(list)).json);
    expect(page.entries).toMatchObject([
      { value: 'a', reason: 'stolen', expiresAtMs: null },
      { value: 'b', reason: 'lost', expiresAtMs: 1_800_000_000_000 },
    ]);
    expect((await post('delete')).status).toBe(202);
    expect(REPLY_SCHEMAS.ListPage.parse((await server.call(list)).json).entries).toEqual([]);
  });

  it('pages through a list', async () => {
    for (const value of ['a', 'b', 'c']) await server.call(`${list}/${value}`, { method: 'PUT', json: why });
    const first = REPLY_SCHEMAS.ListPage.parse((await server.call(`${list}?limit=2`)).json);
    expect([first.entries.map((each) => each.value), first.next]).toEqual([['a', 'b'], '2']);
    const rest = REPLY_SCHEMAS.ListPage.parse((await server.call(`${list}?limit=2&after=2`)).json);
    expect([rest.entries.map((each) => each.value), rest.next]).toEqual([['c'], null]);
  });

  it('names the field of a wrong request', async () => {
    const many = Array.from({ length: MAX_CHANGED_ENTRIES + 1 }, () => ({ value: 'x' }));
    const cases: readonly [string, string, unknown, string | null][] = [
      ['GET', `${list}?limit=0`, undefined, 'limit'],
      ['GET', `${list}?after=a&after=b`, undefined, 'after'],
      ['GET', `${list}?after=a`, undefined, 'after'],
      ['GET', `${list}/${'x'.repeat(257)}`, undefined, 'value'],
      ['DELETE', entry, undefined, 'reason'],
      ['PUT', entry, undefined, 'reason'],
      ['PUT', entry, { reason: ' ' }, 'reason'],
      ['PUT', entry, { ...why, expiresAtMs: 'tomorrow' }, 'expiresAtMs'],
      ['PUT', entry, { ...why, why: '4111111111111111' }, null],
      ['POST', list, { ...why, action: 'put', entries: [] }, 'entries'],
      ['POST', list, { ...why, action: 'put', entries: many }, 'entries'],
      ['POST', list, { ...why, action: 'put', entries: [{ value: 'a' }, { value: '' }] }, 'entries.1.value'],
      ['POST', list, { action: 'put', entries: [{ value: 'a' }] }, 'reason'],
    ];
    for (const [method, path, json, field] of cases) {
      const reply = await server.call(path, { method, ...(json === undefined ? {} : { json }) });
      expect([path, reply.status]).toEqual([path, 400]);
      expect(REPLY_SCHEMAS.Error.parse(reply.json).error.field).toBe(field);
      expect(reply.text).not.toMatch(/tomorrow|4111/);
    }
    expect((await server.call('/v1/lists/nope/x')).status).toBe(404);
  });
});
