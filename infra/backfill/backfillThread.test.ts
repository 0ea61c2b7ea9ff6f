import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import type { FeatureState } from '../../operators/features/featureState.ts';
import { featuresOnlyEngine } from '../../pipeline/engine/featureBackfill.ts';
import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { Transaction } from '../../schemas/types.ts';
import { openLmdb, type LmdbData } from '../lmdb/openLmdb.ts';
import { ReservoirFolder } from '../reservoir/reservoirFolder.ts';
import { BackfillThreads } from './backfillThread.ts';

const START_MS = 1_767_225_600_000;
/** Some blocks are sealed, and some events leave their windows. */
const PAYMENTS = 6_000;

let dataDir: string;
let data: LmdbData;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-backfill-'));
  data = openLmdb(dataDir);
});

afterEach(async () => {
  await data.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('a backfill thread', () => {
  it('hands over what this thread would have built, blocks included', async () => {
    await data.ledger.append(records(0, PAYMENTS));
    const { catalogue, canonicalJson } = configuration();
    const reservoirs = new ReservoirFolder(join(dataDir, 'reservoir'));
    const run = new BackfillThreads(dataDir, reservoirs).start(canonicalJson);
    // What comes later than its start is taken in too.
    await data.ledger.append(records(PAYMENTS, 100));
    await vi.waitFor(() => expect(run.nextOffset).toBe(PAYMENTS + 100), { timeout: 30_000 });
    const engine = featuresOnlyEngine(createFeatureState(catalogue, {}, reservoirs.open()));
    await engine.load(await run.handOver());
    await run.end();
    expect(readdirSync(join(dataDir, 'reservoir'))).toEqual(['2']);
    expect(readdirSync(join(dataDir, 'reservoir', '2')).length).toBeGreaterThan(0);
    expect(engine.nextOffset).toBe(PAYMENTS + 100);

    const expected = createFeatureState(catalogue);
    for (let index = 0; index < PAYMENTS + 100; index++) values(expected, index);
    const { features } = engine;
    if (features === null) throw new Error('the engine has no features');
    for (let index = PAYMENTS + 100; index < 3 * PAYMENTS; index++) {
      expect(values(features, index)).toEqual(values(expected, index));
    }
    engine.close();
  });

  it('that is given up leaves nothing', async () => {
    await data.ledger.append(records(0, 10));
    const run = new BackfillThreads(dataDir, new ReservoirFolder(join(dataDir, 'reservoir'))).start(
      configuration().canonicalJson,
    );
    await vi.waitFor(() => expect(run.nextOffset).toBe(10), { timeout: 30_000 });
    expect(readdirSync(join(dataDir, 'reservoir'))).toEqual(['1']);
    await run.end();
    await vi.waitFor(() => expect(readdirSync(join(dataDir, 'reservoir'))).toEqual([]));
  });

  it('that cannot go on says why', async () => {
    const run = new BackfillThreads(dataDir, new ReservoirFolder(join(dataDir, 'reservoir'))).start('{}');
    await expect(run.failed).rejects.toThrow('SLUICE_BACKFILL_CONFIGURATION');
    await run.end();
  });
});

function configuration(): CompiledConfiguration {
  const thresholds = { challenge: 600, review: 800, decline: 930 };
  const account = { entity: ['account' as const] };
  const compiled = compileConfiguration({
    ruleSetVersion: '1',
    latenessMs: 10_000,
    recentIds: 1_000,
    features: [
      { ...account, name: 'sum', aggregate: 'sum', of: 'amountMinor', windowMs: 300_000 },
      { ...account, name: 'merchants', aggregate: 'distinct', of: 'merchant', windowMs: 400_000 },
      { ...account, name: 'fraud', aggregate: 'rate', windowMs: 200_000, where: "label == 'fraud'" },
    ],
    rules: [],
    lists: [],
    policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

function payment(index: number): Transaction {
  return {
    ...bareTransaction,
    transactionId: `t-${index}`,
    eventTimeMs: START_MS + index * 100 - (index % 7 === 0 ? 5_000 : 0),
    account: `a-${(index * 13) % 50}`,
    merchant: `m-${(index * 17) % 23}`,
    amountMinor: (index * 7_919) % 10_007,
  };
}

function records(from: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    encodeLedgerRecord({ kind: 'transaction', event: payment(from + index) }, START_MS, 'test'),
  );
}

function values(features: FeatureState, index: number): number[] {
  const out = new Float64Array(features.catalogue.names.length);
  features.addTransaction(payment(index), index, out, 0);
  return [...out];
}
