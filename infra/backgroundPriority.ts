import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * Work that nobody waits for (history, snapshots) runs at the lowest priority, so that on a full machine it makes way for a
 * payment at once. It takes the cores that are idle, as before. A wish, not a need: where the system has no way to say it,
 * nothing changes.
 */
const BACKGROUND = constants.priority.PRIORITY_LOW;

/** Lowers the calling thread alone, for good. Linux only: elsewhere a priority is the whole process's. */
export function runThisThreadInBackground(): void {
  if (process.platform !== 'linux') return;
  try {
    // Linux counts priorities by thread, whose number Node does not tell: the link's target is <pid>/task/<thread>.
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), BACKGROUND);
  } catch {
    // No /proc, or not allowed.
  }
}

/**
 * The same program, to be spawned at low priority: by POSIX `nice`, which becomes the program (the pid is its own) once the
 * priority is set, so that every thread it will ever start has it.
 */
export function inBackground(
  file: string,
  args: readonly string[],
): { readonly file: string; readonly args: readonly string[] } {
  if (process.platform === 'win32') return { file, args };
  return { file: 'nice', args: ['-n', String(BACKGROUND), file, ...args] };
}
