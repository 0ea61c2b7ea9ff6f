import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { GaugeName, StageName, Telemetry } from '../../pipeline/ports.ts';
import type { Decision } from '../../schemas/types.ts';
import type { DriftLine, DriftMetrics } from '../clickhouse/driftWatch.ts';
import type { HttpMetrics } from '../http/httpMetrics.ts';
import type { ReservoirMetrics } from '../reservoir/reservoirHealth.ts';
import type { LiveStatistics } from './liveStatistics.ts';

/** Different rules, codes or routes counted one by one; what comes after them is counted together as `other`. */
const MAX_LABEL_VALUES = 1000;
/** Fine around the deadline's and the design's figures (3, 10, 25, 100 ms). */
const LATENCY_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];
const STAGE_BUCKETS_SECONDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1, 10,
];

const GAUGES: Readonly<Record<GaugeName, { readonly name: string; readonly help: string }>> = {
  ledgerEndOffset: { name: 'sluice_ledger_end_offset', help: 'Offset that the next ledger record will get.' },
  engineOffset: { name: 'sluice_engine_offset', help: 'Next ledger offset that the engine will take.' },
  engineLagRecords: { name: 'sluice_engine_lag_records', help: 'Ledger records that the engine has not taken yet.' },
  historyOffset: { name: 'sluice_history_offset', help: 'Next ledger offset that history will take.' },
  historyLagRecords: { name: 'sluice_history_lag_records', help: 'Ledger records that history has not taken yet.' },
  appendQueueDepth: { name: 'sluice_append_queue_depth', help: 'Records that wait for the next ledger commit.' },
  waitingRequests: { name: 'sluice_waiting_requests', help: 'Payments that wait for their decision.' },
  featureKeys: { name: 'sluice_feature_keys', help: 'Keys with feature state.' },
  riskLevel: { name: 'sluice_risk_level', help: 'Whose thresholds apply: 0 normal, 1 elevated, 2 lockdown.' },
  degradation: { name: 'sluice_degradation', help: 'What is left out: 0 nothing, 1 the model, 2 all but the rules.' },
  rulesOverLimit: { name: 'sluice_rules_over_limit', help: 'Rules that fire far more often than usual.' },
  listEntries: { name: 'sluice_list_entries', help: 'Entries of all lists.' },
  listBytes: { name: 'sluice_list_bytes', help: 'Memory that the lists take.' },
  refusedIds: {
    name: 'sluice_refused_ids',
    help: 'Payments in the ledger whose ids the engine could not remember.',
  },
  restoreSeconds: {
    name: 'sluice_restore_seconds',
    help: 'Time that reading a snapshot took at the start; 0: none was.',
  },
  snapshotOffset: { name: 'sluice_snapshot_offset', help: 'First ledger offset that is not in the newest snapshot.' },
  snapshotTimeSeconds: {
    name: 'sluice_snapshot_timestamp_seconds',
    help: 'When the newest snapshot was complete, in seconds since 1970.',
  },
  snapshotBytes: { name: 'sluice_snapshot_bytes', help: 'Size of the newest snapshot.' },
  snapshotSeconds: { name: 'sluice_snapshot_seconds', help: 'Time that writing the newest snapshot took.' },
};

type CounterChild = Counter.Internal;
type HistogramChild = Histogram.Internal<string>;

export interface PrometheusTelemetryOptions {
  /** Also told of every decision, for the console and the live status line. */
  readonly liveStatistics?: LiveStatistics;
  /** Process and event-loop metrics beside Sluice's own; default true. */
  readonly processMetrics?: boolean;
}

/**
 * Sluice's metrics in a registry of their own; docs/metrics.md lists them. Series that a decision touches are looked up
 * once and kept, because a lookup by labels costs more than the count itself.
 */
export class PrometheusTelemetry implements Telemetry, HttpMetrics, ReservoirMetrics, DriftMetrics {
  readonly registry = new Registry();
  readonly #liveStatistics: LiveStatistics | undefined;
  readonly #gaugeValues = new Map<GaugeName, number>();
  readonly #gauges: Readonly<Record<GaugeName, Gauge>>;
  readonly #latency: HistogramChild;
  readonly #decisions: Children<CounterChild>;
  readonly #degraded: Children<CounterChild>;
  readonly #stages: Children<HistogramChild>;
  readonly #rejected: Children<CounterChild>;
  readonly #challenged: Children<CounterChild>;
  readonly #repeated: Children<CounterChild>;
  readonly #ruleFirings: Children<CounterChild>;
  readonly #ruleErrors: Children<CounterChild>;
  readonly #firingAlerts: Children<CounterChild>;
  readonly #httpRequests: Children<CounterChild>;
  readonly #httpDurations: Children<HistogramChild>;
  readonly #httpClientErrors: Children<CounterChild>;
  readonly #fallbacks: Counter;
  readonly #late: Counter;
  readonly #letThrough: Counter;
  readonly #droppedConnections: Counter;
  readonly #waitingBlocks: Gauge;
  readonly #failedBlockWrites: Counter;
  readonly #driftPsi: Gauge<'model' | 'feature'>;
  readonly #driftPayments: Gauge<'model'>;
  readonly #driftTime: Gauge;

  constructor(options: PrometheusTelemetryOptions = {}) {
    this.#liveStatistics = options.liveStatistics;
    const registers = [this.registry];
    const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
      new Counter({ name, help, labelNames: [...labelNames], registers });
    const histogram = <Label extends string>(
      name: string,
      help: string,
      labelNames: readonly Label[],
      buckets: readonly number[],
    ): Histogram<Label> => new Histogram({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers });

    const decisions = counter('sluice_decisions_total', 'Decisions on new payments.', ['verdict', 'mode']);
    this.#decisions = new Children((verdict, mode) => decisions.labels({ verdict, mode }));
    const latency = histogram(
      'sluice_decision_latency_seconds',
      "From a payment's acceptance to its durable decision.",
      [],
      LATENCY_BUCKETS_SECONDS,
    );
    this.#latency = latency.labels({});
    const stages = histogram(
      'sluice_stage_seconds',
      'Time that one stage took, once or over one batch.',
      ['stage'],
      STAGE_BUCKETS_SECONDS,
    );
    this.#stages = new Children((stage) => stages.labels({ stage }));
    const rejected = counter('sluice_rejected_total', 'Inputs rejected, by error code.', ['code']);
    this.#rejected = new Children((code) => rejected.labels({ code }));
    const challenged = counter(
      'sluice_challenger_payments_total',
      "Payments that a model was to score beside the verdict's model, by what came of it.",
      ['model', 'result'],
    );
    this.#challenged = new Children((model, result) => challenged.labels({ model, result }));
    const repeated = counter('sluice_repeated_total', 'Payments with an id seen before.', ['kind']);
    this.#repeated = new Children((kind) => repeated.labels({ kind }));
    this.#fallbacks = counter('sluice_fallbacks_total', 'Fallback verdicts given because the deadline passed.', []);
    this.#late = counter('sluice_late_events_total', 'Payments later than the lateness bound.', []);
    this.#letThrough = counter('sluice_let_through_total', 'Would-be declines approved to measure declines.', []);
    const firings = counter('sluice_rule_firings_total', 'Rules that fired.', ['rule', 'mode']);
    this.#ruleFirings = new Children((rule, mode) => firings.labels({ rule, mode }));
    const ruleErrors = counter('sluice_rule_errors_total', 'Rules that failed to evaluate.', ['rule']);
    this.#ruleErrors = new Children((rule) => ruleErrors.labels({ rule }));
    const alerts = counter('sluice_rule_firing_alerts_total', 'Rules that began to fire far more often than usual.', [
      'rule',
    ]);
    this.#firingAlerts = new Children((rule) => alerts.labels({ rule }));
    const degraded = counter('sluice_degraded_decisions_total', 'Decisions that left something out.', ['mode']);
    this.#degraded = new Children((mode) => degraded.labels({ mode }));
    this.#gauges = createGauges(registers);
    const waitingBlocks = {
      name: 'sluice_reservoir_waiting_blocks',
      help: 'Blocks of older events that wait for disk.',
    };
    this.#waitingBlocks = new Gauge({ ...waitingBlocks, registers });
    const failedWrites = 'Blocks of older events that the disk did not take, each attempt.';
    this.#failedBlockWrites = counter('sluice_reservoir_failed_writes_total', failedWrites, []);
    this.#driftPsi = new Gauge({
      name: 'sluice_drift_psi',
      help: "Population stability index of a feature, or the score, of a model's newest payments against its training.",
      labelNames: ['model', 'feature'],
      registers,
    });
    this.#driftPayments = new Gauge({
      name: 'sluice_drift_payments',
      help: 'Payments that the index was measured on.',
      labelNames: ['model'],
      registers,
    });
    this.#driftTime = new Gauge({
      name: 'sluice_drift_timestamp_seconds',
      help: 'When it was measured, in seconds since 1970; 0: not yet.',
      registers,
    });

    const requests = counter('sluice_http_requests_total', 'HTTP requests answered.', ['route', 'status']);
    this.#httpRequests = new Children((route, status) => requests.labels({ route, status }));
    const durations = histogram(
      'sluice_http_request_seconds',
      'Time from the headers of a request to the end of its reply.',
      ['route'],
      LATENCY_BUCKETS_SECONDS,
    );
    this.#httpDurations = new Children((route) => durations.labels({ route }));
    const clientErrors = counter('sluice_http_client_errors_total', 'Connections that sent no proper request.', [
      'code',
    ]);
    this.#httpClientErrors = new Children((code) => clientErrors.labels({ code }));
    this.#droppedConnections = counter('sluice_http_dropped_connections_total', 'Connections over the bound.', []);
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry });
  }

  decision(decision: Decision, latencyMs: number): void {
    // A duplicate or conflict decides nothing: repeated() counts it.
    if (decision.status !== 'new') return;
    this.#decisions.of(decision.verdict, decision.mode).inc();
    this.#latency.observe(latencyMs / 1000);
    if (decision.letThrough !== null) this.#letThrough.inc();
    if (decision.degraded.length > 0 || decision.mode !== 'full') this.#degraded.of(decision.mode, '').inc();
    for (const { rule, mode } of decision.rulesFired) this.#ruleFirings.of(rule, mode).inc();
    for (const { rule } of decision.ruleErrors) this.#ruleErrors.of(rule, '').inc();
    this.#liveStatistics?.record(decision.verdict, latencyMs);
  }

  stage(stage: StageName, durationMs: number): void {
    this.#stages.of(stage, '').observe(durationMs / 1000);
  }

  rejected(code: string): void {
    this.#rejected.of(code, '').inc();
  }

  repeated(kind: 'duplicate' | 'conflict'): void {
    this.#repeated.of(kind, '').inc();
  }

  fallback(): void {
    this.#fallbacks.inc();
  }

  late(): void {
    this.#late.inc();
  }

  firingAlert(rule: string): void {
    this.#firingAlerts.of(rule, '').inc();
  }

  gauge(name: GaugeName, value: number): void {
    this.#gaugeValues.set(name, value);
    this.#gauges[name].set(value);
  }

  /** The last value told, for the live status; 0 before the first. */
  gaugeValue(name: GaugeName): number {
    return this.#gaugeValues.get(name) ?? 0;
  }

  challenged(model: string, scored: number, skipped: number): void {
    this.#challenged.of(model, 'scored').inc(scored);
    this.#challenged.of(model, 'skipped').inc(skipped);
  }

  drift(lines: readonly DriftLine[]): void {
    // A model or feature that is gone must not go on with its last value.
    this.#driftPsi.reset();
    this.#driftPayments.reset();
    for (const { model, feature, psi, payments } of lines) {
      this.#driftPsi.set({ model, feature }, psi);
      this.#driftPayments.set({ model }, payments);
    }
    this.#driftTime.setToCurrentTime();
  }

  waitingBlocks(count: number): void {
    this.#waitingBlocks.set(count);
  }

  blockWriteFailed(): void {
    this.#failedBlockWrites.inc();
  }

  request(route: string, status: number, durationMs: number): void {
    this.#httpRequests.of(route, String(status)).inc();
    this.#httpDurations.of(route, '').observe(durationMs / 1000);
  }

  connectionDropped(): void {
    this.#droppedConnections.inc();
  }

  clientError(code: string): void {
    this.#httpClientErrors.of(code, '').inc();
  }

  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }
}

/** One metric's series by up to two label values, bounded. */
class Children<Child> {
  readonly #create: (first: string, second: string) => Child;
  readonly #children = new Map<string, Map<string, Child>>();
  #count = 0;

  constructor(create: (first: string, second: string) => Child) {
    this.#create = create;
  }

  of(first: string, second: string): Child {
    const child = this.#children.get(first)?.get(second);
    return child ?? this.#add(first, second);
  }

  #add(first: string, second: string): Child {
    if (this.#count >= MAX_LABEL_VALUES && first !== 'other') return this.of('other', second);
    let row = this.#children.get(first);
    if (row === undefined) {
      row = new Map();
      this.#children.set(first, row);
    }
    const child = this.#create(first, second);
    row.set(second, child);
    this.#count++;
    return child;
  }
}

function createGauges(registers: Registry[]): Readonly<Record<GaugeName, Gauge>> {
  const gauge = (name: GaugeName): Gauge => new Gauge({ ...GAUGES[name], registers });
  return {
    ledgerEndOffset: gauge('ledgerEndOffset'),
    engineOffset: gauge('engineOffset'),
    engineLagRecords: gauge('engineLagRecords'),
    historyOffset: gauge('historyOffset'),
    historyLagRecords: gauge('historyLagRecords'),
    appendQueueDepth: gauge('appendQueueDepth'),
    waitingRequests: gauge('waitingRequests'),
    featureKeys: gauge('featureKeys'),
    riskLevel: gauge('riskLevel'),
    degradation: gauge('degradation'),
    rulesOverLimit: gauge('rulesOverLimit'),
    listEntries: gauge('listEntries'),
    listBytes: gauge('listBytes'),
    refusedIds: gauge('refusedIds'),
    restoreSeconds: gauge('restoreSeconds'),
    snapshotOffset: gauge('snapshotOffset'),
    snapshotTimeSeconds: gauge('snapshotTimeSeconds'),
    snapshotBytes: gauge('snapshotBytes'),
    snapshotSeconds: gauge('snapshotSeconds'),
  };
}
