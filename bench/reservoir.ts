import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { build } from 'hdr-histogram-js';
import { ReservoirFolder } from '../infra/reservoir/reservoirFolder.ts';
import { bareTransaction } from '../operators/cel/bareContext.ts';
import type { FeatureDefinition } from '../operators/definitions.ts';
import { compileCatalogue, type CompiledCatalogue } from '../operators/features/catalogue.ts';
import { createFeatureState } from '../operators/features/createFeatureState.ts';
import type { FeatureState } from '../operators/features/featureState.ts';
import type { Label } from '../schemas/types.ts';
import { significant, type Measurement } from './benchmark.ts';

export interface ReservoirBenchmarkOptions {
  readonly events: number;
  /** Length of the longest window. */
  readonly days: number;
  /** Events in 90 days: what the rate of the compressed time is. */
  readonly eventsIn90Days: number;
  /** Where the events' folder is made; the system's temporary folder by default. */
  readonly folder?: string;
}

const START_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Accounts that pay at a time; every so many payments one of them is replaced by a new one, and its keys expire. */
const ACTIVE_ACCOUNTS = 10_000;
const ACCOUNT_REPLACED_EVERY = 400;
const MERCHANTS = 1_000;
/** So many different ones for each account. */
const MERCHANTS_OF_ACCOUNT = 20;
/** Every so many payments one is late, and a label comes for one of half a window ago. */
const LATE_EVERY = 50;
const LABEL_EVERY = 200;
const REPORTS = 50;
/** As the engine loop does between batches: reads ahead come to their end. */
const EVENTS_PER_TURN = 256;

/**
 * The feature state with its events in files, in compressed time: memory must not grow once keys and head are warm, whatever
 * the windows hold. Prints a line for every fiftieth of the events.
 */
export async function benchmarkReservoir(options: ReservoirBenchmarkOptions): Promise<Measurement> {
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'sluice-bench-'));
  try {
    return await measure(options, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(options: ReservoirBenchmarkOptions, folder: string): Promise<Measurement> {
  const { events, days } = options;
  const catalogue = windowCatalogue(days * DAY_MS);
  const state = createFeatureState(catalogue, {}, new ReservoirFolder(folder).open());
  const stream = new PaymentStream(options);
  const out = new Float64Array(catalogue.names.length);
  const nanoseconds = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 1e10,
    numberOfSignificantValueDigits: 3,
  });
  const residentMb: number[] = [];
  const interval = Math.ceil(events / REPORTS);
  let busySeconds = 0;
  let intervalSeconds = 0;
  for (let index = 0; index < events; index++) {
    stream.moveTo(index);
    const startMs = performance.now();
    state.addTransaction(stream.payment, index, out, 0);
    if (stream.label !== null) state.addLabel(stream.label);
    const elapsedMs = performance.now() - startMs;
    intervalSeconds += elapsedMs / 1_000;
    nanoseconds.recordValue(Math.max(1, Math.round(elapsedMs * 1e6)));
    if (index % EVENTS_PER_TURN === 0) await setImmediate();
    if ((index + 1) % interval !== 0 && index + 1 !== events) continue;
    busySeconds += intervalSeconds;
    residentMb.push(process.memoryUsage().rss / 1e6);
    report(index + 1, Math.floor(interval / intervalSeconds), state, folder);
    intervalSeconds = 0;
  }
  const statistics = state.statistics();
  const { keyCount } = state;
  state.close();
  const us = (percent: number): number => significant(nanoseconds.getValueAtPercentile(percent) / 1_000);
  const half = residentMb[Math.floor(residentMb.length / 2)] ?? 0;
  const last = residentMb.at(-1) ?? 0;
  return {
    fields: {
      events_per_s: significant(events / busySeconds),
      p50_us: us(50),
      'p99.9_us': us(99.9),
      'p99.99_us': us(99.99),
      max_us: significant(nanoseconds.maxValue / 1_000),
      rss_mb_at_quarter: significant(residentMb[Math.floor(residentMb.length / 4)] ?? 0),
      rss_mb_at_half: significant(half),
      rss_mb_at_end: significant(last),
      state_mb: significant(statistics.bytes / 1e6),
      events_held: statistics.events,
      keys: keyCount,
      features: catalogue.names.length,
    },
    conditions:
      `${events} payments, ${options.eventsIn90Days} in 90 days of compressed time, windows up to ${days} d, events in files; ` +
      `${ACTIVE_ACCOUNTS} accounts at a time, one replaced every ${ACCOUNT_REPLACED_EVERY} payments, ${MERCHANTS} merchants; ` +
      `every ${LATE_EVERY}th late, every ${LABEL_EVERY}th labelled`,
  };
}

/** Every kind of part: sums, deques, pairs, recencies and labels; five edges, the oldest at 10/9 of the longest window. */
function windowCatalogue(longestMs: number): CompiledCatalogue {
  const longest = { windowMs: longestMs };
  const middle = { windowMs: longestMs / 9 };
  const definitions: FeatureDefinition[] = [];
  for (const entity of ['account', 'merchant'] as const) {
    const add = (name: string, feature: Omit<FeatureDefinition, 'name' | 'entity'>): void => {
      definitions.push({ name: `${entity}_${name}`, entity: [entity], ...feature });
    };
    for (const [name, windowMs] of Object.entries({ hour: HOUR_MS, middle: longestMs / 9, long: longestMs })) {
      for (const aggregate of ['count', 'sum', 'avg', 'std', 'max'] as const) {
        add(`${aggregate}_${name}`, { aggregate, windowMs, ...(aggregate === 'count' ? {} : { of: 'amountMinor' }) });
      }
    }
    add('fraud_rate', { aggregate: 'rate', where: "label == 'fraud'", delayMs: longestMs / 9, ...longest });
    add('time_since', { aggregate: 'timeSince', ...longest });
  }
  definitions.push({ name: 'merchants', entity: ['account'], aggregate: 'distinct', of: 'merchant', ...middle });
  definitions.push({ name: 'pair_count', entity: ['account', 'merchant'], aggregate: 'count', ...longest });
  const compiled = compileCatalogue(definitions, 10 * 60_000);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

/** One payment and label after another, in the same two objects: all that the stream allocates are new accounts' names. */
class PaymentStream {
  readonly payment = { ...bareTransaction };
  label: Label | null = null;
  readonly #accounts = names('account', ACTIVE_ACCOUNTS);
  readonly #merchants = names('merchant', MERCHANTS);
  readonly #intervalMs: number;
  readonly #labelBack: number;
  readonly #label = {
    transactionId: 't',
    transactionOffset: 0,
    eventTimeMs: START_MS,
    label: 'fraud' as const,
    labelSource: 'other' as const,
    fraudType: null,
  };
  #random = 1;

  constructor({ days, eventsIn90Days }: ReservoirBenchmarkOptions) {
    this.#intervalMs = (90 * DAY_MS) / eventsIn90Days;
    this.#labelBack = Math.floor(((days / 90) * eventsIn90Days) / 2);
  }

  moveTo(index: number): void {
    const { payment } = this;
    const lateMs = index % LATE_EVERY === 0 ? this.#next(10 * 60_000) : 0;
    payment.eventTimeMs = Math.floor(START_MS + index * this.#intervalMs - lateMs);
    if (index % ACCOUNT_REPLACED_EVERY === 0) {
      const number = index / ACCOUNT_REPLACED_EVERY;
      this.#accounts[number % ACTIVE_ACCOUNTS] = `account-${number + ACTIVE_ACCOUNTS}`;
    }
    const account = this.#next(ACTIVE_ACCOUNTS);
    const merchant = (account * 7 + this.#next(MERCHANTS_OF_ACCOUNT)) % MERCHANTS;
    payment.account = this.#accounts[account] ?? null;
    payment.merchant = this.#merchants[merchant] ?? null;
    payment.amountMinor = this.#next(100_000);
    this.label = null;
    if (index % LABEL_EVERY !== 0 || index < this.#labelBack) return;
    this.#label.transactionOffset = index - this.#labelBack;
    this.label = this.#label;
  }

  /** Marsaglia's xorshift, 32 bits. */
  #next(below: number): number {
    let random = this.#random;
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    this.#random = random;
    return (random >>> 0) % below;
  }
}

function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index}`);
}

function report(done: number, eventsPerSecond: number, state: FeatureState, folder: string): void {
  const { events, factChanges } = state.statistics();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
  process.stdout.write(
    `${done} events: ${eventsPerSecond}/s, rss ${mb(rss)} MB (heap ${mb(heapUsed)}, arrays ${mb(arrayBuffers)}), ` +
      `${state.keyCount} keys, ${events} events held, ${mb(bytesBelow(folder))} MB in files, ${factChanges} changed facts\n`,
  );
}

function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = statSync(join(folder, name), { throwIfNoEntry: false });
    if (file?.isFile() === true) bytes += file.size;
  }
  return bytes;
}
