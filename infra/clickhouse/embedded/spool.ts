import { mkdirSync, rmSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Temporary files between HTTP and the engine. Bodies of INSERTs go through them because data inside the SQL text
 * ends at the first blank line, and what follows would run as SQL; results, because the engine then writes them on
 * its own threads in any format and memory stays bounded.
 */
export class Spool {
  readonly #folder: string;
  #count = 0;

  /** Empties the folder: what is in it belonged to requests of a process that is gone. */
  constructor(folder: string) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
  }

  /** A path that no file has yet. */
  newPath(): string {
    this.#count += 1;
    return join(this.#folder, `${String(this.#count)}.spool`);
  }

  /** Room on the disk, which is the engine's too. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }
}
