import { setTimeout as sleep } from 'node:timers/promises';
import { advanceEngine } from '../engine/advanceEngine.ts';
import type { Ledger, SnapshotStore } from '../ports.ts';
import { restoreEngine, type RestoreServices } from './restoreEngine.ts';
import { snapshotHeader } from './snapshotHeader.ts';

export interface TakeServices extends RestoreServices {
  readonly ledger: Pick<Ledger, 'read' | 'endOffset'>;
  readonly snapshots: SnapshotStore;
  readonly signal: AbortSignal;
}

export interface TakenSnapshot {
  readonly offset: number;
  readonly bytes: number;
  /** Time that the writing took. */
  readonly writeSeconds: number;
  /** Time that getting there took: the last snapshot and the records since. */
  readonly catchUpSeconds: number;
}

const DECISION_POLL_MS = 20;

/**
 * Takes a snapshot at the ledger's end, with an engine of its own that starts from the last snapshot and only advances: the
 * one that decides is not asked for anything. So every snapshot shows that the one before can be used. Null: the signal
 * aborted before there was one.
 */
export async function takeSnapshot(services: TakeServices): Promise<TakenSnapshot | null> {
  const { snapshots, ledger, decisions, signal } = services;
  const startMs = performance.now();
  const engine = await restoreEngine(services);
  try {
    await advanceEngine(engine, ledger, ledger.endOffset(), signal);
    // A payment in the snapshot is never decided by whoever starts from it: its decision must be stored before.
    while (decisions.lastOffset() < engine.lastPaymentOffset && !signal.aborted) await sleep(DECISION_POLL_MS);
    if (signal.aborted || engine.nextOffset === 0) return null;
    const header = await snapshotHeader(engine, ledger);
    const caughtUpMs = performance.now();
    const expectedBytes = engine.features?.statistics().bytes ?? 0;
    const bytes = await snapshots.write(header, expectedBytes, (output) => engine.save(output));
    const writeSeconds = (performance.now() - caughtUpMs) / 1_000;
    return { offset: header.offset, bytes, writeSeconds, catchUpSeconds: (caughtUpMs - startMs) / 1_000 };
  } finally {
    engine.close();
  }
}
