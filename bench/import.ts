import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { significant, type Measurement } from './benchmark.ts';
import { UsageWatch } from './processUsage.ts';
import { SluiceProcess, withTemporaryFolder } from './sluiceProcess.ts';

export interface ImportBenchmarkOptions {
  readonly config: string;
  /** A .csv.gz as the deployment's mapping.yaml expects it. */
  readonly file: string;
  /** Only so many of its first payments; null: all. */
  readonly payments: number | null;
}

const MiB = 1024 ** 2;

/** `sluice import` as a user runs it, from its start to the report, into a new data folder with embedded history. */
export async function benchmarkImport(options: ImportBenchmarkOptions): Promise<Measurement> {
  if (!existsSync(options.file)) {
    throw new Error(`${options.file} is not there; give the handbook's transactions.csv.gz with --file`);
  }
  return withTemporaryFolder(async (folder) => {
    const file = options.payments === null ? options.file : await firstPayments(options.file, options.payments, folder);
    const startMs = performance.now();
    const dataDir = join(folder, 'data');
    const sluice = new SluiceProcess([
      ...['import', file, '--config', options.config, '--data', dataDir, '--history-port', '0', '--json'],
    ]);
    const watch = new UsageWatch(sluice.pid);
    const code = await sluice.exited;
    watch.stop();
    const wallSeconds = (performance.now() - startMs) / 1000;
    if (code !== 0) throw new Error(`sluice import ended with ${String(code)}: ${sluice.lastErrors}`);
    const report = reportSchema.parse(JSON.parse(sluice.output));
    const { main, children } = watch.look();
    const isWhole =
      report.history.transactions === report.payments &&
      report.history.decisions === report.payments &&
      report.history.labels === report.labels;
    if (!isWhole) throw new Error(`history does not hold what was imported: ${sluice.output}`);
    return {
      fields: {
        payments_per_s: Math.round(report.payments / wallSeconds),
        seconds: significant(wallSeconds, 4),
        payments: report.payments,
        labels: report.labels,
        dead_letters: report.deadLetters,
        history_transactions: report.history.transactions,
        history_decisions: report.history.decisions,
        history_labels: report.history.labels,
        peak_rss_mb: Math.round((main?.peakBytes ?? NaN) / MiB),
        peak_anonymous_mb: Math.round((main?.anonymousBytes ?? NaN) / MiB),
        clickhouse_peak_rss_mb: Math.round(children.peakBytes / MiB),
        cpu_s: significant(main?.cpuSeconds ?? NaN),
        clickhouse_cpu_s: significant(children.cpuSeconds),
      },
      conditions: `${basename(options.file)}, whole command: start, import, history caught up and counted, stop`,
    };
  });
}

const reportSchema = z.object({
  payments: z.number(),
  labels: z.number(),
  deadLetters: z.number(),
  history: z.object({ transactions: z.number(), decisions: z.number(), labels: z.number() }),
});

/** The header and the first `payments` lines, as a file of the same name. */
async function firstPayments(file: string, payments: number, folder: string): Promise<string> {
  const cut = join(folder, basename(file));
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity });
  await pipeline(Readable.from(takeLines(lines, payments + 1)), createGzip({ level: 1 }), createWriteStream(cut));
  return cut;
}

async function* takeLines(lines: AsyncIterable<string>, count: number): AsyncGenerator<string, void, undefined> {
  let taken = 0;
  for await (const line of lines) {
    yield `${line}\n`;
    taken++;
    if (taken === count) return;
  }
}
