import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { z } from 'zod';
import { FEATURE_PREFIX, HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { HAS_DISTRIBUTIONS_QUERY, newestDriftQuery } from './driftQuery.ts';
import { SCORE } from './trainingDistributionTable.ts';

/** How far one feature of a model's payments, or its score, lies from the model's training. */
export interface DriftLine {
  /** ID@VERSION of the model that scored. */
  readonly model: string;
  readonly feature: string;
  /** Population stability index. */
  readonly psi: number;
  /** That it was measured on. */
  readonly payments: number;
}

/** Is told all that was measured last: what is no longer in it is gone. */
export interface DriftMetrics {
  drift(lines: readonly DriftLine[]): void;
}

/** Of the newest payments that a model scored. */
export const DRIFT_PAYMENTS = 100_000;
/** Series of the metric; of more the worst are kept. */
export const MAX_DRIFT_LINES = 1_000;

export interface DriftWatchOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly onMeasured: (lines: readonly DriftLine[]) => void;
  /** The first measurement, and from the end of each to the next; milliseconds. Default 20 s and 5 min. */
  readonly firstAfterMs?: number;
  readonly everyMs?: number;
}

const countRow = z.object({ 'count()': z.coerce.number() });
const nameRow = z.object({ feature: z.string() });
const lineRow = z.object({
  model_id: z.string(),
  model_version: z.string(),
  feature: z.string(),
  psi: z.number(),
  payments: z.coerce.number(),
});

/**
 * Measures now and then how far the newest payments lie from their model's training, by the query of `sluice models drift`: one
 * definition, so that metric and command say the same number, a restart loses nothing, and no verdict pays for it. History is asked
 * with one thread of its process, which runs at the lowest priority.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions;
  readonly #client: ClickHouseClient;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
    const { url, username, password } = options;
    this.#client = createClient({ url, username, password, log: { level: ClickHouseLogLevel.OFF } });
  }

  /** Runs until `signal` aborts. A history that is away or not made yet is asked again the next time. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { firstAfterMs = 20_000, everyMs = 300_000, onMeasured } = this.#options;
    for (let waitMs = firstAfterMs; !signal.aborted; waitMs = everyMs) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (isAborted(signal)) break;
      const lines = await this.measure(signal).catch(() => null);
      if (lines !== null && !isAborted(signal)) onMeasured(lines);
    }
    await this.#client.close();
  }

  /** The worst first; empty where no model that scored says what its training was like. */
  async measure(signal: AbortSignal): Promise<readonly DriftLine[]> {
    const [tables] = await this.#rows(HAS_DISTRIBUTIONS_QUERY, signal);
    if (countRow.parse(tables)['count()'] === 0) return [];
    // Only features with bins: a catalogue may have a thousand, a model far fewer.
    const names = await this.#rows(
      `SELECT DISTINCT feature FROM ${HISTORY_DATABASE}.training_distributions WHERE feature != '${SCORE}' AND ` +
        `concat('${FEATURE_PREFIX}', feature) IN (SELECT name FROM system.columns WHERE database = '${HISTORY_DATABASE}' AND table = 'decisions')`,
      signal,
    );
    if (names.length === 0) return [];
    const features = names.map((row) => nameRow.parse(row).feature);
    const query = `${newestDriftQuery(features, DRIFT_PAYMENTS)} LIMIT ${MAX_DRIFT_LINES} SETTINGS max_threads = 1`;
    return (await this.#rows(query, signal)).map((row) => {
      const { model_id: id, model_version: version, feature, psi, payments } = lineRow.parse(row);
      return { model: `${id}@${version}`, feature, psi, payments };
    });
  }

  async #rows(query: string, signal: AbortSignal): Promise<readonly unknown[]> {
    const result = await this.#client.query({ query, format: 'JSONEachRow', abort_signal: signal });
    return result.json();
  }
}

/** A function, because the compiler takes `aborted` for what it was before the await. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
