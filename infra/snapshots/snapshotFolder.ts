import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateInput, StateOutput } from '../../operators/savedState.ts';
import { SnapshotError, type SnapshotHeader, type SnapshotStore } from '../../pipeline/ports.ts';
import { readSnapshotHeader, readSnapshotItems } from './snapshotReader.ts';
import { SnapshotWriter } from './snapshotWriter.ts';

const NAME = /^offset-(\d{16})$/;
const STATE_FILE = 'state';
/** A snapshot that is being written, or about to be removed; what is left of one after a crash is removed by the next write. */
const UNFINISHED = '.unfinished';

export interface SnapshotFolderOptions {
  /** Snapshots kept, the newest. */
  readonly keep: number;
  /** Content of a frame of the file; a smaller one is only slower. */
  readonly frameBytes?: number;
}

/**
 * Snapshots as folders, named by their offset. One is written under another name, flushed, and renamed: so a name that
 * counts stands for a whole snapshot, whatever happens.
 */
export class SnapshotFolder implements SnapshotStore {
  readonly #folder: string;
  readonly #options: SnapshotFolderOptions;

  constructor(folder: string, options: SnapshotFolderOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async offsets(): Promise<readonly number[]> {
    try {
      return offsetsOf(await readdir(this.#folder));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw failure('its folder cannot be read', error);
    }
  }

  async header(offset: number): Promise<SnapshotHeader> {
    return readSnapshotHeader(join(this.#pathOf(offset), STATE_FILE));
  }

  async read(
    offset: number,
    onProgress: (share: number) => void = () => undefined,
  ): Promise<StateInput & { readonly isAtEnd: boolean }> {
    return readSnapshotItems(join(this.#pathOf(offset), STATE_FILE), onProgress);
  }

  async write(header: SnapshotHeader, expectedBytes: number, save: (output: StateOutput) => void): Promise<number> {
    const path = this.#pathOf(header.offset);
    const unfinished = `${path}${UNFINISHED}`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#removeUnfinished();
      checkRoom(this.#folder, expectedBytes);
      mkdirSync(unfinished, { mode: 0o700 });
      const bytes = this.#writeState(unfinished, header, save);
      syncFolder(unfinished);
      // One of the same offset holds the same, or is damaged.
      rmSync(path, { recursive: true, force: true });
      renameSync(unfinished, path);
      syncFolder(this.#folder);
      this.#removeOthers(header.offset);
      return bytes;
    } catch (error) {
      if (existsSync(unfinished)) rmSync(unfinished, { recursive: true, force: true });
      if (error instanceof Error && 'syscall' in error) throw failure('it cannot be written', error);
      throw error;
    }
  }

  #writeState(folder: string, header: SnapshotHeader, save: (output: StateOutput) => void): number {
    const descriptor = openSync(join(folder, STATE_FILE), 'wx', 0o600);
    try {
      const writer = new SnapshotWriter(folder, descriptor, header, this.#options.frameBytes);
      save(writer);
      return writer.finish();
    } finally {
      closeSync(descriptor);
    }
  }

  #removeUnfinished(): void {
    for (const name of readdirSync(this.#folder))
      if (name.endsWith(UNFINISHED)) rmSync(join(this.#folder, name), { recursive: true, force: true });
  }

  #removeOthers(written: number): void {
    const offsets = offsetsOf(readdirSync(this.#folder));
    const kept = offsets.filter((offset) => offset <= written).slice(0, this.#options.keep);
    for (const offset of offsets) {
      if (kept.includes(offset)) continue;
      const path = this.#pathOf(offset);
      // Not half of it under a name that counts.
      renameSync(path, `${path}${UNFINISHED}`);
      rmSync(`${path}${UNFINISHED}`, { recursive: true, force: true });
    }
  }

  #pathOf(offset: number): string {
    return join(this.#folder, `offset-${String(offset).padStart(16, '0')}`);
  }
}

function offsetsOf(names: readonly string[]): number[] {
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** A disk that a snapshot fills, if only for a moment, would have payments refused. */
function checkRoom(folder: string, expectedBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= 2 * expectedBytes) return;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  throw new SnapshotError(
    'SLUICE_SNAPSHOT_IO',
    `it would take about ${megabytes(expectedBytes)} of the ${megabytes(bavail * bsize)} that the disk has left; it must have twice as much`,
  );
}

function failure(what: string, error: unknown): SnapshotError {
  const message = error instanceof Error ? error.message : String(error);
  return new SnapshotError('SLUICE_SNAPSHOT_IO', `${what}: ${message}`, error);
}

// Makes new names durable. Windows cannot open a folder, and needs no such thing.
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
