import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { z } from 'zod';
import { codecs } from '../../schemas/codec.ts';
import { decisionsOf } from './judgement.ts';

/** As models/training/handbook_protocol.py has them: the weeks that the book measures. */
const FIRST_TEST_MS = Date.UTC(2018, 7, 8);
const WEEKS = 4;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const LABEL_DELAY_MS = 7 * DAY_MS;
const AIM = { recall: 0.68, falsePositives: 0.001 };

interface Truth {
  readonly timeMs: number;
  readonly customer: string;
  readonly isFraud: boolean;
}

interface Week {
  genuine: number;
  frauds: number;
  falsePositives: number;
  found: number;
}

/**
 * What the rules of config/handbook find without any model: `dataFolder` is what `payments` were imported into without one. Found
 * is what any live rule fires on. As the book does it, customers with known fraud leave; beside it all payments of the same weeks.
 */
export async function handbookRulesMarkdown(payments: string, dataFolder: string): Promise<string> {
  const truth = await readTruth(payments);
  const [fired, rules] = await firedOn(dataFolder);
  const known = knownFrauds(truth);
  const weeks = Array.from({ length: WEEKS }, (_, index) => {
    const startMs = FIRST_TEST_MS + index * WEEK_MS;
    return {
      name: new Date(startMs).toISOString().slice(0, 10),
      protocol: week(truth, fired, startMs, known),
      all: week(truth, fired, startMs, null),
    };
  });
  const sum = (of: readonly Week[]): Week =>
    of.reduce((one, other) => ({
      genuine: one.genuine + other.genuine,
      frauds: one.frauds + other.frauds,
      falsePositives: one.falsePositives + other.falsePositives,
      found: one.found + other.found,
    }));
  const all = {
    name: 'all four',
    protocol: sum(weeks.map((each) => each.protocol)),
    all: sum(weeks.map((each) => each.all)),
  };
  const isReached =
    all.protocol.found / all.protocol.frauds >= AIM.recall &&
    all.protocol.falsePositives / all.protocol.genuine <= AIM.falsePositives;
  return [
    '## Rules alone',
    '',
    `The ${rules} rules of \`config/handbook\`, decided by the engine without a model, labels as known by then; their numbers come from`,
    'payments before August. The same four weeks: as the book measures, customers with known fraud left out, and all payments.',
    `\`npx tsx tools/judgeHandbook.ts transactions.csv.gz\` repeats it. Aimed at: recall ${AIM.recall} at ${percent(AIM.falsePositives)} false positives, with`,
    `at most 12 rules: ${isReached && rules <= 12 ? 'reached' : 'MISSED'}.`,
    '',
    '| week from | frauds | recall | false positives | all frauds | recall | false positives |',
    '|---|---|---|---|---|---|---|',
    ...[...weeks, all].map(({ name, protocol, all: every }) => `| ${name} | ${cells(protocol)} | ${cells(every)} |`),
    '',
  ].join('\n');
}

function cells({ genuine, frauds, falsePositives, found }: Week): string {
  return `${frauds.toLocaleString('en')} | ${(found / frauds).toFixed(3)} | ${percent(falsePositives / genuine)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)}%`;
}

const row = z.object({
  TRANSACTION_ID: z.string(),
  TX_DATETIME: z.string(),
  CUSTOMER_ID: z.string(),
  TX_FRAUD: z.string(),
});

async function readTruth(payments: string): Promise<ReadonlyMap<string, Truth>> {
  const truth = new Map<string, Truth>();
  const file = createReadStream(payments);
  const text = payments.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  for await (const record of text.pipe(parse({ columns: true }))) {
    const { TRANSACTION_ID: id, TX_DATETIME: time, CUSTOMER_ID: customer, TX_FRAUD: fraud } = row.parse(record);
    const timeMs = Date.parse(`${time.replace(' ', 'T')}Z`);
    const isNeeded = timeMs >= FIRST_TEST_MS - WEEK_MS - LABEL_DELAY_MS && timeMs < FIRST_TEST_MS + WEEKS * WEEK_MS;
    if (isNeeded) truth.set(id, { timeMs, customer, isFraud: fraud === '1' });
  }
  return truth;
}

/** Payments that a live rule fired on, and how many rules were live. */
async function firedOn(dataFolder: string): Promise<readonly [fired: ReadonlySet<string>, rules: number]> {
  const fired = new Set<string>();
  const names = new Set<string>();
  for await (const value of decisionsOf(dataFolder)) {
    const { transactionId, rulesFired, modelId } = codecs.decision.decode(value);
    if (modelId !== null) throw new Error(`${dataFolder} was decided with a model`);
    const live = rulesFired.filter(({ mode }) => mode === 'live');
    for (const { rule } of live) names.add(rule);
    if (live.length > 0) fired.add(transactionId);
  }
  return [fired, names.size];
}

/** Times of each customer's frauds, rising. */
function knownFrauds(truth: ReadonlyMap<string, Truth>): ReadonlyMap<string, readonly number[]> {
  const known = new Map<string, number[]>();
  for (const { customer, timeMs, isFraud } of truth.values()) {
    if (!isFraud) continue;
    const times = known.get(customer);
    if (times === undefined) known.set(customer, [timeMs]);
    else times.push(timeMs);
  }
  return known;
}

/** `known`: customers leave whose fraud is known on the day; null: nobody does. */
function week(
  truth: ReadonlyMap<string, Truth>,
  fired: ReadonlySet<string>,
  startMs: number,
  known: ReadonlyMap<string, readonly number[]> | null,
): Week {
  const found: Week = { genuine: 0, frauds: 0, falsePositives: 0, found: 0 };
  for (const [id, { timeMs, customer, isFraud }] of truth) {
    if (timeMs < startMs || timeMs >= startMs + WEEK_MS) continue;
    const dayMs = Math.floor(timeMs / DAY_MS) * DAY_MS;
    const isKnown = known
      ?.get(customer)
      ?.some((fraudMs) => fraudMs >= startMs - WEEK_MS - LABEL_DELAY_MS && fraudMs < dayMs - LABEL_DELAY_MS);
    if (isKnown === true) continue;
    const isFired = fired.has(id);
    if (isFraud) {
      found.frauds += 1;
      if (isFired) found.found += 1;
    } else {
      found.genuine += 1;
      if (isFired) found.falsePositives += 1;
    }
  }
  return found;
}
