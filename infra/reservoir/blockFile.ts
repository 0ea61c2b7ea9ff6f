import { constants, copyFileSync, linkSync } from 'node:fs';

/** Codes with which a file system says that it has no hard links, or none between these folders. */
const NO_LINK = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** One of a block store's files: blocks of one run of numbers, each at the place that its number gives. */
export interface BlockFile {
  readonly path: string;
  readonly firstBlock: number;
  /** Places written, those of numbers that were left out among them. */
  blockCount: number;
  /** Of the block written last. */
  lastChecksum: number;
  /** Never to be written to again: a saved state has it. */
  isShared: boolean;
  isOnDisk: boolean;
}

/**
 * Gives an unchanging file a second name, so that it is there until both are gone; where the file system has no hard
 * links, a copy of it.
 */
export function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NO_LINK.includes(String(error.code)))) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}
