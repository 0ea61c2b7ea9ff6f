import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulatedLedger } from '../../bench/simulatedLedger.ts';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileCatalogue, type CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import { catalogue as randomCatalogue, playStream, stream } from '../../operators/features/testing/randomStream.ts';
import type { FeatureSkew } from '../../pipeline/featureSkew.ts';
import type { HistoryRecord } from '../../pipeline/ports.ts';
import { decodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { Label, Outcome } from '../../schemas/types.ts';
import { loadDeployment } from '../deployment/loadDeployment.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { compareWithHistory, readNumber } from './skewQuery.ts';
import { TestEngine } from './testing/engine.ts';
import { eventRecord, paymentRecord } from './testing/paymentRecord.ts';

/** CI's size; the whole check is 100,000. */
const PAYMENTS = Number(process.env['SLUICE_PARITY_PAYMENTS'] ?? 10_000);
const BATCH_RECORDS = 20_000;
const STREAMS = 12;
const STREAM_STEPS = 150;
const MINUTES_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);
const seed = Number(process.env['SLUICE_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));

if (platformPackage() === undefined) console.log('featureSql.test: no ClickHouse engine for this platform, not run');

describe.runIf(platformPackage() !== undefined)('features in SQL over the history', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await TestEngine.start();
  });
  afterAll(async () => {
    await engine.stop();
  });

  it(
    'are the engine’s on random catalogues and streams: late, disordered, tied, labelled, declined, reversed',
    async () => {
      console.log(`featureSql.test: SLUICE_TEST_SEED=${seed}`);
      const cases = fc.sample(fc.tuple(randomCatalogue, stream(STREAM_STEPS)), { seed, numRuns: STREAMS });
      let values = 0;
      for (const [catalogue, steps] of cases) {
        const state = createFeatureState(catalogue);
        const records: HistoryRecord[] = [];
        playStream(steps, {
          addLabel: (label: Label) => {
            state.addLabel(label);
            // What labels no payment goes into history without an offset.
            const transactionOffset = (label.transactionOffset ?? -1) < 0 ? null : label.transactionOffset;
            records.push(eventRecord(records.length, { kind: 'label', event: { ...label, transactionOffset } }));
          },
          addOutcome: (outcome: Outcome) => {
            state.addOutcome(outcome);
            const transactionOffset = (outcome.transactionOffset ?? -1) < 0 ? null : outcome.transactionOffset;
            records.push(eventRecord(records.length, { kind: 'outcome', event: { ...outcome, transactionOffset } }));
          },
          addReversal: (reversal, originalOffset) => state.addReversal(reversal, originalOffset),
          advanceTime: (eventTimeMs) => {
            state.advanceTime(eventTimeMs);
            records.push(eventRecord(records.length, { kind: 'tick', event: { eventTimeMs } }));
          },
          addTransaction: (tx, offset) => {
            const features = new Float64Array(catalogue.names.length);
            const late = state.addTransaction(tx, offset, features, 0);
            const decided = { features: [...features], late, engineTimeMs: state.timeMs };
            records.push(paymentRecord(offset, tx, { ...decided, catalogueSha256: catalogue.sha256 }));
          },
        });
        values += valuesCompared(await skewOf(engine, catalogue, records));
      }
      console.log(`featureSql.test: ${values} values of random streams are equal`);
      expect(values).toBeGreaterThan(1_000);
    },
    5 * MINUTES_MS,
  );

  it('are told from a value that was recorded wrongly', async () => {
    const definition = { name: 'card_count', aggregate: 'count', entity: ['card'], windowMs: 1_000 } as const;
    const compiled = compileCatalogue([definition], 0);
    if (!compiled.ok) throw new Error('the catalogue is not sound');
    const { value: catalogue } = compiled;
    const records = [1, 2, 2].map((recorded, offset) => {
      const tx = { ...bareTransaction, eventTimeMs: START_MS + offset, card: { token: 'x', bin: null, last4: null } };
      return paymentRecord(offset, tx, { features: [recorded], catalogueSha256: catalogue.sha256 });
    });
    const [line] = (await skewOf(engine, catalogue, records)).lines();
    expect(line).toMatchObject({ compared: 3, equal: 2, different: 1 });
    expect(line?.examples).toEqual([{ ledgerOffset: 2, recorded: 2, computed: 3 }]);
  });

  it(
    `are the engine’s for the default catalogue on ${PAYMENTS} simulated payments`,
    async () => {
      const loaded = await loadDeployment('config/default');
      if (!loaded.ok) throw new Error('config/default is not sound');
      const { catalogue } = loaded.deployment.configuration;
      const state = createFeatureState(catalogue);
      const records = simulatedLedger(loaded.deployment, PAYMENTS).map(({ offset, value }) => {
        const record = decodeLedgerRecord(value);
        if (record.kind === 'label') state.addLabel(record.event);
        if (record.kind === 'outcome') state.addOutcome(record.event);
        if (record.kind !== 'transaction') return { ...eventRecord(offset, record), value };
        const features = new Float64Array(catalogue.names.length);
        const late = state.addTransaction(record.event, offset, features, 0);
        const decided = { features: [...features], late, engineTimeMs: state.timeMs };
        return paymentRecord(offset, record.event, { ...decided, catalogueSha256: catalogue.sha256 });
      });
      const startMs = performance.now();
      const skew = await skewOf(engine, catalogue, records);
      const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
      const values = valuesCompared(skew);
      const equal = skew.lines().reduce((total, line) => total + line.equal, 0);
      console.log(
        `featureSql.test: ${PAYMENTS} payments x ${catalogue.names.length} features: ${values} values compared, ` +
          `${equal} equal to the last bit, none further apart than 1e-9; ${seconds} s of SQL`,
      );
      expect(values).toBe(PAYMENTS * catalogue.names.length);
    },
    15 * MINUTES_MS,
  );
});

async function skewOf(
  engine: TestEngine,
  catalogue: CompiledCatalogue,
  records: readonly HistoryRecord[],
): Promise<FeatureSkew> {
  await engine.empty();
  const history = new ClickHouseHistory({ url: engine.clickHouse.url });
  try {
    await history.prepare([{ catalogueSha256: catalogue.sha256, names: catalogue.names }]);
    for (let from = 0; from < records.length; from += BATCH_RECORDS) {
      const part = records.slice(from, from + BATCH_RECORDS);
      await history.write({ fromOffset: from, toOffset: from + part.length, records: part });
    }
    const offsets = records.filter(({ decision }) => decision !== null).map(({ offset }) => offset);
    return await compareWithHistory(
      catalogue,
      offsets,
      (query) => numberRows(engine, query),
      () => undefined,
    );
  } finally {
    await history.close();
  }
}

async function numberRows(engine: TestEngine, query: string): Promise<readonly (readonly number[])[]> {
  const result = await engine.client.query({ query, format: 'JSONCompactEachRow' });
  const rows = await result.json<unknown[]>();
  return rows.map((row) => row.map(readNumber));
}

/** Fails when a value differs. */
function valuesCompared(skew: FeatureSkew): number {
  expect(skew.lines().filter(({ different }) => different > 0)).toEqual([]);
  return skew.lines().reduce((total, { compared }) => total + compared, 0);
}
