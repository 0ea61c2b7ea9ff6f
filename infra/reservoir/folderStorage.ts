import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReservoirStorage } from '../../operators/features/blockStore.ts';
import { BlockFiles } from './blockFiles.ts';

/** What one feature state keeps outside its memory, in a folder of its own, which is made here. */
export class FolderStorage implements ReservoirStorage {
  readonly #folder: string;
  readonly #fileBytes: number | undefined;
  readonly #stores: BlockFiles[] = [];

  constructor(folder: string, fileBytes?: number) {
    this.#folder = folder;
    this.#fileBytes = fileBytes;
    mkdirSync(folder, { mode: 0o700 });
  }

  open(name: 'events' | 'offsets', blockBytes: number): BlockFiles {
    const store = new BlockFiles(join(this.#folder, `${name}-`), blockBytes, this.#fileBytes);
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
