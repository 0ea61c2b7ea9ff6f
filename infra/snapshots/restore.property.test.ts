import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../pipeline/engine/engine.ts';
import { restoreEngine } from '../../pipeline/snapshots/restoreEngine.ts';
import { snapshotHeader } from '../../pipeline/snapshots/snapshotHeader.ts';
import { ledgerSteps, LedgerRun } from '../../pipeline/testing/ledgerRun.ts';
import { ReservoirFolder } from '../reservoir/reservoirFolder.ts';
import { SnapshotFolder } from './snapshotFolder.ts';

const runs = Number(process.env['SLUICE_PROPERTY_RUNS'] ?? 40);
const KEEP = 4;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-restore-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What may become of a snapshot, and how it is then refused. */
const refusals = {
  nothing: /^$/,
  flippedBit: /^SLUICE_SNAPSHOT_(DAMAGED|VERSION)$/,
  truncated: /^SLUICE_SNAPSHOT_DAMAGED$/,
  missing: /^SLUICE_SNAPSHOT_DAMAGED$/,
  otherLayout: /^SLUICE_SNAPSHOT_VERSION$/,
  otherLedger: /^SLUICE_SNAPSHOT_FOREIGN$/,
  undecided: /^SLUICE_SNAPSHOT_FOREIGN$/,
  otherState: /^SLUICE_SNAPSHOT_CONTENT$/,
  missingEvents: /^SLUICE_SNAPSHOT_CONTENT$/,
};
type Fate = keyof typeof refusals;
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Fate>('nothing') },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Fate[]>(
      'flippedBit',
      'truncated',
      'missing',
      'otherLayout',
      'otherLedger',
      'undecided',
      'otherState',
      'missingEvents',
    ),
  },
);
/** Where the ledger is cut, what becomes of the snapshot, and where in its file. */
const plan = fc.tuple(fc.integer({ min: 1, max: 100 }), fate, fc.double({ min: 0, max: 0.999, noNaN: true }));

/** Long enough for sealed events in files, which few of the random ledgers have: so no run of the test passes them by. */
const longLedger = fc
  .sample(ledgerSteps, { seed: 1, numRuns: 50 })
  .reduce((longest, steps) => (steps.length > longest.length ? steps : longest));

describe('an engine restored from snapshot files', () => {
  it('goes on as if from the start, from the newest snapshot that is whole and of its ledger', async () => {
    const times = { restored: 0, fromStart: 0, eventsMissing: 0 };
    await fc.assert(
      fc.asyncProperty(ledgerSteps, fc.array(plan, { maxLength: KEEP }), async (steps, plans) => {
        const own = mkdtempSync(join(folder, 'run-'));
        const run = await LedgerRun.over(steps);
        const reservoirs = new ReservoirFolder(join(own, 'reservoir'), { fileBytes: 1_000 });
        const snapshots = new SnapshotFolder(join(own, 'snapshots'), { keep: KEEP, frameBytes: 2_000 });
        const saving = run.engine(Infinity, () => reservoirs.open());
        const fates = new Map<number, Fate>();
        for (const [percent, kind, at] of plans.sort(([a], [b]) => a - b)) {
          const offset = Math.max(1, Math.round((percent / 100) * run.ledger.endOffset()));
          await run.process(saving, offset);
          await write(snapshots, saving, run, kind);
          const isDone = damage(join(own, 'snapshots', `offset-${String(offset).padStart(16, '0')}`), kind, at);
          fates.set(offset, isDone ? kind : 'nothing');
          times.eventsMissing += isDone && kind === 'missingEvents' ? 1 : 0;
        }
        // What a killed process leaves of the events that it held in files.
        saving.close();
        await saving.closeModels();

        const refused: { readonly offset?: unknown; readonly code?: unknown }[] = [];
        const engine = await restoreEngine({
          snapshots,
          ledger: run.ledger,
          decisions: run.decisions,
          // What follows the snapshot is decided again, and compared.
          newEngine: () => run.engine(-1, () => reservoirs.open()),
          logger: { warn: (fields) => refused.push(fields) },
        });
        const newestFirst = [...fates].sort(([a], [b]) => b - a);
        const usable = newestFirst.findIndex(([, kind]) => kind === 'nothing');
        const unusable = usable < 0 ? newestFirst : newestFirst.slice(0, usable);
        expect(refused.map(({ offset }) => offset)).toEqual(unusable.map(([offset]) => offset));
        for (const [index, [, kind]] of unusable.entries()) expect(refused[index]?.code).toMatch(refusals[kind]);
        expect(engine.nextOffset).toBe(newestFirst[usable]?.[0] ?? 0);
        times[engine.nextOffset > 0 ? 'restored' : 'fromStart'] += 1;
        await run.process(engine, run.ledger.endOffset());
        run.expectSameEnd(engine);
        engine.close();
        await engine.closeModels();
      }),
      { numRuns: runs, examples: [[longLedger, [[100, 'missingEvents', 0.5]]]] },
    );
    expect(times.restored).toBeGreaterThan(0);
    expect(times.fromStart).toBeGreaterThan(0);
    expect(times.eventsMissing).toBeGreaterThan(0);
  });
});

async function write(snapshots: SnapshotFolder, engine: Engine, run: LedgerRun, kind: Fate): Promise<void> {
  const header = await snapshotHeader(engine, run.ledger);
  switch (kind) {
    case 'otherLayout':
      await snapshots.write({ ...header, layout: header.layout + 1 }, 0, (output) => engine.save(output));
      return;
    case 'otherLedger':
      await snapshots.write({ ...header, lastRecordSha256: '0'.repeat(64) }, 0, (output) => engine.save(output));
      return;
    case 'undecided':
      await snapshots.write({ ...header, lastPaymentOffset: run.ledger.endOffset() }, 0, (output) =>
        engine.save(output),
      );
      return;
    case 'otherState':
      await snapshots.write(header, 0, (output) => {
        engine.save(output);
        output.text('more');
      });
      return;
    case 'nothing':
    case 'flippedBit':
    case 'truncated':
    case 'missing':
    case 'missingEvents':
      await snapshots.write(header, 0, (output) => engine.save(output));
  }
}

/** Returns false when there is nothing to be damaged so. */
function damage(folder: string, kind: Fate, at: number): boolean {
  const path = join(folder, 'state');
  if (kind === 'missingEvents') {
    const names = readdirSync(folder).filter((name) => name !== 'state');
    const name = names[Math.floor(at * names.length)];
    if (name === undefined) return false;
    rmSync(join(folder, name));
    return true;
  }
  const bytes = readFileSync(path);
  const place = Math.floor(at * bytes.length);
  if (kind === 'flippedBit') bytes[place]! ^= 1 << (place & 7);
  if (kind === 'flippedBit') writeFileSync(path, bytes);
  if (kind === 'truncated') truncateSync(path, place);
  if (kind === 'missing') rmSync(path);
  return true;
}
