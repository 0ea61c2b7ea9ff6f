import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileCatalogue, type CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import type { FeatureState } from '../../operators/features/featureState.ts';
import { copyState } from '../../operators/testing/memoryState.ts';
import { ReservoirFolder } from './reservoirFolder.ts';

const START_MS = 1_700_000_000_000;
const PAYMENTS = 20_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-reservoir-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a reservoir folder', () => {
  it('gives the features that memory gives, and keeps no more than the windows hold', async () => {
    const catalogue = labelledCatalogue();
    // Blocks of 64 events, files of about ten blocks.
    const storage = new ReservoirFolder(folder, { fileBytes: 25_000 }).open();
    const limits = { chunkCapacity: 32, blockCapacity: 64 };
    const onFiles = createFeatureState(catalogue, limits, storage);
    const inMemory = createFeatureState(catalogue, { chunkCapacity: 32, blockCapacity: 1_024 });
    const [expected, actual] = [inMemory, onFiles].map((state) => run(state, catalogue));
    expect(actual).toEqual(expected);
    expect(onFiles.statistics()).toMatchObject({ unknownLabels: 0, headEvents: inMemory.statistics().headEvents });
    const held = onFiles.statistics().events;
    expect(held).toBeLessThan(PAYMENTS / 4);
    await vi.waitFor(() => {
      expect(readdirSync(join(folder, '1')).length).toBeLessThan(15);
    });
    onFiles.close();
    await vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual([]);
    });
  });

  it('goes on from a saved state with the same features, when the state that saved is gone', async () => {
    const catalogue = labelledCatalogue();
    const limits = { chunkCapacity: 32, blockCapacity: 64 };
    const expected = run(createFeatureState(catalogue, limits), catalogue);
    const reservoirs = new ReservoirFolder(join(folder, 'live'), { fileBytes: 25_000 });
    const half = PAYMENTS / 2;
    const before = createFeatureState(catalogue, limits, reservoirs.open());
    const values = run(before, catalogue, 0, half);
    const after = copyState(before, createFeatureState(catalogue, limits, reservoirs.open()));
    before.close();
    await vi.waitFor(() => {
      expect(readdirSync(join(folder, 'live'))).toEqual(['2']);
    });
    expect([...values, ...run(after, catalogue, half)]).toEqual(expected);
  });

  it('removes what an earlier run left, and never takes its names', async () => {
    mkdirSync(join(folder, '7'));
    writeFileSync(join(folder, '7', 'events-000000'), 'old');
    const reservoirs = new ReservoirFolder(folder);
    reservoirs.open();
    reservoirs.open();
    await vi.waitFor(() => {
      expect(readdirSync(folder).sort()).toEqual(['8', '9']);
    });
  });
});

function labelledCatalogue(): CompiledCatalogue {
  const account = { entity: ['account' as const] };
  const compiled = compileCatalogue(
    [
      { ...account, name: 'count', aggregate: 'count', windowMs: 400_000 },
      { ...account, name: 'sum', aggregate: 'sum', of: 'amountMinor', windowMs: 60_000, delayMs: 60_000 },
      { ...account, name: 'max', aggregate: 'max', of: 'amountMinor', windowMs: 200_000, delayMs: 100_000 },
      { ...account, name: 'fraud', aggregate: 'rate', windowMs: 300_000, delayMs: 100_000, where: "label == 'fraud'" },
    ],
    5_000,
  );
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

/** Payments at 10 a second, every seventh late, every eleventh labelled some minutes later. */
function run(state: FeatureState, catalogue: CompiledCatalogue, from = 0, to = PAYMENTS): number[] {
  const out = new Float64Array(catalogue.names.length);
  const values: number[] = [];
  for (let index = from; index < to; index++) {
    const lateMs = index % 7 === 0 ? (index * 31) % 5_000 : 0;
    const eventTimeMs = START_MS + index * 100 - lateMs;
    const tx = {
      ...bareTransaction,
      eventTimeMs,
      account: `a${(index * 13) % 50}`,
      amountMinor: (index * 7_919) % 10_007,
    };
    state.addTransaction(tx, index * 3, out, 0);
    values.push(...out);
    if (index < 3_000 || index % 11 !== 0) continue;
    const label = index % 2 === 0 ? ('fraud' as const) : ('genuine' as const);
    const transactionOffset = (index - 200 - (index % 2_500)) * 3;
    const source = { labelSource: 'other' as const, fraudType: null };
    state.addLabel({ transactionId: 't', eventTimeMs, transactionOffset, label, ...source });
  }
  return values;
}
