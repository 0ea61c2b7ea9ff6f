import { mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderStorage, type FolderStorageOptions } from './folderStorage.ts';

/**
 * The folder in which feature states keep the events that are not in memory: one folder for each state, as two live side by
 * side when a catalogue changes. What an earlier run left is removed, since a state is made again from the ledger.
 */
export class ReservoirFolder {
  readonly #folder: string;
  readonly #options: FolderStorageOptions;
  #opened = 0;

  constructor(folder: string, options: FolderStorageOptions = {}) {
    this.#folder = folder;
    this.#options = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const leftovers = readdirSync(folder);
    for (const name of leftovers) this.#opened = Math.max(this.#opened, Number.parseInt(name, 10) || 0);
    // Thousands of files: not before the start. What cannot be removed now is tried again at the next start.
    for (const name of leftovers) rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }

  open(): FolderStorage {
    return new FolderStorage(this.reserve(), this.#options);
  }

  /** The path of a new folder, for a FolderStorage in another thread. */
  reserve(): string {
    this.#opened += 1;
    return join(this.#folder, String(this.#opened));
  }
}
