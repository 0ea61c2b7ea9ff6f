import { closeSync, createWriteStream, fstatSync, openSync, readFileSync, type WriteStream } from 'node:fs';
import { UserError } from './userError.ts';

/** The text of a file that the user named. Throws UserError when it cannot be had. */
export function readUserFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Bytes of a file that the user named and that can be read. Throws UserError for any other. */
export function sizeOfUserFile(path: string): number {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw new Error('it is not a file');
      return stats.size;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Opens a file that the user named for writing, before any work is done for it. Throws UserError when it cannot be made. */
export function writeUserFile(path: string): WriteStream {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'w');
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${reasonOf(error)} [SLUICE_FILE_UNWRITABLE]`);
  }
  return createWriteStream(path, { fd: descriptor });
}

function unreadable(path: string, error: unknown): UserError {
  if (codeOf(error) === 'ENOENT') return new UserError(`${path}: there is no such file [SLUICE_FILE_MISSING]`);
  return new UserError(`${path} cannot be read: ${reasonOf(error)} [SLUICE_FILE_UNREADABLE]`);
}

/** What people say for what the system calls it. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
};

function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
