import type { ConfigurationDefinition } from '../../operators/definitions.ts';
import { compileConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import { codecs } from '../../schemas/codec.ts';
import type { Decision } from '../../schemas/types.ts';
import type { Sender, TransactionAnswer } from '../gateway.ts';
import { Pipeline, type PipelineDeployment, type PipelineSettings } from '../pipeline.ts';
import type {
  BackfillRunner,
  Clock,
  DecisionStore,
  Ledger,
  LiveDecision,
  ModelStore,
  SnapshotStore,
  Telemetry,
  Timer,
} from '../ports.ts';
import { verifyReplay, type ReplayReport } from '../replay.ts';
import { MemoryDecisionStore } from './memoryDecisionStore.ts';
import { MemoryLedger } from './memoryLedger.ts';
import { MemoryModelStore } from './memoryModelStore.ts';

/** Counts what the pipeline reports. */
export class CountingTelemetry implements Telemetry {
  readonly counts = new Map<string, number>();

  count(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  decision(decision: Decision): void {
    this.#add(`decision:${decision.verdict}`);
  }
  stage(): void {
    this.#add('stage');
  }
  rejected(code: string): void {
    this.#add(`rejected:${code}`);
  }
  repeated(kind: 'duplicate' | 'conflict'): void {
    this.#add(`repeated:${kind}`);
  }
  fallback(): void {
    this.#add('fallback');
  }
  late(): void {
    this.#add('late');
  }
  firingAlert(rule: string): void {
    this.#add(`firingAlert:${rule}`);
  }
  challenged(): void {
    this.#add('challenged');
  }
  gauge(): void {
    this.#add('gauge');
  }

  #add(name: string): void {
    this.counts.set(name, this.count(name) + 1);
  }
}

export const DRIVER_SENDER: Sender = { source: 'test-gateway', contentType: 'application/json' };

export interface TopologyDriverOptions {
  readonly definition: ConfigurationDefinition;
  readonly model?: PipelineDeployment['model'];
  readonly ledger?: Ledger;
  readonly decisions?: DecisionStore;
  readonly models?: ModelStore;
  readonly snapshots?: SnapshotStore;
  readonly backfill?: BackfillRunner;
  readonly settings?: Partial<PipelineSettings>;
  readonly deadlineMs?: number;
  /** Both of the same time; default: the driver's own clock, and deadlines by the machine's. */
  readonly time?: { readonly clock: Clock; readonly timer: Timer };
}

/**
 * The whole pipeline in memory, without sockets, files or a broker: what goes in and comes out is what a gateway would send and
 * get. Time is the driver's: set `nowMs`.
 */
export class TopologyDriver {
  readonly telemetry = new CountingTelemetry();
  readonly shown: LiveDecision[] = [];
  /** What was logged: each line's message and particulars. */
  readonly logged: { readonly message: string; readonly fields: object }[] = [];
  readonly ledger: Ledger;
  readonly decisions: DecisionStore;
  readonly models: ModelStore;
  readonly pipeline: Pipeline;
  nowMs = 1_767_225_600_000;
  readonly #deployment: PipelineDeployment;

  /** Not started yet. */
  constructor(options: TopologyDriverOptions) {
    this.ledger = options.ledger ?? new MemoryLedger();
    this.decisions = options.decisions ?? new MemoryDecisionStore();
    this.models = options.models ?? new MemoryModelStore();
    const clock: Clock = options.time?.clock ?? (() => this.nowMs);
    this.pipeline = new Pipeline(
      {
        ledger: this.ledger,
        decisions: this.decisions,
        models: this.models,
        telemetry: this.telemetry,
        clock,
        ...(options.time === undefined ? {} : { timer: options.time.timer }),
        show: (decision) => this.shown.push(decision),
        snapshots: options.snapshots ?? null,
        logger: {
          info: (fields, message) => this.logged.push({ message, fields }),
          warn: (fields, message) => this.logged.push({ message, fields }),
        },
        backfill: options.backfill ?? null,
      },
      {
        ingest: {
          deadlineMs: options.deadlineMs ?? 5_000,
          fallbackVerdict: 'challenge',
          maxFutureMs: 60_000,
          maxPastMs: 86_400_000,
          maxPending: 1_000,
        },
        maxBatch: 16,
        overload: null,
        firingLimits: null,
        tickMs: null,
        cardKey: Buffer.alloc(32, 7),
        ...options.settings,
      },
    );
    this.#deployment = { configuration: compiled(options.definition), model: options.model ?? null };
  }

  static async start(options: TopologyDriverOptions): Promise<TopologyDriver> {
    const driver = new TopologyDriver(options);
    await driver.begin();
    return driver;
  }

  async begin(): Promise<void> {
    await this.pipeline.start(this.#deployment);
  }

  async submit(payment: unknown): Promise<TransactionAnswer> {
    return this.pipeline.gateway.submitTransaction({ format: 'json', value: payment }, DRIVER_SENDER);
  }

  /** The stored decision of the first payment with this id. */
  async decision(transactionId: string): Promise<Decision | undefined> {
    const stored = await this.decisions.find(transactionId);
    return stored === undefined ? undefined : codecs.decision.decode(stored);
  }

  async replay(): Promise<ReplayReport> {
    return verifyReplay(this);
  }

  /** Stops the pipeline; the stores stay, for another driver to start on. */
  async stop(): Promise<void> {
    await this.pipeline.stop();
  }
}

function compiled(definition: ConfigurationDefinition): CompiledConfiguration {
  const configuration = compileConfiguration(definition);
  if (configuration.ok) return configuration.value;
  throw new Error(configuration.problems.map((problem) => problem.message).join('\n'));
}
