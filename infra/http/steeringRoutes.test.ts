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

describe('publications and posture', () => {
  it('names the field of a wrong posture', async () => {
    const reply = await server.call('/v1/posture', { method: 'PUT', json: { riskLevel: 'panic' } });
    expect([reply.status, REPLY_SCHEMAS.Error.parse(reply.json).error.field]).toEqual([400, 'riskLevel']);
    expect(reply.text).not.toContain('panic');
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
