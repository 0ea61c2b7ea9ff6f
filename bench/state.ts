import { build } from 'hdr-histogram-js';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';
import type { CompiledCatalogue } from '../operators/features/catalogue.ts';
import { createFeatureState } from '../operators/features/createFeatureState.ts';
import type { FeatureState } from '../operators/features/featureState.ts';
import { decodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { Label, Transaction } from '../schemas/types.ts';
import { median, significant, type Measurement } from './benchmark.ts';
import { simulatedLedger } from './simulatedLedger.ts';

export interface StateBenchmarkOptions {
  readonly config: string;
  /** Payments of the prepared ledger. */
  readonly payments: number;
  readonly repetitions: number;
}

interface Payments {
  readonly transactions: readonly Transaction[];
  readonly offsets: readonly number[];
  /** Labels that come before the payment at this index. */
  readonly labels: ReadonlyMap<number, readonly Label[]>;
}

/** The feature state alone, on decoded payments and their labels. */
export async function benchmarkState(options: StateBenchmarkOptions): Promise<Measurement> {
  const loaded = await loadDeployment(options.config);
  if (!loaded.ok) throw new Error(`${options.config} is not a sound deployment; see: sluice check ${options.config}`);
  const { deployment } = loaded;
  const { catalogue } = deployment.configuration;
  const payments = decodedPayments(simulatedLedger(deployment, options.payments));
  timeThroughput(catalogue, payments);
  const runs = Array.from({ length: options.repetitions }, () => timeThroughput(catalogue, payments));
  const { state, p50Us, p99Us, p999Us } = timeLatency(catalogue, payments);
  const perSecond = runs.map((seconds) => payments.transactions.length / seconds);
  return {
    fields: {
      events_per_s: significant(median(perSecond)),
      p50_us: significant(p50Us),
      p99_us: significant(p99Us),
      'p99.9_us': significant(p999Us),
      features: catalogue.names.length,
      keys: state.keyCount,
      state_mb: significant(state.statistics().bytes / 1e6),
    },
    conditions:
      `${options.payments} payments of ${deployment.name}, simulated, with labels; median of ${options.repetitions} runs ` +
      `(${significant(Math.min(...perSecond))} to ${significant(Math.max(...perSecond))})`,
  };
}

function decodedPayments(rows: ReturnType<typeof simulatedLedger>): Payments {
  const transactions: Transaction[] = [];
  const offsets: number[] = [];
  const labels = new Map<number, Label[]>();
  for (const { offset, value } of rows) {
    const record = decodeLedgerRecord(value);
    if (record.kind === 'transaction') {
      transactions.push(record.event);
      offsets.push(offset);
    } else if (record.kind === 'label') {
      const before = labels.get(transactions.length) ?? [];
      before.push(record.event);
      labels.set(transactions.length, before);
    }
  }
  return { transactions, offsets, labels };
}

/** Seconds. */
function timeThroughput(catalogue: CompiledCatalogue, payments: Payments): number {
  const state = createFeatureState(catalogue);
  const out = new Float64Array(catalogue.names.length);
  const startMs = performance.now();
  for (let index = 0; index < payments.transactions.length; index++) add(state, payments, index, out);
  return (performance.now() - startMs) / 1000;
}

function timeLatency(
  catalogue: CompiledCatalogue,
  payments: Payments,
): { readonly state: FeatureState; readonly p50Us: number; readonly p99Us: number; readonly p999Us: number } {
  const state = createFeatureState(catalogue);
  const out = new Float64Array(catalogue.names.length);
  const nanoseconds = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 1e10,
    numberOfSignificantValueDigits: 3,
  });
  for (let index = 0; index < payments.transactions.length; index++) {
    const startMs = performance.now();
    add(state, payments, index, out);
    nanoseconds.recordValue(Math.max(1, Math.round((performance.now() - startMs) * 1e6)));
  }
  const us = (percent: number): number => nanoseconds.getValueAtPercentile(percent) / 1000;
  return { state, p50Us: us(50), p99Us: us(99), p999Us: us(99.9) };
}

function add(state: FeatureState, { transactions, offsets, labels }: Payments, index: number, out: Float64Array): void {
  const transaction = transactions[index];
  const offset = offsets[index];
  if (transaction === undefined || offset === undefined) return;
  const before = labels.get(index);
  if (before !== undefined) for (const label of before) state.addLabel(label);
  state.addTransaction(transaction, offset, out, 0);
}
