import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReservoirStorage } from '../../operators/features/blockStore.ts';
import { BlockFiles } from './blockFiles.ts';
import { BufferedBlocks } from './bufferedBlocks.ts';
import type { ReservoirHealth } from './reservoirHealth.ts';

export interface FolderStorageOptions {
  /** Of one file, at most. */
  readonly fileBytes?: number;
  /** Told of blocks that the disk does not take. */
  readonly health?: ReservoirHealth;
}

/** What one feature state keeps outside its memory, in a folder of its own, which is made here. */
export class FolderStorage implements ReservoirStorage {
  readonly #folder: string;
  readonly #options: FolderStorageOptions;
  readonly #stores: BufferedBlocks[] = [];

  constructor(folder: string, options: FolderStorageOptions = {}) {
    this.#folder = folder;
    this.#options = options;
    mkdirSync(folder, { mode: 0o700 });
  }

  open(name: 'events' | 'offsets', blockBytes: number): BufferedBlocks {
    const { fileBytes, health = null } = this.#options;
    const files = new BlockFiles(join(this.#folder, `${name}-`), blockBytes, fileBytes);
    const store = new BufferedBlocks(files, health);
    this.#stores.push(store);
    return store;
  }

  /** Lets go of the files and leaves them where they are. */
  leave(): void {
    for (const store of this.#stores) store.close();
  }

  close(): void {
    this.leave();
    rm(this.#folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
