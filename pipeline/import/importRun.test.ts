import { describe, expect, it } from 'vitest';
import { decodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import { CountingTelemetry } from '../testing/topologyDriver.ts';
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
const header = ['ID', 'TIME', 'AMOUNT', 'CUSTOMER', 'FRAUD'];
const file = [
  ['x-0', '2018-04-01 00:00:00', '57.16', '596', '1'],
  ['x-1', '2018-04-01 00:00:30', '1', '596', '0'],
  ['x-2', '2018-04-01 00:01:00', '0.5', '597', '0'],
  ['x-3', '2018-04-01 00:01:01', '12.345', '597', '0'],
  ['x-4', '2018-04-01 00:02:00', '3', '', '1'],
];

async function* rows(): AsyncGenerator<ReturnType<CsvMapper['map']>> {
  const mapper = new CsvMapper(mapping, header);
  for (const row of file) yield await Promise.resolve(mapper.map(row));
}

async function importInto(ledger: MemoryLedger, signal = new AbortController().signal): Promise<ImportProgress> {
  return runImport(mergeLabels(rows()), {
    services: {
      ledger,
      decisions: new MemoryDecisionStore(),
      clock: () => 1,
      telemetry: new CountingTelemetry(),
      cardKey: Buffer.alloc(32),
    },
    source: 'import:test',
    engineOffset: () => ledger.endOffset(),
    signal,
    onProgress: () => undefined,
  });
}

async function contents(ledger: MemoryLedger): Promise<unknown[]> {
  return (await ledger.read(0, 100)).map((row) => {
    const { kind, event } = decodeLedgerRecord(row.value);
    if (kind === 'transaction') return `${event.transactionId} ${String(event.amountMinor)}`;
    if (kind === 'label') return `label ${event.transactionId} of ${String(event.transactionOffset)}`;
    return kind;
  });
}

const expected = ['x-0 5716', 'x-1 100', 'label x-0 of 0', 'x-2 50', 'deadLetter', 'x-4 300', 'label x-4 of 5'];

describe('an import', () => {
  it('puts each label before the first payment that could know it, and refused rows aside', async () => {
    const ledger = new MemoryLedger();
    expect(await importInto(ledger)).toEqual({ events: 7, payments: 4, labels: 2, deadLetters: 1 });
    expect(await contents(ledger)).toEqual(expected);
  });

  it('adds nothing when it is run again', async () => {
    const ledger = new MemoryLedger();
    await importInto(ledger);
    expect(await importInto(ledger)).toEqual({ events: 7, payments: 4, labels: 2, deadLetters: 1 });
    expect(await contents(ledger)).toEqual(expected);
  });

  it.each([1, 2, 3, 4, 5, 6])('goes on where it stopped after %i records', async (done) => {
    const whole = new MemoryLedger();
    await importInto(whole);
    const ledger = new MemoryLedger((await whole.read(0, done)).map((row) => row.value));
    const decisions = new MemoryDecisionStore();
    await importInto(ledger);
    expect(decisions.lastOffset()).toBe(-1);
    const found = await contents(ledger);
    // Without the earlier run's decisions a label of one of its payments has no offset to point to.
    expect(found.length).toBe(expected.length);
    expect(found.filter((line) => line !== 'deadLetter')).toEqual(
      expected.filter((line) => found.includes(line) && line !== 'deadLetter'),
    );
  });
});

describe('a mapping', () => {
  it('names the column that the file lacks', () => {
    expect(() => new CsvMapper(mapping, ['ID'])).toThrow(
      "SLUICE_IMPORT_COLUMN: the file has no column 'TIME'; it has ID",
    );
  });
});
