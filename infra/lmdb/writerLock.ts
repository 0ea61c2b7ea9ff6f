import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolderError } from './dataFolderError.ts';

/** Held by the one process that writes to a data folder. */
export interface WriterLock {
  release(): void;
}

// Longer than any takeover; a process that dies inside one leaves its guard for this long.
const TAKEOVER_STALE_MS = 10_000;

/**
 * Takes the folder's lock file or throws SLUICE_DATA_IN_USE. A lock left by a process that is gone is taken over, also
 * when its pid was given to another process since. Pids mean nothing across machines or containers: a data folder
 * belongs to one of them.
 */
export function takeWriterLock(folder: string): WriterLock {
  const path = join(folder, 'writer.lock');
  const identity = identityOf(process.pid);
  const content = `${process.pid}\n${identity}\n`;
  if (!createExclusively(path, content)) {
    const guardPath = `${path}.takeover`;
    removeStaleGuard(guardPath);
    if (!createExclusively(guardPath, content)) throw inUse(folder, 'another process that is just starting');
    try {
      const owner = readOwner(path);
      if (owner !== null && owner.identity !== '' && identityOf(owner.pid) === owner.identity)
        throw inUse(folder, owner.pid === process.pid ? 'this process' : `process ${owner.pid}`);
      rmSync(path, { force: true });
      if (!createExclusively(path, content)) throw inUse(folder, 'another process that is just starting');
    } finally {
      rmSync(guardPath, { force: true });
    }
  }
  let held = true;
  return {
    release: () => {
      if (held) rmSync(path, { force: true });
      held = false;
    },
  };
}

function inUse(folder: string, owner: string): DataFolderError {
  return new DataFolderError(
    'SLUICE_DATA_IN_USE',
    `The data folder ${folder} is in use by ${owner}. Stop it first, or choose another folder.`,
  );
}

function createExclusively(path: string, content: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(file, content);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return true;
}

function readOwner(path: string): { readonly pid: number; readonly identity: string } | null {
  try {
    const [pid, identity] = readFileSync(path, 'utf8').split('\n');
    return { pid: Number(pid), identity: identity ?? '' };
  } catch {
    return null;
  }
}

function removeStaleGuard(guardPath: string): void {
  try {
    if (Date.now() - statSync(guardPath).mtimeMs > TAKEOVER_STALE_MS) rmSync(guardPath, { force: true });
  } catch {
    // There is none.
  }
}

/** Tells a process from every other that had or will have its pid; empty when it does not run. */
function identityOf(pid: number): string {
  if (!Number.isSafeInteger(pid) || pid <= 0) return '';
  if (process.platform === 'linux') {
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      // proc(5): the name in brackets may hold spaces; the start time is field 22, the 20th after it.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
      return `${boot}/${fields?.[19] ?? ''}`;
    } catch {
      return '';
    }
  }
  try {
    process.kill(pid, 0);
    return 'running';
  } catch (error) {
    // EPERM: it runs, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? 'running' : '';
  }
}
