import { describe, expect, it } from 'vitest';
import { Random } from '../../pipeline/simulate/random.ts';
import { Admission } from './admission.ts';

const bounds = { maxInFlight: 2_000, maxBodyBytesInFlight: 1_000_000, deadlineMs: 100 };

interface Load {
  readonly seconds: number;
  readonly perSecond: number;
}

interface Served {
  readonly arrivedMs: number;
  /** Null: refused. */
  readonly latencyMs: number | null;
}

interface ServerModel {
  /** Milliseconds that a batch takes, and each payment in it. */
  readonly batchMs: number;
  readonly paymentMs: number;
  /** Milliseconds from there to the answer, in which the server goes on: the disk's. */
  readonly commitMs: number;
  readonly commitsSlowFromMs: number;
  /** Milliseconds that each refusal takes. */
  readonly refusalMs: number;
  /** Every `everyMs` the disk takes `stallMs`. */
  readonly stall: { readonly everyMs: number; readonly stallMs: number } | null;
}

const SERVER: ServerModel = {
  batchMs: 1.5,
  paymentMs: 0.7,
  commitMs: 0,
  commitsSlowFromMs: 0,
  refusalMs: 0.08,
  stall: null,
};
/** What such a server can do at most, with large batches. */
const CAPACITY = 1_300;

/**
 * A server as Sluice is one, in simulated time: it works in turns; a turn first looks at all requests that have come, and takes or
 * refuses each, then decides what it took. Payments come at random moments.
 */
function serve(loads: readonly Load[], server: ServerModel, seed: number): Served[] {
  const random = new Random(seed, 'admission');
  const admission = new Admission(bounds);
  const arrivals: number[] = [];
  let atMs = 0;
  let endMs = 0;
  for (const { seconds, perSecond } of loads) {
    endMs += 1_000 * seconds;
    for (atMs = Math.max(atMs, endMs - 1_000 * seconds); atMs < endMs; atMs += random.exponential(1_000 / perSecond))
      arrivals.push(atMs);
  }
  const served: Served[] = [];
  const waiting: { readonly arrivedMs: number; readonly enteredMs: number; readonly answeredMs: number }[] = [];
  const answer = (untilMs: number): void => {
    for (let first = waiting[0]; first !== undefined && first.answeredMs <= untilMs; first = waiting[0]) {
      waiting.shift();
      const { arrivedMs, enteredMs, answeredMs } = first;
      admission.leave(1, enteredMs, answeredMs);
      served.push({ arrivedMs, latencyMs: answeredMs - arrivedMs });
    }
  };
  let nowMs = 0;
  let nextStallMs = server.stall?.everyMs ?? Infinity;
  for (let next = 0; next < arrivals.length;) {
    nowMs = Math.max(nowMs, arrivals[next] ?? 0);
    const taken: { readonly arrivedMs: number; readonly enteredMs: number }[] = [];
    answer(nowMs);
    while ((arrivals[next] ?? Infinity) <= nowMs) {
      const arrivedMs = arrivals[next++] ?? 0;
      if (!admission.isOverloaded(nowMs) && admission.tryEnter(1, nowMs)) taken.push({ arrivedMs, enteredMs: nowMs });
      else {
        nowMs += server.refusalMs;
        served.push({ arrivedMs, latencyMs: null });
      }
    }
    if (taken.length > 0) nowMs += server.batchMs + server.paymentMs * taken.length;
    if (server.stall !== null && nowMs >= nextStallMs) {
      nowMs += server.stall.stallMs;
      nextStallMs += server.stall.everyMs;
    }
    const commitMs = nowMs < server.commitsSlowFromMs ? 0 : server.commitMs;
    for (const payment of taken) waiting.push({ ...payment, answeredMs: nowMs + commitMs });
    if (commitMs === 0) answer(nowMs);
  }
  answer(Infinity);
  return served;
}

function between(served: readonly Served[], fromSeconds: number, toSeconds: number): Served[] {
  return served.filter(({ arrivedMs }) => arrivedMs >= 1_000 * fromSeconds && arrivedMs < 1_000 * toSeconds);
}

function p99(served: readonly Served[]): number {
  const latencies = served.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs])).sort((a, b) => a - b);
  return latencies[Math.floor(0.99 * latencies.length)] ?? 0;
}

function refusedShare(served: readonly Served[]): number {
  return served.filter(({ latencyMs }) => latencyMs === null).length / served.length;
}

describe.each([1, 2, 3])('a simulated server, seed %i', (seed) => {
  it.each([1.5, 2, 3, 5])('at %fx its capacity answers what it takes in time, and takes what it can', (factor) => {
    const served = serve([{ seconds: 10, perSecond: CAPACITY * factor }], SERVER, seed);
    const settled = between(served, 1, 10);
    expect(p99(served)).toBeLessThanOrEqual(100);
    expect(p99(settled)).toBeLessThanOrEqual(50);
    // What refusing takes is gone; the rest must be put to use.
    const left = 1 - (SERVER.refusalMs / 1_000) * CAPACITY * (factor - 0.6);
    const accepted = settled.filter(({ latencyMs }) => latencyMs !== null).length / 9;
    expect(accepted).toBeGreaterThan(0.75 * CAPACITY * left);
  });

  it('refuses nothing below its capacity, though the disk stalls now and then', () => {
    const stall = { everyMs: 2_000, stallMs: 40 };
    const served = serve([{ seconds: 20, perSecond: 0.75 * CAPACITY }], { ...SERVER, stall }, seed);
    expect(refusedShare(served)).toBe(0);
  });

  it('does not take a slow disk for a queue', () => {
    const slow = { ...SERVER, commitMs: 25 };
    expect(refusedShare(serve([{ seconds: 20, perSecond: 0.75 * CAPACITY }], slow, seed))).toBe(0);
    const slower = { ...slow, commitsSlowFromMs: 5_000 };
    const served = serve([{ seconds: 40, perSecond: 0.75 * CAPACITY }], slower, seed);
    expect(refusedShare(between(served, 15, 40))).toBeLessThan(0.02);
  });

  it('puts a server with a slow disk to use when there is too much', () => {
    const served = serve([{ seconds: 20, perSecond: 2 * CAPACITY }], { ...SERVER, commitMs: 25 }, seed);
    const settled = between(served, 1, 20);
    expect(p99(settled)).toBeLessThanOrEqual(80);
    const accepted = settled.filter(({ latencyMs }) => latencyMs !== null).length / 19;
    expect(accepted).toBeGreaterThan(0.7 * CAPACITY * (1 - (SERVER.refusalMs / 1_000) * 1.3 * CAPACITY));
  });

  it('takes everything again within a second after the load falls', () => {
    const loads = [3, 0.5].map((factor) => ({ seconds: 6, perSecond: factor * CAPACITY }));
    const served = serve(loads, SERVER, seed);
    expect(refusedShare(between(served, 1, 6))).toBeGreaterThan(0.5);
    expect(refusedShare(between(served, 7, 12))).toBe(0);
    expect(p99(between(served, 7, 12))).toBeLessThan(20);
  });

  it('learns that it has become slower, and faster again', () => {
    const slow = { ...SERVER, paymentMs: 4 };
    const served = serve([{ seconds: 10, perSecond: CAPACITY }], slow, seed);
    expect(p99(between(served, 2, 10))).toBeLessThanOrEqual(80);
    const fast = { ...SERVER, batchMs: 0.5, paymentMs: 0.1 };
    expect(refusedShare(serve([{ seconds: 5, perSecond: 5_000 }], fast, seed))).toBeLessThan(0.01);
  });
});

describe('admission', () => {
  it('takes a batch when little is ahead of it, however large it is', () => {
    const admission = new Admission(bounds);
    expect(admission.isOverloaded(0)).toBe(false);
    expect(admission.tryEnter(500, 0)).toBe(true);
    expect(admission.isOverloaded(1)).toBe(true);
    admission.leave(500, 0, 50);
    expect(admission.isOverloaded(151)).toBe(false);
    expect(admission.payments).toBe(0);
  });

  it('never takes more than its bound', () => {
    const admission = new Admission({ ...bounds, maxInFlight: 3 });
    expect([1, 2, 3, 4].map((nowMs) => admission.tryEnter(1, nowMs))).toEqual([true, true, true, false]);
    expect(admission.isFull).toBe(true);
    admission.leave(1, 1, 5);
    expect(admission.tryEnter(2, 6)).toBe(false);
    expect(admission.tryEnter(1, 6)).toBe(true);
  });
});
