import { SavedStateError } from '../../operators/savedState.ts';
import type { Engine } from '../engine/engine.ts';
import { SnapshotError, type Logger, type SnapshotStore } from '../ports.ts';
import { checkFits, type FittingStores } from './snapshotHeader.ts';

export interface RestoreServices extends FittingStores {
  readonly snapshots: Pick<SnapshotStore, 'offsets' | 'header' | 'read'>;
  /** Called for each try. The engine must not have taken any record. */
  readonly newEngine: () => Engine;
  readonly logger: Pick<Logger, 'warn'>;
  /** The share of the snapshot at `offset` that is read, up to 1. */
  readonly onProgress?: (offset: number, share: number) => void;
  /** Ends the reading; the engine is then one that begins at the ledger's start. */
  readonly signal?: AbortSignal;
}

/**
 * The engine as of the newest snapshot that can be used, or one that begins at the ledger's start. A snapshot that is
 * damaged, does not fit or cannot be read is refused with one line in the log, and costs no more than time.
 */
export async function restoreEngine(services: RestoreServices): Promise<Engine> {
  const { newEngine, logger } = services;
  const offsets = await offsetsIn(services);
  for (const [index, offset] of offsets.entries()) {
    const engine = newEngine();
    try {
      await loadSnapshot(engine, offset, services);
      return engine;
    } catch (error) {
      engine.close();
      await engine.closeModels();
      if (services.signal?.aborted === true) break;
      const next = offsets[index + 1];
      const instead = next === undefined ? 'the ledger from its start' : `the snapshot at offset ${next}`;
      logger.warn({ offset, ...reasonOf(error), instead }, 'snapshot refused');
    }
  }
  return newEngine();
}

async function offsetsIn({ snapshots, logger }: RestoreServices): Promise<readonly number[]> {
  try {
    return await snapshots.offsets();
  } catch (error) {
    logger.warn({ ...reasonOf(error), instead: 'the ledger from its start' }, 'snapshots cannot be listed');
    return [];
  }
}

async function loadSnapshot(engine: Engine, offset: number, services: RestoreServices): Promise<void> {
  const { snapshots, onProgress, signal } = services;
  const header = await snapshots.header(offset);
  if (header.offset !== offset)
    throw new SnapshotError('SLUICE_SNAPSHOT_DAMAGED', `it says that it is of offset ${header.offset}`);
  await checkFits(header, services);
  const state = await snapshots.read(offset, (share) => {
    signal?.throwIfAborted();
    onProgress?.(offset, share);
  });
  await engine.load(state);
  if (!state.isAtEnd) throw new SavedStateError('there is more in it than this Sluice reads');
  if (
    engine.nextOffset !== offset ||
    engine.lastPaymentOffset !== header.lastPaymentOffset ||
    (engine.configuration?.sha256 ?? null) !== header.configurationSha256
  )
    throw new SavedStateError('its state is not what its header says');
}

/** For the log: what is wrong, in one line. */
export function reasonOf(error: unknown): { readonly code: string; readonly reason: string } {
  const code = error instanceof Error && 'code' in error && String(error.code);
  const reason = error instanceof Error ? error.message : String(error);
  return { code: code && code.startsWith('SLUICE_') ? code : 'SLUICE_SNAPSHOT_CONTENT', reason };
}
