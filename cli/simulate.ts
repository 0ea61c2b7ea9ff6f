import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Command, Option } from 'commander';
import { FRAUD_CAMPAIGN_NAMES, historicalSimulation, TRAINED_CAMPAIGN_NAMES } from '../pipeline/simulate/options.ts';
import type { SimulationOptions } from '../pipeline/simulate/options.ts';
import { simulate } from '../pipeline/simulate/simulate.ts';
import { simulationLines } from '../pipeline/simulate/simulationLines.ts';
import { TRAINING_SIMULATIONS } from '../pipeline/simulate/trainingSimulations.ts';
import { numberOption } from './options.ts';
import { ProgressLine } from './progressLine.ts';
import { UserError } from './userError.ts';
import { writeUserFile } from './userFile.ts';

const DAY_MS = 86_400_000;
const LINES_PER_CHUNK = 500;

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Write simulated payments with fraud campaigns, labels and outcomes to a file for sluice import.')
    .requiredOption('--out <file>', 'ends in .ndjson or .ndjson.gz')
    .addOption(numberOption('--seed <n>', 'the same seed gives the same file', 0, 2 ** 31).default(1))
    .addOption(numberOption('--customers <n>', 'each pays about three times a day', 10, 10_000_000).default(4_000))
    .addOption(numberOption('--days <n>', 'how long', 1, 3_650).default(45))
    .option('--start <date>', 'first day, YYYY-MM-DD, UTC', '2026-01-01')
    .option(
      '--campaigns <names>',
      `comma-separated, of: ${FRAUD_CAMPAIGN_NAMES.join(', ')}`,
      TRAINED_CAMPAIGN_NAMES.join(','),
    )
    .addOption(
      new Option(
        '--training <name>',
        'one of the simulations the default model is trained on, instead of the options above',
      )
        .choices(TRAINING_SIMULATIONS.map(({ name }) => name))
        .conflicts(['seed', 'customers', 'days', 'start', 'campaigns']),
    )
    .action(async (options: SimulateOptions) => {
      if (!/\.ndjson(\.gz)?$/.test(options.out)) throw new UserError('--out must end in .ndjson or .ndjson.gz', 2);
      const training = TRAINING_SIMULATIONS.find(({ name }) => name === options.training);
      const simulation = training?.options ?? chosenSimulation(options);
      const { startTimeMs, durationMs = 0, warmUp } = simulation;
      const firstMs = startTimeMs - (warmUp?.durationMs ?? 0);
      const events = simulate(simulation);
      const progress = new ProgressLine();
      let lines = 0;
      function* counted(): Generator<typeof events extends Iterable<infer Event> ? Event : never, void, undefined> {
        for (const event of events) {
          lines++;
          progress.show(
            `${lines.toLocaleString('en')} events`,
            Math.min(1, (event.timeMs - firstMs) / (startTimeMs + durationMs - firstMs)),
          );
          yield event;
        }
      }
      const source = Readable.from(chunks(simulationLines(counted())));
      const file = writeUserFile(options.out);
      await (options.out.endsWith('.gz') ? pipeline(source, createGzip(), file) : pipeline(source, file));
      progress.clear();
      process.stdout.write(`${lines.toLocaleString('en')} events in ${options.out}\n`);
    });
}

interface SimulateOptions {
  readonly out: string;
  readonly seed: number;
  readonly customers: number;
  readonly days: number;
  readonly start: string;
  readonly campaigns: string;
  readonly training?: string;
}

function chosenSimulation({ seed, customers, days, start, campaigns }: SimulateOptions): SimulationOptions {
  const startTimeMs = Date.parse(`${start}T00:00:00Z`);
  if (Number.isNaN(startTimeMs)) throw new UserError(`--start: '${start}' is no date like 2026-01-31`, 2);
  const names = campaigns.split(',');
  const unknown = names.find((name) => !FRAUD_CAMPAIGN_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new UserError(`--campaigns: there is no '${unknown}'; there are ${FRAUD_CAMPAIGN_NAMES.join(', ')}`, 2);
  }
  return historicalSimulation({ seed, customers, startTimeMs, durationMs: days * DAY_MS, campaigns: names });
}

function* chunks(lines: Iterable<string>): Generator<string, void, undefined> {
  let chunk: string[] = [];
  for (const line of lines) {
    chunk.push(line);
    if (chunk.length < LINES_PER_CHUNK) continue;
    yield `${chunk.join('\n')}\n`;
    chunk = [];
  }
  if (chunk.length > 0) yield `${chunk.join('\n')}\n`;
}
