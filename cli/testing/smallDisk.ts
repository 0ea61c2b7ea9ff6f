import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BALLAST_CHUNK_BYTES = 4_096;

/** A file system of its own that can be filled and freed. */
export class SmallDisk {
  readonly folder: string;
  readonly #ballast: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#ballast = join(folder, 'ballast');
  }

  /** Null where this user or machine may not mount one. */
  static mount(megabytes: number): SmallDisk | null {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
    const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
    if (status === 0) return new SmallDisk(folder);
    rmdirSync(folder);
    return null;
  }

  /** Takes all room that is left. */
  fill(): void {
    for (let chunkBytes = 256 * BALLAST_CHUNK_BYTES; chunkBytes >= BALLAST_CHUNK_BYTES; chunkBytes /= 4) {
      while (this.#takes(Buffer.alloc(chunkBytes))) continue;
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    // Lazy: the engine's process may take a moment longer to let go of its files.
    spawnSync('umount', ['-l', this.folder]);
    rmdirSync(this.folder);
  }

  #takes(chunk: Buffer): boolean {
    try {
      appendFileSync(this.#ballast, chunk);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
      throw error;
    }
  }
}
