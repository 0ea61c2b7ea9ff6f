import { constants } from 'node:os';

/** Why a write to LMDB failed: `code` is an errno or an LMDB error number, as lmdb reports it. */
export interface StorageFault {
  readonly outOfSpace: boolean;
  /** An I/O error: LMDB also calls a write so that the disk cut short for want of room. */
  readonly inputOutput: boolean;
  readonly message: string;
}

// MDB_MAP_FULL and MDB_TXN_FULL of lmdb.h, and ERROR_DISK_FULL of Windows. EFBIG: a file size limit (ulimit -f).
const OUT_OF_SPACE_CODES: readonly number[] = [
  constants.errno.ENOSPC,
  constants.errno.EDQUOT,
  constants.errno.EFBIG,
  -30792,
  -30788,
  112,
];
const OUT_OF_SPACE_NAMES: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

// lmdb reports a failed commit first and its cause a moment later.
const CAUSE_WAIT_MS = 1_000;

export function storageFault(error: unknown): StorageFault {
  if (!(error instanceof Error)) return { outOfSpace: false, inputOutput: false, message: String(error) };
  const code: unknown = 'code' in error ? error.code : undefined;
  const outOfSpace =
    (typeof code === 'number' && OUT_OF_SPACE_CODES.includes(code)) ||
    (typeof code === 'string' && OUT_OF_SPACE_NAMES.includes(code));
  // lmdb appends positions and buffer sizes after a colon: of no use to the reader.
  const inputOutput = code === constants.errno.EIO;
  return { outOfSpace, inputOutput, message: error.message.split(': Attempting to ')[0] ?? error.message };
}

/** The cause behind lmdb's "Commit failed (see commitError for details)", a promise that is rejected with it. */
export async function commitFault(error: unknown): Promise<StorageFault> {
  if (!(error instanceof Error) || !('commitError' in error)) return storageFault(error);
  let timer: NodeJS.Timeout | undefined;
  const unknownCause = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the commit failed'));
    }, CAUSE_WAIT_MS);
  });
  try {
    await Promise.race([error.commitError, unknownCause]);
    return storageFault(error);
  } catch (cause) {
    return storageFault(cause);
  } finally {
    clearTimeout(timer);
  }
}
