import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { ImportFile } from '../cli/importFile.ts';
import { requireDeployment } from '../cli/deployment.ts';
import type { EntityName, FeatureDefinition } from '../operators/definitions.ts';
import { compileCatalogue, type CompiledCatalogue } from '../operators/features/catalogue.ts';
import { createFeatureState } from '../operators/features/createFeatureState.ts';
import type { FeatureState } from '../operators/features/featureState.ts';
import type { ImportEvent } from '../pipeline/import/mergeLabels.ts';
import { toTransaction } from '../pipeline/toTransaction.ts';
import { parseJson } from '../schemas/parse.ts';
import type { Label, Transaction } from '../schemas/types.ts';
import { significant, type Measurement } from './benchmark.ts';

export interface HandbookBenchmarkOptions {
  /** The deployment whose mapping.yaml says what the file's columns mean. */
  readonly config: string;
  /** The handbook's transactions.csv.gz. */
  readonly file: string;
}

const DAY_MS = 86_400_000;
const LATENESS_MS = 600_000;
const WINDOWS_MS = { '1h': DAY_MS / 24, '6h': DAY_MS / 4, '1d': DAY_MS, '7d': 7 * DAY_MS, '30d': 30 * DAY_MS };
const LABEL_DELAY_MS = 7 * DAY_MS;
/** Payments and labels read before the clock runs again. */
const CHUNK = 4_096;
/** The file has no card numbers. */
const CARD_KEY = Buffer.alloc(32, 7);

/** The feature state alone over the handbook's payments and labels, with 100 features of customers and terminals. */
export async function benchmarkHandbook({ config, file }: HandbookBenchmarkOptions): Promise<Measurement> {
  if (!existsSync(file)) throw new Error(`${file} is not there; give the handbook's transactions.csv.gz`);
  const { mapping } = await requireDeployment(config);
  const catalogue = handbookCatalogue();
  const state = createFeatureState(catalogue);
  const run = new TimedRun(state, catalogue.names.length);
  for await (const event of new ImportFile(file, mapping).events()) run.take(event);
  run.flush();
  const { payments, labels, seconds, cpuSeconds } = run;
  const { keyCount } = state;
  state.close();
  return {
    fields: {
      state_s: significant(seconds),
      state_cpu_s: significant(cpuSeconds),
      us_per_payment: significant((1e6 * seconds) / payments),
      payments,
      labels,
      keys: keyCount,
      features: catalogue.names.length,
    },
    conditions: `${basename(file)} read and checked beforehand, ${CHUNK} events at a time; windows of 1 h to 30 d`,
  };
}

type StateEvent = { readonly offset: number } & ({ readonly payment: Transaction } | { readonly label: Label });

/** Reads events without the clock, and gives them to the state with it. */
class TimedRun {
  payments = 0;
  labels = 0;
  seconds = 0;
  cpuSeconds = 0;
  readonly #state: FeatureState;
  readonly #out: Float64Array;
  readonly #offsets = new Map<string, number>();
  #offset = 0;
  #waiting: StateEvent[] = [];

  constructor(state: FeatureState, features: number) {
    this.#state = state;
    this.#out = new Float64Array(features);
  }

  take(event: ImportEvent): void {
    if (event.kind === 'transaction') this.#takePayment(event.value, event.isFollowed);
    else if (event.kind === 'label') this.#takeLabel(event.value, event.transactionId);
    if (this.#waiting.length >= CHUNK) this.flush();
  }

  flush(): void {
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    for (const event of this.#waiting) {
      if ('payment' in event) this.#state.addTransaction(event.payment, event.offset, this.#out, 0);
      else this.#state.addLabel(event.label);
    }
    this.seconds += (performance.now() - startMs) / 1_000;
    const { user, system } = process.cpuUsage(cpuBefore);
    this.cpuSeconds += (user + system) / 1e6;
    this.#waiting = [];
  }

  #takePayment(value: Readonly<Record<string, unknown>>, isFollowed: boolean): void {
    const parsed = parseJson('gatewayTransaction', value);
    const converted = parsed.ok ? toTransaction(parsed.value, CARD_KEY) : parsed;
    if (!converted.ok) throw new Error(`a payment of the file is refused: ${converted.message}`);
    this.payments++;
    if (isFollowed) this.#offsets.set(converted.transaction.transactionId, this.#offset);
    this.#waiting.push({ offset: this.#offset++, payment: converted.transaction });
  }

  #takeLabel(value: unknown, transactionId: string): void {
    const parsed = parseJson('label', value);
    if (!parsed.ok) throw new Error(`a label of the file is refused: ${parsed.message}`);
    this.labels++;
    const transactionOffset = this.#offsets.get(transactionId) ?? null;
    this.#offsets.delete(transactionId);
    this.#waiting.push({ offset: this.#offset++, label: { ...parsed.value, transactionOffset } });
  }
}

/** Ten features of each window and entity; the labels' rates end when labels are known, 7 days ago. */
function handbookCatalogue(): CompiledCatalogue {
  const features = (['account', 'terminal'] as const).flatMap((entity) =>
    Object.entries(WINDOWS_MS).flatMap(([name, windowMs]) => featuresOf(entity, name, windowMs)),
  );
  const compiled = compileCatalogue(features, LATENESS_MS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

function featuresOf(entity: EntityName, window: string, windowMs: number): FeatureDefinition[] {
  const named = (aggregate: FeatureDefinition['aggregate']): FeatureDefinition => {
    return { name: `${entity}_${aggregate.toLowerCase()}_${window}`, entity: [entity], aggregate, windowMs };
  };
  const amounts = (['sum', 'avg', 'std', 'min', 'max', 'zScore'] as const).map((aggregate) => {
    return { ...named(aggregate), of: 'amountMinor' };
  });
  return [
    named('count'),
    ...amounts,
    { ...named('distinct'), of: entity === 'account' ? 'terminal' : 'account' },
    { ...named('rate'), where: "label == 'fraud'", delayMs: LABEL_DELAY_MS },
    { ...named('timeSince'), where: 'tx.amountMinor > 10000' },
  ];
}
