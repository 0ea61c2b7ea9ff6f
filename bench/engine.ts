import { PerformanceObserver } from 'node:perf_hooks';
import { build } from 'hdr-histogram-js';
import { loadDeployment, type Deployment } from '../infra/deployment/loadDeployment.ts';
import { Scorer } from '../models/scorer.ts';
import type { LedgerRow } from '../pipeline/ports.ts';
import { codecs } from '../schemas/codec.ts';
import { median, significant, type Measurement } from './benchmark.ts';
import { newEngine } from './newEngine.ts';
import { simulatedLedger } from './simulatedLedger.ts';

export interface EngineBenchmarkOptions {
  readonly config: string;
  /** Payments of the prepared ledger. */
  readonly payments: number;
  readonly repetitions: number;
}

/** As the engine loop takes them. */
const BATCH_RECORDS = 256;
/** Payments at the ledger's end that are timed one by one. */
const SINGLE_PAYMENTS = 20_000;
/** The warm-up ends when the code is optimised; the state it leaves is thrown away. */
const WARM_UP_SHARE = 0.25;

/**
 * The engine in process: each prepared ledger row is decoded, its features computed, rules and model evaluated, the
 * decision made and encoded. Neither the ledger's nor the decision store's disk is in it.
 */
export async function benchmarkEngine(options: EngineBenchmarkOptions): Promise<Measurement> {
  const loaded = await loadDeployment(options.config);
  if (!loaded.ok) throw new Error(`${options.config} is not a sound deployment; see: sluice check ${options.config}`);
  const { deployment } = loaded;
  const { catalogue, definition } = deployment.configuration;
  const rows = simulatedLedger(deployment, options.payments);
  const scorer = deployment.model === null ? null : await Scorer.load(deployment.model.metadata, deployment.model.onnx);
  const bench = new EngineRuns(deployment, scorer, rows);
  await bench.timeBatches(Math.floor(rows.length * WARM_UP_SHARE));
  const runs: BatchRun[] = [];
  for (let run = 0; run < options.repetitions; run++) runs.push(await bench.timeBatches(rows.length));
  const latency = await bench.timeSingles();
  const perSecond = runs.map((run) => run.decisions / run.seconds);
  const slowest = Math.min(...perSecond);
  const fastest = Math.max(...perSecond);
  return {
    fields: {
      decisions_per_s: significant(median(perSecond)),
      cpu_us_per_decision: significant(median(runs.map((run) => (1e6 * run.cpuSeconds) / run.decisions))),
      p50_us: significant(latency.p50Us),
      p99_us: significant(latency.p99Us),
      'p99.9_us': significant(latency.p999Us),
      model: scorer === null ? 'none' : `${scorer.metadata.id}-${scorer.metadata.version}`,
      model_trees: treesOf(scorer),
      features: catalogue.names.length,
      rules: definition.rules.length,
      decision_bytes: significant(median(runs.map((run) => run.encodedBytes / run.decisions))),
      heap_bytes_per_decision: significant(median(runs.map((run) => run.heapBytesPerDecision))),
      gc_percent: significant(median(runs.map((run) => (100 * run.gcSeconds) / run.seconds)), 2),
    },
    conditions:
      `${options.payments} payments of ${deployment.name}, simulated; batches of ${BATCH_RECORDS} rows; median of ` +
      `${options.repetitions} runs (${significant(slowest)} to ${significant(fastest)}); latency of one row at a time ` +
      `over the last ${Math.min(SINGLE_PAYMENTS, options.payments)} payments`,
  };
}

interface BatchRun {
  readonly decisions: number;
  readonly seconds: number;
  /** Of all threads, the collector's among them: what a busy machine does not blur. */
  readonly cpuSeconds: number;
  readonly encodedBytes: number;
  readonly heapBytesPerDecision: number;
  readonly gcSeconds: number;
}

interface SingleLatency {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/** Runs of new engines over the same rows. */
class EngineRuns {
  readonly #deployment: Deployment;
  readonly #scorer: Scorer | null;
  readonly #rows: readonly LedgerRow[];

  constructor(deployment: Deployment, scorer: Scorer | null, rows: readonly LedgerRow[]) {
    this.#deployment = deployment;
    this.#scorer = scorer;
    this.#rows = rows;
  }

  async timeBatches(rowCount: number): Promise<BatchRun> {
    const engine = newEngine(this.#deployment, this.#scorer);
    const batches = batchesOf(this.#rows, rowCount);
    const heap = new HeapGrowth();
    const collections = new GarbageCollections();
    let decisions = 0;
    let encodedBytes = 0;
    let seconds = 0;
    let cpuSeconds = 0;
    for (const batch of batches) {
      heap.before();
      const cpu = process.cpuUsage();
      const startMs = performance.now();
      const outputs = await engine.process(batch);
      for (const { decision } of outputs) encodedBytes += codecs.decision.encode(decision).length;
      seconds += (performance.now() - startMs) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      cpuSeconds += (user + system) / 1e6;
      heap.after(outputs.length);
      decisions += outputs.length;
    }
    const gcSeconds = await collections.stop();
    return { decisions, seconds, cpuSeconds, encodedBytes, heapBytesPerDecision: heap.bytesPerDecision, gcSeconds };
  }

  async timeSingles(): Promise<SingleLatency> {
    const engine = newEngine(this.#deployment, this.#scorer);
    const first = Math.max(0, this.#rows.length - SINGLE_PAYMENTS);
    for (const batch of batchesOf(this.#rows, first)) await engine.process(batch);
    const nanoseconds = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 1e10,
      numberOfSignificantValueDigits: 3,
    });
    for (const row of this.#rows.slice(first)) {
      const startMs = performance.now();
      const [output] = await engine.process([row]);
      if (output === undefined) continue;
      codecs.decision.encode(output.decision);
      nanoseconds.recordValue(Math.max(1, Math.round((performance.now() - startMs) * 1e6)));
    }
    const us = (percent: number): number => nanoseconds.getValueAtPercentile(percent) / 1000;
    return { p50Us: us(50), p99Us: us(99), p999Us: us(99.9) };
  }
}

function batchesOf(rows: readonly LedgerRow[], rowCount: number): LedgerRow[][] {
  const batches: LedgerRow[][] = [];
  for (let start = 0; start < rowCount; start += BATCH_RECORDS) {
    batches.push(rows.slice(start, Math.min(rowCount, start + BATCH_RECORDS)));
  }
  return batches;
}

/** What a decision puts on the heap: growth over batches in which nothing was collected. */
class HeapGrowth {
  #before = 0;
  #bytes = 0;
  #decisions = 0;

  get bytesPerDecision(): number {
    return this.#decisions === 0 ? 0 : this.#bytes / this.#decisions;
  }

  before(): void {
    this.#before = process.memoryUsage().heapUsed;
  }

  after(decisions: number): void {
    const grown = process.memoryUsage().heapUsed - this.#before;
    if (grown <= 0) return;
    this.#bytes += grown;
    this.#decisions += decisions;
  }
}

/** Time the main thread spent collecting garbage. */
class GarbageCollections {
  #ms = 0;
  readonly #observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) this.#ms += entry.duration;
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Seconds since the start. Entries are delivered in a later turn of the event loop. */
  async stop(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.#observer.disconnect();
    return this.#ms / 1000;
  }
}

function treesOf(scorer: Scorer | null): number | string {
  const trees = scorer?.metadata.metrics['trees'];
  return typeof trees === 'number' ? trees : '-';
}
