import { describe, expect, it } from 'vitest';
import { decodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { ConfigurationDefinition } from '../../operators/definitions.ts';
import { TopologyDriver } from '../testing/topologyDriver.ts';
import { MemoryDecisionStore } from '../testing/memoryDecisionStore.ts';
import { MemoryLedger } from '../testing/memoryLedger.ts';
import type { CsvMapping } from '../csvMapping.ts';
import { CsvMapper } from './csvMapper.ts';
import { runImport, type ImportProgress } from './importRun.ts';
import { mergeLabels } from './mergeLabels.ts';

const mapping: CsvMapping = {
  transaction: {
    transactionId: { column: 'ID' },
    eventTimeMs: { column: 'TIME', format: 'dateTime' },
    amountMinor: { column: 'AMOUNT', decimals: 2 },
    type: { constant: 'purchase' },
    channel: { constant: 'card' },
    currency: { constant: 'EUR' },
    texts: { account: { column: 'CUSTOMER' } },
  },
  label: {
    column: 'FRAUD',
    fraudValues: ['1'],
    delayMs: 60_000,
    labelSource: 'simulation',
    includeGenuine: false,
    fraudType: null,
  },
};
const thresholds = { challenge: 600, review: 800, decline: 950 };
const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 0,
  recentIds: 100,
  features: [{ name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' }],
  rules: [],
  lists: [],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};
const header = ['ID', 'TIME', 'AMOUNT', 'CUSTOMER', 'FRAUD'];
const file = [
  ['x-0', '2018-04-01 00:00:00', '57.16', '596', '1'],
  ['x-1', '2018-04-01 00:00:30', '1', '596', '0'],
  ['x-2', '2018-04-01 00:01:00', '0.49499999', '597', '0'],
  ['x-3', '2018-04-01 00:01:01', '12,34', '597', '0'],
  ['x-4', '2018-04-01 00:02:00', '2.995', '', '1'],
];

async function* rows(): AsyncGenerator<ReturnType<CsvMapper['map']>> {
  const mapper = new CsvMapper(mapping, header);
  for (const row of file) yield await Promise.resolve(mapper.map(row));
}

/** Imports into the ledger as the command does: with an engine that decides on what comes. */
async function importInto(ledger: MemoryLedger, decisions = new MemoryDecisionStore()): Promise<ImportProgress> {
  const driver = await TopologyDriver.start({ definition, ledger, decisions });
  const progress = await runImport(mergeLabels(rows()), {
    services: {
      ledger,
      decisions,
      clock: () => 1_600_000_000_000,
      telemetry: driver.telemetry,
      cardKey: Buffer.alloc(32),
    },
    source: 'import:test',
    engineOffset: () => driver.pipeline.engine.nextOffset,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  await driver.stop();
  return progress;
}

async function contents(ledger: MemoryLedger): Promise<unknown[]> {
  return (await ledger.read(0, 100)).map((row) => {
    const { kind, event } = decodeLedgerRecord(row.value);
    if (kind === 'transaction') return `${event.transactionId} ${String(event.amountMinor)}`;
    if (kind === 'label') return `label ${event.transactionId} of ${String(event.transactionOffset)}`;
    return kind;
  });
}

const expected = [
  'ruleSetPublication',
  'x-0 5716',
  'x-1 100',
  'label x-0 of 1',
  'x-2 49',
  'deadLetter',
  'x-4 300',
  'label x-4 of 6',
];

describe('an import', () => {
  it('puts each label before the first payment that could know it, and refused rows aside', async () => {
    const ledger = new MemoryLedger();
    expect(await importInto(ledger)).toEqual({
      events: 7,
      payments: 4,
      labels: 2,
      outcomes: 0,
      deadLetters: 1,
      resumedPayments: 0,
    });
    expect(await contents(ledger)).toEqual(expected);
  });

  it('adds nothing when it is run again', async () => {
    const ledger = new MemoryLedger();
    await importInto(ledger);
    expect(await importInto(ledger)).toEqual({
      events: 7,
      payments: 4,
      labels: 2,
      outcomes: 0,
      deadLetters: 1,
      resumedPayments: 4,
    });
    expect(await contents(ledger)).toEqual(expected);
  });

  it.each([1, 2, 3, 4, 5, 6, 7])('goes on where it stopped after %i records', async (done) => {
    const whole = new MemoryLedger();
    await importInto(whole);
    const ledger = new MemoryLedger((await whole.read(0, done)).map((row) => row.value));
    await importInto(ledger);
    expect(await contents(ledger)).toEqual(expected);
  });
});

describe('a mapping', () => {
  it('names the column that the file lacks', () => {
    expect(() => new CsvMapper(mapping, ['ID'])).toThrow(
      "SLUICE_IMPORT_COLUMN: the file has no column 'AMOUNT'; its first line has ID",
    );
  });
});
