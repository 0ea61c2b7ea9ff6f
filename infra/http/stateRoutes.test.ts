import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import { REPLY_SCHEMAS } from './replySchemas.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer();
});
afterEach(async () => {
  await server.close();
});

describe('the state of the feature windows', () => {
  it('is told to analysts and operators, not to gateways', async () => {
    const windowMs = 60_000;
    const compiled = compileCatalogue(
      [
        { name: 'n', aggregate: 'count', entity: ['account'], windowMs },
        { name: 'd', aggregate: 'distinct', of: 'merchant', entity: ['account'], windowMs },
        { name: 'p', aggregate: 'max', of: 'amountMinor', entity: ['account', 'merchant'], windowMs },
        { name: 'e', aggregate: 'expression', expression: 'f.n * 2.0' },
      ],
      0,
    );
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    const features = createFeatureState(compiled.value);
    const tx = { ...bareTransaction, eventTimeMs: 1_767_225_600_000, account: 'a', merchant: 'm' };
    features.addTransaction(tx, 0, new Float64Array(4), 0);
    server.gateway.features = features;

    expect((await server.call('/v1/state', { as: 'gateway' })).status).toBe(403);
    const reply = await server.call('/v1/state', { as: 'analyst' });
    expect(reply.status).toBe(200);
    const state = REPLY_SCHEMAS.State.parse(reply.json);
    expect(state).toMatchObject({ timeMs: 1_767_225_600_000, catalogueSha256: compiled.value.sha256 });
    expect(state.keys.map(({ entity, keys }) => [entity, keys])).toEqual([
      ['account', 1],
      ['merchant', 1],
      ['account+merchant', 1],
    ]);
    expect(state.hottest.at(-1)).toEqual({ entity: 'account+merchant', keys: [{ key: ['a', 'm'], events: 1 }] });
    expect(state.features.map(({ feature }) => feature)).toEqual(['n', 'd', 'p', 'e']);
    expect(state.bytes).toBe(features.statistics().bytes);
  });

  it('is not there before the first rule set', async () => {
    const reply = await server.call('/v1/state');
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1']);
    expect(REPLY_SCHEMAS.Error.parse(reply.json).error.code).toBe('SLUICE_NOT_READY');
  });
});
