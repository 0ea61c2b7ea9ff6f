import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LiveDecision } from '../../pipeline/ports.ts';
import { LiveStatistics } from '../metrics/liveStatistics.ts';
import { LiveFeed, type LiveSnapshot, type LiveSubscriber, type LiveUpdate } from './liveFeed.ts';
import { REPLY_SCHEMAS } from './replySchemas.ts';
import { startTestServer, TEST_STATUS } from './testing/testServer.ts';

function decisionAt(ledgerOffset: number, verdict: LiveDecision['verdict'] = 'approve'): LiveDecision {
  return {
    ledgerOffset,
    transactionId: `t-${ledgerOffset}`,
    eventTimeMs: 1_767_225_600_000,
    verdict,
    score: 10,
    mode: 'full',
    amountMinor: 100,
    currency: 'CNY',
    merchant: null,
    channel: 'card',
    reasons: [],
  };
}

function isUpdate(value: unknown): value is LiveSnapshot & LiveUpdate {
  return REPLY_SCHEMAS.LiveUpdate.safeParse(value).success;
}

class Viewer implements LiveSubscriber {
  readonly events: { readonly event: string; readonly data: LiveSnapshot & LiveUpdate }[] = [];
  keepsUp = true;
  isEnded = false;

  send(event: 'snapshot' | 'update', json: string): boolean {
    const parsed: unknown = JSON.parse(json);
    if (!isUpdate(parsed)) throw new Error('not an update');
    this.events.push({ event, data: parsed });
    return this.keepsUp;
  }

  end(): void {
    this.isEnded = true;
  }

  get last(): LiveUpdate | undefined {
    return this.events.at(-1)?.data;
  }
}

describe('LiveFeed', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  function feed(maxSubscribers = 3): { readonly liveFeed: LiveFeed; readonly statistics: LiveStatistics } {
    vi.useFakeTimers({ now: 1_767_225_600_000 });
    const statistics = new LiveStatistics(() => Date.now());
    const options = { statistics, clock: () => Date.now(), status: () => TEST_STATUS, intervalMs: 1, maxSubscribers };
    return { liveFeed: new LiveFeed(options), statistics };
  }

  it('sends a snapshot, then at most ten updates a second', () => {
    const { liveFeed } = feed();
    const viewer = new Viewer();
    liveFeed.publish(decisionAt(1));
    liveFeed.subscribe(viewer);
    vi.advanceTimersByTime(1000);
    expect(viewer.events.map(({ event }) => event)).toEqual(['snapshot', ...Array<string>(10).fill('update')]);
    expect(viewer.events[0]?.data.decisions.map((each) => each.ledgerOffset)).toEqual([1]);
    expect(viewer.events[0]?.data.intervalMs).toBe(100);
  });

  it('sends of many decisions the newest, and the newest that are not approved, each once and in order', () => {
    const { liveFeed } = feed();
    const viewer = new Viewer();
    liveFeed.subscribe(viewer);
    liveFeed.publish(decisionAt(0, 'decline'));
    for (let offset = 1; offset <= 1000; offset++) liveFeed.publish(decisionAt(offset));
    vi.advanceTimersByTime(100);
    expect(viewer.last?.decisions.map((each) => each.ledgerOffset)).toEqual([
      0,
      ...Array.from({ length: 10 }, (_, index) => 991 + index),
    ]);
    vi.advanceTimersByTime(100);
    expect(viewer.last?.decisions).toEqual([]);
  });

  it('sends every finished second once', () => {
    const { liveFeed, statistics } = feed();
    const viewer = new Viewer();
    liveFeed.subscribe(viewer);
    statistics.record('review', 3);
    vi.advanceTimersByTime(3000);
    const seconds = viewer.events.flatMap(({ data }) => data.seconds);
    expect(seconds.map((second) => [second.startMs - 1_767_225_600_000, second.review])).toEqual([
      [0, 1],
      [1000, 0],
      [2000, 0],
    ]);
  });

  it('drops a viewer that does not keep up, takes no more than its bound, and stops its clockwork with the last', () => {
    const { liveFeed } = feed(2);
    const slow = new Viewer();
    const quick = new Viewer();
    liveFeed.subscribe(slow);
    const unsubscribe = liveFeed.subscribe(quick);
    expect(liveFeed.subscribe(new Viewer())).toBeUndefined();
    slow.keepsUp = false;
    vi.advanceTimersByTime(100);
    expect([slow.isEnded, quick.isEnded, liveFeed.subscribers]).toEqual([true, false, 1]);
    unsubscribe?.();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends its viewers when it closes and takes none afterwards', () => {
    const { liveFeed } = feed();
    const viewer = new Viewer();
    liveFeed.subscribe(viewer);
    liveFeed.close();
    expect([viewer.isEnded, liveFeed.subscribe(new Viewer()), vi.getTimerCount()]).toEqual([true, undefined, 0]);
  });
});

describe('GET /v1/live', () => {
  it('streams server-sent events to analysts until the server stops', async () => {
    const server = await startTestServer({}, { maxSubscribers: 1 });
    server.liveFeed.publish(decisionAt(5, 'decline'));
    const headers = { authorization: `Bearer ${server.keys.analyst}` };
    const response = await fetch(`${server.url}/v1/live`, { headers });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const full = await server.call('/v1/live');
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await server.call('/v1/live', { as: 'gateway' })).status).toBe(403);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: update')) text += (await reader?.read())?.value ?? '';
    const [, data = ''] = /^event: snapshot\ndata: (.*)\n\n/.exec(text) ?? [];
    expect(REPLY_SCHEMAS.LiveUpdate.parse(JSON.parse(data)).decisions).toHaveLength(1);
    await server.close();
    while (!(await reader?.read())?.done);
    expect(server.liveFeed.subscribers).toBe(0);
  });

  it('forgets a viewer that goes away', async () => {
    const server = await startTestServer();
    const aborter = new AbortController();
    const headers = { authorization: `Bearer ${server.keys.analyst}` };
    await fetch(`${server.url}/v1/live`, { headers, signal: aborter.signal });
    expect(server.liveFeed.subscribers).toBe(1);
    aborter.abort();
    await expect.poll(() => server.liveFeed.subscribers).toBe(0);
    await server.close();
  });
});
