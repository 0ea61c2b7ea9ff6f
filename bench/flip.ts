import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { backtestRows } from '../infra/clickhouse/backtestRows.ts';
import { startEmbeddedClickHouse } from '../infra/clickhouse/embedded/index.ts';
import { ClickHouseHistory } from '../infra/clickhouse/history.ts';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';
import { backtest } from '../pipeline/backtest/backtest.ts';
import { median, significant, type Measurement } from './benchmark.ts';
import { FIRST_PAYMENT_OFFSET, fillHistory } from './flipHistory.ts';
import { withTemporaryFolder } from './sluiceProcess.ts';
import { CHANGED_EVERY, withRules } from './withRules.ts';

export interface FlipBenchmarkOptions {
  readonly config: string;
  readonly payments: number;
  readonly rules: number;
  readonly repetitions: number;
  /** Entries of the deployment's lists, in all. */
  readonly listEntries: number;
}

const REQUEST_TIMEOUT_MS = 3_600_000;
const silent = (): void => undefined;

/** A backtest of a rule set over a long history, from the question to the report, on the embedded ClickHouse. */
export async function benchmarkFlip(options: FlipBenchmarkOptions): Promise<Measurement> {
  const loaded = await loadDeployment(options.config);
  if (!loaded.ok) throw new Error(`${options.config} has mistakes: see sluice check`);
  const { deployment } = loaded;
  const before = withRules(deployment.definition, options.rules, false);
  const after = withRules(deployment.definition, options.rules, true);
  return withTemporaryFolder(async (folder) => {
    const clickHouse = await startEmbeddedClickHouse({
      dataDir: folder,
      port: 0,
      users: [{ name: 'default', password: '', role: 'writer' }],
      logger: { info: silent, warn: silent, error: silent },
    });
    const client = createClient({
      url: clickHouse.url,
      request_timeout: REQUEST_TIMEOUT_MS,
      log: { level: ClickHouseLogLevel.OFF },
    });
    try {
      const history = new ClickHouseHistory({ url: clickHouse.url });
      await fillHistory({ client, history, configuration: before, model: deployment.model }, options);
      await history.close();
      await merged(client);
      const rows = backtestRows(client);
      const seconds: number[] = [];
      let changed = 0;
      for (let run = 0; run < options.repetitions; run++) {
        const startMs = performance.now();
        const review = { alertVerdicts: ['review'], capacityPerDay: 500 } as const;
        const report = await backtest(after, { kind: 'decisions', decisions: options.payments }, review, rows);
        seconds.push((performance.now() - startMs) / 1000);
        if (report.span.payments !== options.payments) throw new Error('the backtest did not see every payment');
        changed = report.changed;
      }
      const [table] = await rows(
        "SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = 'sluice'",
      );
      return {
        fields: {
          seconds: significant(median(seconds)),
          slowest_s: significant(Math.max(...seconds)),
          payments: options.payments,
          rules: options.rules,
          changed,
          list_entries: options.listEntries,
          history_mb: Math.round(Number(table?.['bytes']) / 1024 ** 2),
        },
        conditions:
          `median of ${options.repetitions}; whole report with examples, old and new rule set of which every ${CHANGED_EVERY}th rule differs; ` +
          `${before.catalogue.names.length} features recorded, payments made by SQL from ledger offset ${FIRST_PAYMENT_OFFSET} on`,
      };
    } finally {
      await client.close();
      await clickHouse.stop();
    }
  });
}

/** Nothing else is to run while the question is timed. */
async function merged(client: ClickHouseClient): Promise<void> {
  for (;;) {
    const result = await client.query({ query: 'SELECT count() FROM system.merges', format: 'JSONCompactEachRow' });
    const [[merges] = [0]] = await result.json<unknown[]>();
    if (Number(merges) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
