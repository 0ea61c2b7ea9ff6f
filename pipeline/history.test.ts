import { describe, expect, it } from 'vitest';
import { codecs } from '../schemas/codec.ts';
import { encodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import type { Decision, Transaction } from '../schemas/types.ts';
import { SealChain, sealRows } from './chain/sealChain.ts';
import { HistoryWriter } from './history.ts';
import type { HistoryWriterOptions } from './history.ts';
import { MemoryDecisionStore } from './testing/memoryDecisionStore.ts';
import { MemoryHistory } from './testing/memoryHistory.ts';
import { MemoryLedger } from './testing/memoryLedger.ts';

const NOW_MS = 1767225600000;

/** A writer over everything in memory; `run` starts it, `stop` stops it and waits. */
class Setup {
  readonly ledger = new MemoryLedger();
  readonly decisions = new MemoryDecisionStore();
  readonly history: MemoryHistory;
  readonly messages: string[] = [];
  readonly writer: HistoryWriter;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  /** The chain begins behind the records of most tests. */
  constructor(options: Partial<HistoryWriterOptions> = {}, history = new MemoryHistory(), chainBegin = 1_000_000) {
    this.history = history;
    void this.decisions.beginChain(chainBegin);
    const note = (_fields: object, message: string): void => {
      this.messages.push(message);
    };
    this.writer = new HistoryWriter({
      ledger: this.ledger,
      decisions: this.decisions,
      history,
      logger: { info: note, warn: note },
      maxWaitMs: 5,
      firstBackoffMs: 1,
      maxBackoffMs: 4,
      stopWithinMs: 50,
      ...options,
    });
  }

  run(): void {
    this.#running = this.writer.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async append(events: readonly LedgerEvent[]): Promise<number> {
    return this.ledger.append(events.map((event) => encodeLedgerRecord(event, NOW_MS, 'test')));
  }

  async decide(...offsets: readonly number[]): Promise<void> {
    await this.decisions.put(
      offsets.map((ledgerOffset) => ({
        ledgerOffset,
        transactionId: `t-${ledgerOffset}`,
        isFirst: true,
        value: codecs.decision.encode(decision(ledgerOffset)),
      })),
    );
  }
}

describe('the history writer', () => {
  it('carries every record with its decision, in batches of at most the limit', async () => {
    const setup = new Setup({ maxRecords: 10 });
    await setup.append(Array.from({ length: 25 }, (_, offset) => payment(offset)));
    await setup.append([tick()]);
    await setup.decide(...Array.from({ length: 25 }, (_, offset) => offset));
    setup.run();
    await setup.writer.reached(26);
    await setup.stop();
    expect([...setup.history.records.keys()]).toEqual(Array.from({ length: 26 }, (_, offset) => offset));
    expect(setup.history.records.get(24)?.decision).toEqual(decision(24));
    expect(setup.history.records.get(25)?.event).toEqual(tick());
    expect(setup.writer.state()).toEqual({ status: 'stopped', offset: 26, lagRecords: 0, lastError: null });
  });

  it('stops before the first payment that is not decided, and goes on when it is', async () => {
    const setup = new Setup();
    await setup.append([payment(0), payment(1), tick(), payment(3)]);
    await setup.decide(0, 3);
    setup.run();
    await setup.writer.reached(1);
    expect(setup.writer.state()).toMatchObject({ offset: 1, lagRecords: 3, status: 'writing' });
    await setup.decide(1);
    await setup.writer.reached(4);
    await setup.stop();
    expect(setup.history.records.size).toBe(4);
  });

  it('stops before the first record that is not sealed, and goes on when it is', async () => {
    const setup = new Setup({}, new MemoryHistory(), 1);
    await setup.append([tick(), tick(), payment(2), tick()]);
    const chain = new SealChain(1);
    const rows = await setup.ledger.read(0, 4);
    const decided = new Map([[2, codecs.decision.encode(decision(2))]]);
    await setup.decisions.put([], sealRows(chain, rows.slice(0, 2), decided));
    setup.run();
    await setup.writer.reached(2);
    expect(setup.writer.state()).toMatchObject({ offset: 2, lagRecords: 2, status: 'writing' });
    await setup.decide(2);
    await setup.decisions.put([], sealRows(chain, rows, decided));
    await setup.writer.reached(4);
    await setup.stop();
    const seals = [...setup.history.records.values()].map(({ seal }) => seal?.chainSha256 ?? null);
    expect(seals).toEqual([null, expect.any(String), expect.any(String), chain.head]);
  });

  it('writes nothing before it is known where the chain begins', async () => {
    const setup = new Setup({ decisions: new MemoryDecisionStore() });
    await setup.append([tick()]);
    setup.run();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(setup.writer.state()).toMatchObject({ offset: 0, status: 'writing' });
    await setup.stop();
  });

  it('closes a batch at the limit of bytes, but takes any single record', async () => {
    const sizes: number[] = [];
    const history = new MemoryHistory();
    const setup = new Setup(
      {
        maxBytes: 1,
        history: {
          prepare: (columns) => history.prepare(columns),
          position: () => history.position(),
          modelPromotions: () => Promise.resolve([]),
          write: (batch) => {
            sizes.push(batch.records.length);
            return history.write(batch);
          },
        },
      },
      history,
    );
    await setup.append([tick(), tick(), tick()]);
    setup.run();
    await setup.writer.reached(3);
    await setup.stop();
    expect(sizes).toEqual([1, 1, 1]);
  });

  it('tries again for ever while history is away, and logs each change once', async () => {
    const setup = new Setup();
    setup.history.failNextWrites = 7;
    await setup.append(Array.from({ length: 6 }, tick));
    setup.run();
    await setup.writer.reached(6);
    await setup.stop();
    expect(setup.history.records.size).toBe(6);
    expect(setup.messages).toEqual([
      'history is away; the ledger keeps what it misses until it is back',
      'history is back',
    ]);
  });

  it('writes a batch that was begun before again, with the same bounds', async () => {
    const history = new MemoryHistory();
    history.failNextWrites = Infinity;
    const first = new Setup({ maxRecords: 4 }, history);
    const events = [payment(0), tick(), tick(), tick(), tick(), tick()];
    await first.append(events);
    await first.decide(0);
    first.run();
    await until(() => first.writer.state().status === 'away');
    await first.stop();
    expect(await history.position()).toEqual({ fromOffset: 0, toOffset: 4 });

    history.failNextWrites = 0;
    const second = new Setup({ maxRecords: 100 }, history);
    await second.append(events);
    second.run();
    await until(() => second.writer.state().status === 'writing');
    expect(history.records.size).toBeLessThan(4);
    await second.decide(0);
    await second.writer.reached(6);
    await second.stop();
    expect(history.records.size).toBe(6);
  });

  it('tells history the catalogue of a publication before the batch that holds it', async () => {
    const setup = new Setup();
    const content = JSON.stringify({
      ruleSetVersion: '1',
      latenessMs: 0,
      recentIds: 1000,
      features: [
        {
          name: 'count_1d',
          aggregate: 'count',
          entity: ['card'],
          windowMs: 86_400_000,
          text: { en: 'Payments', zh: '笔数' },
        },
      ],
      rules: [],
      lists: [],
      policy: { thresholds: thresholds(), maxReasons: 4 },
    });
    await setup.append([publication(content), publication('not a configuration')]);
    setup.run();
    await setup.writer.reached(2);
    await setup.stop();
    expect(setup.history.columns).toEqual([
      { catalogueSha256: expect.stringMatching(/^[0-9a-f]{64}$/), names: ['count_1d'], descriptions: ['Payments'] },
    ]);
  });

  it('refuses to go on with the history of another ledger', async () => {
    const history = new MemoryHistory();
    const first = new Setup({}, history);
    await first.append([tick(), tick()]);
    first.run();
    await first.writer.reached(2);
    await first.stop();
    const other = new Setup({}, history);
    other.run();
    await until(() => other.writer.state().status === 'away');
    expect(other.writer.state().lastError).toMatch(/SLUICE_HISTORY_AHEAD.*another ledger/);
    await other.stop();
  });

  it('stops in time when history hangs, and rejects whoever waits', async () => {
    const setup = new Setup({
      history: {
        prepare: () => Promise.resolve(),
        position: () => Promise.resolve({ fromOffset: 0, toOffset: null }),
        modelPromotions: () => Promise.resolve([]),
        write: () => new Promise(() => undefined),
      },
    });
    await setup.append([tick()]);
    setup.run();
    await until(() => setup.writer.state().status === 'writing');
    const waiting = expect(setup.writer.reached(1)).rejects.toThrow(/SLUICE_HISTORY_STOPPED/);
    await setup.stop();
    await waiting;
    expect(setup.writer.state().status).toBe('stopped');
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

function tick(): LedgerEvent {
  return { kind: 'tick', event: { eventTimeMs: NOW_MS } };
}

function payment(offset: number): LedgerEvent {
  const event: Transaction = {
    transactionId: `t-${offset}`,
    eventTimeMs: NOW_MS,
    type: 'purchase',
    channel: 'card',
    amountMinor: 1200,
    currency: 'CNY',
    account: 'a-1',
    card: null,
    device: null,
    ip: null,
    merchant: 'm-1',
    mcc: null,
    terminal: null,
    payee: null,
    country: 'CN',
    authMethods: [],
    originalTransactionId: null,
    attributes: {},
  };
  return { kind: 'transaction', event };
}

function publication(content: string): LedgerEvent {
  const event = { eventTimeMs: NOW_MS, version: '1', sha256: '0'.repeat(64), content, author: 'test', reason: '' };
  const step = { step: 'publish', replaces: '', proposalOffset: null } as const;
  return { kind: 'ruleSetPublication', event: { ...event, ...step } };
}

function thresholds(): object {
  const level = { challenge: 500, review: 700, decline: 900 };
  return { normal: level, elevated: level, lockdown: level };
}

function decision(ledgerOffset: number): Decision {
  return {
    ledgerOffset,
    transactionId: `t-${ledgerOffset}`,
    status: 'new',
    originalOffset: null,
    contentHash: '',
    engineTimeMs: NOW_MS,
    late: false,
    verdict: 'approve',
    score: 0,
    modelScore: null,
    mode: 'full',
    riskLevel: 'normal',
    degraded: [],
    reasons: [],
    letThrough: null,
    rulesFired: [],
    rulePoints: 0,
    groupScores: [],
    ruleErrors: [],
    ruleSet: '1',
    ruleSetSha256: '',
    modelId: null,
    modelVersion: null,
    modelSha256: null,
    catalogueSha256: '',
    explanation: null,
    features: [],
  };
}
