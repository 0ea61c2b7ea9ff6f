import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import type { DecisionStore, Ledger, ModelStore } from '../../pipeline/ports.ts';
import { DataFolderError } from './dataFolderError.ts';
import { DEFAULT_COMMIT_LIMITS } from './groupCommit.ts';
import type { CommitLimits } from './groupCommit.ts';
import { LmdbDecisionStore } from './lmdbDecisionStore.ts';
import { LmdbLedger } from './lmdbLedger.ts';
import { ModelFiles } from './modelFiles.ts';
import { storageFault } from './storageFault.ts';
import { takeWriterLock } from './writerLock.ts';
import type { WriterLock } from './writerLock.ts';

export interface LmdbOptions {
  /** For readers in another thread or process; the folder must exist. Default false. */
  readonly readOnly?: boolean;
  /** How often a read-only tail looks for new records, in milliseconds. Default 20. */
  readonly pollMs?: number;
  readonly limits?: Partial<CommitLimits>;
}

/** Everything the embedded deployment keeps in its data folder. */
export interface LmdbData {
  readonly ledger: Ledger;
  readonly decisions: DecisionStore;
  readonly models: ModelStore;
  /** Writes what waits, then closes everything and frees the folder. */
  close(): Promise<void>;
}

const DEFAULT_POLL_MS = 20;

/**
 * Opens a data folder, made if need be, as its one writer, or read-only beside the writer. Throws DataFolderError.
 * Ledger and decisions are two LMDB environments, so that flushing one never waits for the other.
 */
export function openLmdb(folder: string, options: LmdbOptions = {}): LmdbData {
  const readOnly = options.readOnly ?? false;
  const limits = { ...DEFAULT_COMMIT_LIMITS, ...options.limits };
  const ledgerFolder = join(folder, 'ledger');
  const decisionsFolder = join(folder, 'decisions');
  if (readOnly && !(existsSync(join(ledgerFolder, 'data.mdb')) && existsSync(join(decisionsFolder, 'data.mdb'))))
    throw new DataFolderError('SLUICE_DATA_MISSING', `There is no Sluice data in ${folder}.`);
  let lock: WriterLock | null = null;
  const opened: RootDatabase[] = [];
  try {
    if (!readOnly) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      lock = takeWriterLock(folder);
    }
    const openEnvironment = (path: string): RootDatabase => {
      const environment = open({
        path,
        readOnly,
        encoding: 'binary',
        compression: false,
        // A commit resolves when it is flushed, and a failed one fails alone: with lmdb's overlapping flushes or
        // event-turn batches, promises that nobody holds are rejected too and `flushed` never settles.
        overlappingSync: false,
        eventTurnBatching: false,
        // noMemInit stays off: unused parts of pages would carry stray memory, card numbers included, to disk.
      });
      opened.push(environment);
      return environment;
    };
    const pollMs = options.pollMs ?? DEFAULT_POLL_MS;
    const ledger = new LmdbLedger(openEnvironment(ledgerFolder), { folder: ledgerFolder, readOnly, limits, pollMs });
    const decisions = new LmdbDecisionStore(openEnvironment(decisionsFolder), {
      folder: decisionsFolder,
      readOnly,
      limits,
    });
    const models = new ModelFiles(join(folder, 'models'), readOnly);
    return {
      ledger,
      decisions,
      models,
      close: async () => {
        await ledger.close();
        await decisions.close();
        lock?.release();
      },
    };
  } catch (error) {
    for (const environment of opened) void environment.close();
    lock?.release();
    throw openError(folder, error);
  }
}

function openError(folder: string, error: unknown): Error {
  if (error instanceof DataFolderError) return error;
  const fault = storageFault(error);
  return fault.outOfSpace
    ? new DataFolderError('SLUICE_DATA_FULL', `The disk that holds ${folder} is full. Free some space and start again.`)
    : new DataFolderError('SLUICE_DATA_UNUSABLE', `The data folder ${folder} cannot be opened: ${fault.message}`);
}
