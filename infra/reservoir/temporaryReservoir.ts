import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FolderStorage } from './folderStorage.ts';
import { ReservoirFolder } from './reservoirFolder.ts';

/** Its machine and process are in a folder's name, so that it is known whose it is as soon as it is there. */
const PREFIX = `sluice-reservoir-${hostname()}-`;

/**
 * A reservoir for work that ends, in a new folder among the temporary files of the system (TMPDIR). What processes that
 * were killed left there is removed by the next one.
 */
export class TemporaryReservoir {
  readonly folder: string;
  readonly #reservoirs: ReservoirFolder;

  /** `parent` is for tests. */
  constructor(parent = tmpdir()) {
    removeLeftovers(parent);
    this.folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
    this.#reservoirs = new ReservoirFolder(this.folder);
  }

  open(): FolderStorage {
    return this.#reservoirs.open();
  }

  /** Removes all that was put there; the states in it must be closed. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX) || isRunning(Number.parseInt(name.slice(PREFIX.length), 10))) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's: not for us to remove.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
