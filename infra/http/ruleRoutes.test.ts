import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPLY_SCHEMAS } from './replySchemas.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  await server.close();
});

const rule = {
  id: 'big',
  version: 1,
  owner: 'risk',
  when: 'tx.amountMinor > 5',
  then: { verdict: 'review', score: 700, code: 'BIG' },
  text: { en: 'Big', zh: '大' },
};

describe('the rules over HTTP', () => {
  it('are read by analysts and not by gateways', async () => {
    expect(REPLY_SCHEMAS.RuleSet.parse((await server.call('/v1/rules', { as: 'analyst' })).json).approvals).toBe(1);
    const page = await server.call('/v1/publications?limit=1&before=7&rule=big', { as: 'analyst' });
    expect(REPLY_SCHEMAS.PublicationPage.parse(page.json)).toMatchObject({
      publications: [{ effect: 'open' }],
      next: 7,
    });
    const details = await server.call('/v1/publications/5', { as: 'analyst' });
    expect(REPLY_SCHEMAS.PublicationDetails.parse(details.json).configuration.ruleSetVersion).toBe('1');
    expect((await server.call('/v1/publications/6')).status).toBe(404);
    expect(REPLY_SCHEMAS.Proposals.parse((await server.call('/v1/proposals')).json).proposals).toHaveLength(1);
    for (const path of ['/v1/rules', '/v1/publications', '/v1/publications/5', '/v1/proposals'])
      expect((await server.call(path, { as: 'gateway' })).status).toBe(403);
    server.gateway.isReady = false;
    expect((await server.call('/v1/rules')).status).toBe(503);
  });

  it('are tested and changed with what a rules file may leave out', async () => {
    const tested = await server.call('/v1/rules:test', { json: { rules: [rule] }, as: 'analyst' });
    expect(REPLY_SCHEMAS.RuleTest.parse(tested.json).problems).toEqual([]);
    const taken = await server.call('/v1/rules', {
      json: { rules: [rule], remove: ['old'], reason: 'x' },
      as: 'analyst',
    });
    expect(taken.status).toBe(202);
    expect(REPLY_SCHEMAS.PublicationState.parse(taken.json).stage).toBe('backfilling');
    expect((await server.call('/v1/publications/rollback', { json: {} })).status).toBe(409);
    const full = { ...rule, params: {}, mode: 'live', rollout: 100, examples: [] };
    expect(server.gateway.changes).toEqual([
      { kind: 'rules', rules: [full], removed: [] },
      { kind: 'rules', rules: [full], removed: ['old'] },
      { kind: 'rollback', version: null },
    ]);
  });

  it('get another mode or rollout', async () => {
    const set = (json: unknown): ReturnType<typeof server.call> =>
      server.call('/v1/rules/big/mode', { method: 'PUT', json, as: 'analyst' });
    expect((await set({ rollout: 25, reason: 'more' })).status).toBe(202);
    expect(server.gateway.changes).toEqual([{ kind: 'set', rule: 'big', mode: null, rollout: 25 }]);
    for (const [json, field] of [
      [{ reason: 'none' }, 'mode'],
      [{ mode: 'loud' }, 'mode'],
      [{ rollout: 101 }, 'rollout'],
    ] as const) {
      const refused = await set(json);
      expect([refused.status, REPLY_SCHEMAS.Error.parse(refused.json).error.field]).toEqual([400, field]);
    }
  });

  it('say which proposal can be answered, and by whom', async () => {
    const answer = (path: string): ReturnType<typeof server.call> =>
      server.call(`/v1/proposals/${path}`, { method: 'POST', json: { reason: 'fine' }, as: 'analyst' });
    expect((await answer('5/approve')).status).toBe(202);
    expect((await answer('5/reject')).status).toBe(202);
    expect((await answer('6/approve')).status).toBe(404);
    expect((await answer('x/approve')).status).toBe(400);
    expect((await server.call('/v1/proposals/5/approve', { method: 'POST' })).status).toBe(202);
  });
});
