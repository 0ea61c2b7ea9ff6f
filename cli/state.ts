import { Command, InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { closestName } from '../infra/deployment/closestName.ts';
import { parseDuration } from '../infra/deployment/duration.ts';
import { loadCatalogue } from '../infra/deployment/loadCatalogue.ts';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import type { CompiledCatalogue } from '../operators/features/catalogue.ts';
import { MAX_KEYS_PER_ENTITY, MAX_LATENESS_MS, MAX_WAITING_BLOCKS } from '../operators/features/limits.ts';
import { durationText } from '../operators/features/sql/durationSql.ts';
import { estimateState, type Excess, type ExpectedLoad } from '../operators/features/stateEstimate.ts';
import { totalBytes, type StateMemory } from '../operators/features/stateMemory.ts';
import { numberOption } from './options.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { countText, featureTable, hottestTable, memoryTable } from './stateTables.ts';
import { UserError } from './userError.ts';

/** HMAC-SHA256 as base64url behind `tok_`. */
const CARD_TOKEN_CHARACTERS = 47;
const KNOWN_SHARE = 0.01;

export function stateCommand(): Command {
  const command = new Command('state').description(
    'What the feature windows of a running Sluice hold: memory by entity and feature, the hottest keys. ' +
      'With --catalogue: what they would take before it is deployed.',
  );
  return withSluiceOptions(command)
    .addOption(numberOption('--top <keys>', 'hottest keys of each entity', 0, 10).default(10))
    .option('--json', 'the report as JSON')
    .option('--catalogue <file>', 'estimate for the features of this file (as features.yaml), asking no running Sluice')
    .addOption(
      numberOption('--keys <n>', 'live keys of each entity, for the estimate', 1, MAX_KEYS_PER_ENTITY).default(
        1_000_000,
      ),
    )
    .addOption(
      new Option('--entity <name=n>', 'live keys of one entity, tuple (a+b) or field; may be repeated')
        .argParser(addCount)
        .default(new Map<string, number>(), 'as --keys says'),
    )
    .addOption(numberOption('--rate <n>', 'payments a second', 1, 1_000_000).default(1_000))
    .addOption(
      new Option('--lateness <duration>', 'how late a payment may come').argParser(latenessMs).default(600_000, '10m'),
    )
    .addOption(
      numberOption(
        '--values-per-key <n>',
        'merchants of an account, accounts of a device and so on',
        1,
        1_000_000,
      ).default(4),
    )
    .addOption(numberOption('--key-length <n>', 'characters of a key (cards are tokens of 47)', 1, 512).default(16))
    .addHelpText(
      'after',
      `
What will a catalogue cost?
  sluice state --catalogue config/default/features.yaml --keys 1000000 --entity card=10000000 --rate 1000`,
    )
    .action(async (options: StateOptions) => {
      if (options.catalogue === undefined) await showRunning(options);
      else showEstimate(options, await requireCatalogue(options.catalogue, options.lateness));
    });
}

interface StateOptions extends SluiceAccessOptions {
  readonly top: number;
  readonly json?: boolean;
  readonly catalogue?: string;
  readonly keys: number;
  readonly entity: ReadonlyMap<string, number>;
  readonly rate: number;
  readonly lateness: number;
  readonly valuesPerKey: number;
  readonly keyLength: number;
}

type RunningState = z.infer<typeof REPLY_SCHEMAS.State>;

async function showRunning(options: StateOptions): Promise<void> {
  const state = await askSluice(options, { method: 'GET', path: '/v1/state', shape: REPLY_SCHEMAS.State });
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(state)}\n`);
    return;
  }
  const hottest = state.hottest.map(({ entity, keys }) => ({ entity, keys: keys.slice(0, options.top) }));
  process.stdout.write(
    [
      `As of ${new Date(state.timeMs).toISOString()}\n`,
      memoryTable(state),
      ...waitingForDisk(state),
      featureTable(state.features),
      ...(options.top === 0 ? [] : [hottestTable(hottest)]),
      ...estimated(state),
      ...boundsPassed(state),
    ].join('\n'),
  );
}

/** A disk that takes no blocks, if it is so. */
function waitingForDisk({ events: { waitingBlocks } }: RunningState): readonly string[] {
  if (waitingBlocks === 0) return [];
  const most = countText(MAX_WAITING_BLOCKS);
  return [
    `The disk of the data folder's reservoir/ does not take older events: ${countText(waitingBlocks)} blocks of them wait in memory ` +
      `(at most ${most}; then Sluice stops).\n`,
  ];
}

function estimated({ estimatedDistincts }: RunningState): readonly string[] {
  return estimatedDistincts === 0
    ? []
    : [`Estimated: ${countText(estimatedDistincts)} distinct counts of a key in a window\n`];
}

/** What a bound kept out, if anything. */
function boundsPassed({ counted }: RunningState): readonly string[] {
  const passed = Object.entries(counted).filter(([, times]) => times > 0);
  if (passed.length === 0) return [];
  return [`Counted: ${passed.map(([what, times]) => `${what} ${countText(times)}`).join(', ')}\n`];
}

function showEstimate(options: StateOptions, catalogue: CompiledCatalogue): void {
  const load: ExpectedLoad = {
    paymentsPerSecond: options.rate,
    keys: options.keys,
    keysOf: options.entity,
    charactersOf: (field) => (field === 'card' ? CARD_TOKEN_CHARACTERS : options.keyLength),
    valuesPerKey: options.valuesPerKey,
    knownShare: KNOWN_SHARE,
  };
  const { contents, excess } = estimateState(catalogue, load);
  const { memory, features } = contents;
  checkEntities(options.entity, memory);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ bytes: totalBytes(memory), ...memory, features, excess })}\n`);
    return;
  }
  process.stdout.write(
    [
      memoryTable(memory),
      featureTable(features),
      ...(excess.length === 0 ? [] : [excess.map(excessLine).join('')]),
      assumptions(options, catalogue),
    ].join('\n'),
  );
}

function excessLine({ entity, of, expected, limit }: Excess): string {
  if (of === null) {
    return `Too many keys: ${countText(expected)} of ${entity}, at most ${countText(limit)} are kept; payments of the others get no value.\n`;
  }
  return `Many values: ${countText(expected)} of ${of} by ${entity}; of more than ${countText(limit)} distinct makes an estimate, and topShare leaves values out.\n`;
}

function assumptions(options: StateOptions, catalogue: CompiledCatalogue): string {
  const longestMs = Math.max(
    0,
    ...catalogue.features.map((feature) => (feature.kind === 'window' ? feature.delayMs + feature.windowMs : 0)),
  );
  return (
    `Assumed: ${countText(options.rate)} payments a second for as long as the longest window, ${durationText(longestMs)}; ` +
    `lateness ${durationText(options.lateness)}.\n` +
    `A key lives while a window holds a payment of it. A key meets ${countText(options.valuesPerKey)} values of another ` +
    `entity or field. Keys have ${options.keyLength} characters, cards ${CARD_TOKEN_CHARACTERS}.\n` +
    `Every payment meets each \`where\`, but 1% one that reads label or outcome, which come when the payment is on disk. ` +
    `Amounts come in no order.\n`
  );
}

async function requireCatalogue(file: string, lateness: number): Promise<CompiledCatalogue> {
  const result = await loadCatalogue(file, lateness);
  if (result.ok) return result.catalogue;
  const lines = result.problems.map(
    (problem) => `${problem.file}:${problem.line}:${problem.column} ${problem.message} [${problem.code}]`,
  );
  throw new UserError(lines.join('\n'));
}

function checkEntities(given: ReadonlyMap<string, number>, { keys }: StateMemory): void {
  const known = keys.map(({ entity }) => entity);
  for (const name of given.keys()) {
    if (known.includes(name)) continue;
    const closest = closestName(name, known);
    const hint = closest === undefined ? `it has ${known.join(', ')}` : `did you mean ${closest}?`;
    throw new UserError(`--entity: no feature of the catalogue is by '${name}'; ${hint}`, 2);
  }
}

function addCount(text: string, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [, name = '', digits = ''] = /^([A-Za-z_.+0-9]+)=(\d{1,9})$/.exec(text) ?? [];
  const count = Number(digits);
  if (name === '' || count < 1 || count > MAX_KEYS_PER_ENTITY) {
    const most = MAX_KEYS_PER_ENTITY.toLocaleString('en');
    throw new InvalidArgumentError(`Must be a name and a number of keys up to ${most}, e.g. card=10000000.`);
  }
  return new Map([...before, [name, count]]);
}

function latenessMs(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs <= MAX_LATENESS_MS) return durationMs;
  throw new InvalidArgumentError('Must be a length of time up to 1d, e.g. 10m.');
}
