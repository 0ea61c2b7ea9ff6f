/** `make bench NAME=...`: runs one benchmark, prints its line and records it in bench/RESULTS.md. */
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { packageRoot } from '../schemas/packageRoot.ts';
import { measurementLine, type Measurement } from './benchmark.ts';
import { benchmarkBurst, burstLoads } from './burst.ts';
import { benchmarkEngine, type EngineBenchmarkOptions } from './engine.ts';
import { benchmarkFlip, type FlipBenchmarkOptions } from './flip.ts';
import { benchmarkHandbook, type HandbookBenchmarkOptions } from './handbook.ts';
import { benchmarkHttp, type HttpBenchmarkOptions } from './http.ts';
import { benchmarkImport, type ImportBenchmarkOptions } from './import.ts';
import { benchmarkLists, listKinds, type BenchmarkedList, type ListsBenchmarkOptions } from './lists.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { benchmarkOverload, type OverloadBenchmarkOptions } from './overload.ts';
import { benchmarkReservoir, type ReservoirBenchmarkOptions } from './reservoir.ts';
import { recordResult } from './results.ts';
import { benchmarkRules, type RulesBenchmarkOptions } from './rules.ts';
import { benchmarkShap, type ShapBenchmarkOptions } from './shap.ts';
import { benchmarkSnapshot, type SnapshotBenchmarkOptions } from './snapshot.ts';
import { benchmarkState, type StateBenchmarkOptions } from './state.ts';
import { stateLoads, type StateLoad } from './stateLoad.ts';

const RESULTS_FILE = join(packageRoot, 'bench', 'RESULTS.md');
const DEFAULT_CONFIG = join(packageRoot, 'config', 'default');
const HANDBOOK_CONFIG = join(packageRoot, 'config', 'handbook');
const HANDBOOK_FILE = join(packageRoot, '..', 'shared', 'data', 'handbook', 'transactions.csv.gz');

const program = new Command('bench').description('Measures Sluice on this machine and records what it finds.');

benchmark('engine', 'the engine in process: decode, features, rules, model, decision, encoding')
  .option('--config <folder>', 'the deployment', DEFAULT_CONFIG)
  .option('--payments <n>', 'in the prepared ledger', count, 200_000)
  .option('--repetitions <n>', 'timed runs, of which the median counts', count, 3)
  .action((options: EngineBenchmarkOptions & Recording) => run('engine', options, () => benchmarkEngine(options)));

benchmark('state', 'the feature state alone: 112 features of four entities, under three loads')
  .option('--keys <n>', 'live keys', count, 1_000_000)
  .option('--events <n>', 'in the steady state, for the rate and again for the times', count, 1_000_000)
  .addOption(new Option('--load <name>', 'only this one').choices(stateLoads))
  .action(async (options: StateBenchmarkOptions & Recording & { readonly load?: StateLoad }) => {
    const loads = options.load === undefined ? stateLoads : [options.load];
    for (const load of loads) await run('state', options, () => benchmarkState(load, options));
  });

benchmark('burst', 'payments of one instant leave their windows: the slowest payment of that moment')
  .option('--keys <n>', 'live keys', count, 1_000_000)
  .option('--events <n>', 'payments of one burst; may be repeated', counts)
  .addOption(new Option('--load <name>', 'only this one').choices(burstLoads))
  .action(async ({ keys, events = [50_000, 200_000], load, record }: BurstOptions) => {
    for (const each of load === undefined ? burstLoads : [load])
      for (const measurement of benchmarkBurst(each, { keys, events }))
        await run('burst', { record }, () => measurement);
  });

benchmark('reservoir', 'the feature state with its events in files, in compressed time: memory over time')
  .option('--events <n>', 'payments in all', count, 5_000_000)
  .option('--days <n>', 'length of the longest window', count, 90)
  .option('--events-in-90-days <n>', 'payments in 90 days of compressed time', count, 2_000_000)
  .option('--folder <folder>', "where the events' folder is made")
  .action((options: ReservoirBenchmarkOptions & Recording) =>
    run('reservoir', options, () => benchmarkReservoir(options)),
  );

benchmark('snapshot', 'writing and restoring the whole state, and decisions while a snapshot is taken')
  .option('--keys <n>', 'live keys', count, 1_000_000)
  .option('--rate <n>', 'payments a second while decisions are timed', count, 500)
  .option('--seconds <n>', 'how long without a snapshot', count, 30)
  .action((options: SnapshotBenchmarkOptions & Recording) =>
    run('snapshot', options, () => benchmarkSnapshot(options)),
  );

benchmark('shap', "TreeSHAP alone: every input's contribution to the margin of a row")
  .option('--trees <n>', 'in the ensemble', count, 200)
  .option('--depth <n>', 'of each tree, all of whose leaves lie at it', count, 6)
  .option('--inputs <n>', 'values in a row', count, 100)
  .option('--rows <n>', 'timed', count, 10_000)
  .action((options: ShapBenchmarkOptions & Recording) => run('shap', options, () => benchmarkShap(options)));

benchmark('rules', 'the rules alone: every rule on one payment')
  .option('--config <folder>', 'the deployment', DEFAULT_CONFIG)
  .option('--rules <n>', 'in the rule set', count, 50)
  .option('--payments <n>', 'that they are evaluated on', count, 10_000)
  .option('--repetitions <n>', 'timed rounds over the payments, of which the median counts', count, 21)
  .action((options: RulesBenchmarkOptions & Recording) => run('rules', options, () => benchmarkRules(options)));

benchmark('lists', 'an import into a list as the engine takes it: time, longest hold, memory, look-ups')
  .option('--entries <n>', 'of the list', count, 1_000_000)
  .addOption(new Option('--list <kind>', 'only this one').choices(listKinds))
  .action(async (options: ListsBenchmarkOptions & Recording & { readonly list?: BenchmarkedList }) => {
    for (const kind of options.list === undefined ? listKinds : [options.list])
      await run('lists', options, () => benchmarkLists(kind, options));
  });
benchmark('flip', 'a backtest of a rule set over a long history, on the embedded ClickHouse')
  .option('--config <folder>', 'the deployment', DEFAULT_CONFIG)
  .option('--payments <n>', 'in the history', count, 10_000_000)
  .option('--rules <n>', 'in each rule set', count, 50)
  .option('--list-entries <n>', 'on the lists, in all', count, 1_200)
  .option('--repetitions <n>', 'timed runs, of which the median counts', count, 3)
  .action((options: FlipBenchmarkOptions & Recording) => run('flip', options, () => benchmarkFlip(options)));

benchmark('http', 'sluice up under an open-loop load over HTTP')
  .option('--config <folder>', 'the deployment', DEFAULT_CONFIG)
  .option('--rate <n>', 'payments a second', count, 1_000)
  .option('--seconds <n>', 'how long', count, 60)
  .option('--warm-up-seconds <n>', 'sent before, and not counted', count, 15)
  .action((options: HttpBenchmarkOptions & Recording) => run('http', options, () => benchmarkHttp(options)));

benchmark('overload', 'sluice up under 0.5 to 3 times the load it can carry, and after it')
  .option('--config <folder>', 'the deployment', DEFAULT_CONFIG)
  .option('--seconds <n>', 'of each step', count, 8)
  .option('--warm-up-seconds <n>', 'sent before, and not counted', count, 15)
  .action((options: OverloadBenchmarkOptions & Recording) =>
    run('overload', options, () => benchmarkOverload(options, (line) => process.stdout.write(`${line}\n`))),
  );

benchmark('import', 'sluice import of the handbook file, end to end')
  .argument('[file]', "the handbook's transactions.csv.gz", HANDBOOK_FILE)
  .option('--config <folder>', 'the deployment', HANDBOOK_CONFIG)
  .option('--payments <n>', 'only the first so many', count)
  .action((file: string, options: Omit<ImportBenchmarkOptions, 'file' | 'payments'> & Recording & Cut) =>
    run('import', options, () => benchmarkImport({ ...options, file, payments: options.payments ?? null })),
  );

benchmark('handbook', "the feature state alone over the handbook's payments and labels: 100 features")
  .argument('[file]', "the handbook's transactions.csv.gz", HANDBOOK_FILE)
  .option('--config <folder>', 'the deployment', HANDBOOK_CONFIG)
  .action((file: string, options: Omit<HandbookBenchmarkOptions, 'file'> & Recording) =>
    run('handbook', options, () => benchmarkHandbook({ ...options, file })),
  );

interface Recording {
  readonly record: boolean;
}

interface BurstOptions extends Recording {
  readonly keys: number;
  readonly events?: readonly number[];
  readonly load?: StateLoad;
}

interface Cut {
  readonly payments?: number;
}

function benchmark(name: string, description: string): Command {
  return program.command(name).description(description).option('--no-record', 'do not write bench/RESULTS.md');
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Must be a whole number of at least 1.');
  return value;
}

function counts(text: string, before: readonly number[] | undefined): number[] {
  return [...(before ?? []), count(text)];
}

async function run(
  name: string,
  { record }: Recording,
  measure: () => Measurement | Promise<Measurement>,
): Promise<void> {
  const machine = describeMachine();
  const commit = describeCommit();
  const measurement = await measure();
  const line = measurementLine(name, measurement);
  process.stdout.write(`${line}\n`);
  if (!record) return;
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  recordResult(RESULTS_FILE, name, { date, commit, machine, line, conditions: measurement.conditions });
}

try {
  await program.parseAsync();
  // Libraries keep handles open (the model's session); the work is done.
  process.exit();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
