import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build, type Histogram } from 'hdr-histogram-js';
import { openLmdb, type LmdbData } from '../infra/lmdb/openLmdb.ts';
import { ReservoirFolder } from '../infra/reservoir/reservoirFolder.ts';
import { SnapshotFolder } from '../infra/snapshots/snapshotFolder.ts';
import { SnapshotThread } from '../infra/snapshots/snapshotThread.ts';
import { compileConfiguration, type CompiledConfiguration } from '../operators/configuration.ts';
import { advanceEngine } from '../pipeline/engine/advanceEngine.ts';
import { Engine } from '../pipeline/engine/engine.ts';
import { PortEngineServices } from '../pipeline/engine/engineServices.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import type { GaugeName, Logger, Telemetry } from '../pipeline/ports.ts';
import { publicationRecord } from '../pipeline/publicationRecord.ts';
import { snapshotHeader } from '../pipeline/snapshots/snapshotHeader.ts';
import { encodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { Transaction } from '../schemas/types.ts';
import { significant, type Measurement } from './benchmark.ts';
import { withTemporaryFolder } from './sluiceProcess.ts';
import { LATENESS_MS, stateFeatures } from './stateCatalogue.ts';
import { StateEvents } from './stateLoad.ts';

export interface SnapshotBenchmarkOptions {
  /** Live keys aimed at. */
  readonly keys: number;
  /** Payments a second while decisions are timed. */
  readonly rate: number;
  /** How long decisions are timed without a snapshot. */
  readonly seconds: number;
}

/** Longer than any snapshot: decisions are timed until it is there. */
const MAX_SNAPSHOT_SECONDS = 240;
const BATCH_RECORDS = 1_024;
const KEEP = 2;

/**
 * A ledger that fills the longest window, an engine that has taken it, and its state as a snapshot. Then a pipeline starts
 * from that, decides at an open-loop rate, first alone, then while the snapshot thread takes the next one. Decisions go the whole way
 * but for HTTP: parsed, appended, decided, stored.
 */
export async function benchmarkSnapshot(options: SnapshotBenchmarkOptions): Promise<Measurement> {
  return withTemporaryFolder(async (dataDir) => {
    const data = openLmdb(dataDir);
    const events = new StateEvents('uniform', options.keys, options.rate * (options.seconds + MAX_SNAPSHOT_SECONDS));
    const snapshots = new SnapshotFolder(join(dataDir, 'snapshots'), { keep: KEEP });
    const reservoirs = new ReservoirFolder(join(dataDir, 'reservoir'));
    const configuration = benchConfiguration();
    await fillLedger(data, configuration, events);
    const written = await firstSnapshot(data, reservoirs, snapshots);

    const telemetry = new TimingTelemetry();
    const pipeline = new Pipeline(
      {
        ...data,
        openReservoir: () => reservoirs.open(),
        telemetry,
        clock: () => events.timeMs(Math.min(events.count - 1, data.ledger.endOffset())),
        show: () => undefined,
        snapshots,
        backfill: null,
        logger: SILENT,
      },
      {
        ingest: {
          deadlineMs: 60_000,
          fallbackVerdict: 'review',
          maxFutureMs: DAY_MS,
          maxPastMs: DAY_MS,
          maxPending: 10_000,
        },
        maxBatch: 64,
        overload: null,
        firingLimits: null,
        tickMs: null,
        cardKey: Buffer.alloc(32, 7),
      },
    );
    try {
      const cpuBefore = process.cpuUsage();
      await pipeline.start({ configuration, model: null });
      const restoreCpuSeconds = secondsOf(process.cpuUsage(cpuBefore));
      if (pipeline.restoredOffset !== written.offset) throw new Error('the pipeline did not start from the snapshot');
      const payments = new OpenLoop(pipeline, events, options.rate, telemetry);
      await payments.run(() => payments.seconds < WARM_UP_SECONDS);
      const alone = await payments.run(() => payments.seconds < options.seconds);
      const thread = new SnapshotThread(
        {
          dataDir,
          keep: KEEP,
          everyMs: DAY_MS,
          records: 1,
          ledgerEndOffset: () => data.ledger.endOffset(),
          clock: Date.now,
          logger: SILENT,
          telemetry,
        },
        written.offset,
      );
      const isUnderWay = (): boolean =>
        !telemetry.gauges.has('snapshotOffset') && payments.seconds < MAX_SNAPSHOT_SECONDS;
      const beside = await payments.run(isUnderWay);
      await thread.stop();
      if (!telemetry.gauges.has('snapshotOffset')) throw new Error('no snapshot was taken in time');
      const statistics = pipeline.engine.features?.statistics();
      const value = (name: GaugeName): number => telemetry.gauges.get(name) ?? Number.NaN;
      return {
        fields: {
          keys: pipeline.engine.features?.keyCount ?? 0,
          state_mb: significant((statistics?.bytes ?? 0) / 1e6),
          snapshot_mb: significant(written.bytes / 1e6),
          write_s: significant(written.seconds),
          write_cpu_s: significant(written.cpuSeconds),
          restore_s: significant(value('restoreSeconds')),
          restore_cpu_s: significant(restoreCpuSeconds),
          background_write_s: significant(value('snapshotSeconds')),
          background_s: significant(beside.seconds),
          alone_decide_p999_ms: alone.decideP999Ms,
          beside_decide_p999_ms: beside.decideP999Ms,
          alone_durable_p999_ms: alone.durableP999Ms,
          beside_durable_p999_ms: beside.durableP999Ms,
          alone_durable_p50_ms: alone.durableP50Ms,
          beside_durable_p50_ms: beside.durableP50Ms,
        },
        conditions:
          `112 features; open loop at ${options.rate}/s, ${alone.count} payments without and ${beside.count} with the ` +
          'snapshot thread (its start, load, catching up and writing); durable: from the intended time to the stored decision; ' +
          'decide: one batch in the engine; restore: from files just written',
      };
    } finally {
      await pipeline.stop();
      await data.close();
    }
  });
}

const WARM_UP_SECONDS = 5;
const DAY_MS = 86_400_000;
const SILENT: Logger = { info: () => undefined, warn: (fields, message) => console.error(message, fields) };

function benchConfiguration(): CompiledConfiguration {
  const thresholds = { challenge: 600, review: 800, decline: 930 };
  const compiled = compileConfiguration({
    ruleSetVersion: 'bench',
    latenessMs: LATENESS_MS,
    recentIds: 200_000,
    features: stateFeatures(),
    rules: [],
    lists: [],
    policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

/** The payments that fill the longest window, as if an earlier run had decided them. */
async function fillLedger(data: LmdbData, configuration: CompiledConfiguration, events: StateEvents): Promise<void> {
  const made = { eventTimeMs: events.timeMs(0), author: 'bench', reason: 'benchmark' };
  await data.ledger.append([encodeLedgerRecord(publicationRecord(configuration, made), made.eventTimeMs, 'bench')]);
  for (let from = 0; from < events.windowEvents; from += BATCH_RECORDS) {
    const transactions = events.make(from, Math.min(from + BATCH_RECORDS, events.windowEvents));
    const values = transactions.map((transaction, place) =>
      encodeLedgerRecord(
        { kind: 'transaction', event: named(transaction, from + place) },
        transaction.eventTimeMs,
        'bench',
      ),
    );
    await data.ledger.append(values);
  }
  const ledgerOffset = data.ledger.endOffset() - 1;
  await data.decisions.put([{ ledgerOffset, transactionId: 'stands for all', isFirst: true, value: Buffer.alloc(1) }]);
}

function named(transaction: Transaction, index: number): Transaction {
  return { ...transaction, transactionId: `p-${index}` };
}

async function firstSnapshot(
  { ledger, decisions, models }: LmdbData,
  reservoirs: ReservoirFolder,
  snapshots: SnapshotFolder,
): Promise<{ readonly offset: number; readonly bytes: number; readonly seconds: number; readonly cpuSeconds: number }> {
  const services = new PortEngineServices(ledger, decisions, models, () => reservoirs.open());
  const engine = new Engine(services, { maxBatch: 1, decidedThrough: Infinity });
  await advanceEngine(engine, ledger, ledger.endOffset());
  const header = await snapshotHeader(engine, ledger);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const bytes = await snapshots.write(header, 0, (output) => engine.save(output));
  const seconds = (performance.now() - startMs) / 1_000;
  engine.close();
  return { offset: header.offset, bytes, seconds, cpuSeconds: secondsOf(process.cpuUsage(cpuBefore)) };
}

function secondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}

interface Timed {
  readonly count: number;
  readonly seconds: number;
  readonly decideP999Ms: number;
  readonly durableP50Ms: number;
  readonly durableP999Ms: number;
}

/** Sends payments at a fixed rate, whether the ones before are decided or not. */
class OpenLoop {
  readonly #pipeline: Pipeline;
  readonly #events: StateEvents;
  readonly #rate: number;
  readonly #telemetry: TimingTelemetry;
  #next: number;
  #startMs = 0;

  constructor(pipeline: Pipeline, events: StateEvents, rate: number, telemetry: TimingTelemetry) {
    this.#pipeline = pipeline;
    this.#events = events;
    this.#rate = rate;
    this.#telemetry = telemetry;
    this.#next = events.windowEvents;
  }

  /** Since the run began. */
  get seconds(): number {
    return (performance.now() - this.#startMs) / 1_000;
  }

  async run(goesOn: () => boolean): Promise<Timed> {
    const durable = newHistogram();
    this.#telemetry.decide.reset();
    this.#startMs = performance.now();
    const inFlight = new Set<Promise<void>>();
    let count = 0;
    for (; goesOn() && this.#next < this.#events.count; count++) {
      const intendedMs = this.#startMs + (count * 1_000) / this.#rate;
      const waitMs = intendedMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      const sent = this.#send(this.#next++, intendedMs, durable).finally(() => inFlight.delete(sent));
      inFlight.add(sent);
    }
    await Promise.all(inFlight);
    return {
      count,
      seconds: this.seconds,
      decideP999Ms: percentileMs(this.#telemetry.decide, 99.9),
      durableP50Ms: percentileMs(durable, 50),
      durableP999Ms: percentileMs(durable, 99.9),
    };
  }

  async #send(index: number, intendedMs: number, durable: Histogram): Promise<void> {
    const [transaction] = this.#events.make(index, index + 1);
    if (transaction === undefined) throw new Error('there are no more payments');
    const { eventTimeMs, type, channel, amountMinor, currency, account, device, merchant, card } = transaction;
    const token = card?.token ?? null;
    const value = { eventTimeMs, type, channel, amountMinor, currency, account, device, merchant, card: { token } };
    const answer = await this.#pipeline.gateway.submitTransaction(
      { format: 'json', value: { ...value, transactionId: `p-${index}` } },
      { source: 'bench', contentType: 'application/json' },
    );
    if (answer.kind !== 'verdict') throw new Error(`a payment had no verdict: ${JSON.stringify(answer)}`);
    record(durable, performance.now() - intendedMs);
  }
}

/** Keeps the gauges, and the time of each batch in the engine. */
class TimingTelemetry implements Telemetry {
  firingAlert(): void {
    return;
  }
  readonly gauges = new Map<GaugeName, number>();
  readonly decide = newHistogram();

  stage(stage: string, durationMs: number): void {
    if (stage === 'decide') record(this.decide, durationMs);
  }

  gauge(name: GaugeName, value: number): void {
    this.gauges.set(name, value);
  }

  readonly decision = nothing;
  readonly rejected = nothing;
  readonly repeated = nothing;
  readonly fallback = nothing;
  readonly late = nothing;
  readonly challenged = nothing;
}

function nothing(): void {
  // Not measured here.
}

/** Of microseconds. */
function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 1e9, numberOfSignificantValueDigits: 3 });
}

function record(histogram: Histogram, durationMs: number): void {
  histogram.recordValue(Math.max(1, Math.round(durationMs * 1_000)));
}

function percentileMs(histogram: Histogram, percent: number): number {
  return significant(histogram.getValueAtPercentile(percent) / 1_000);
}
