import { closeSync, constants, fsyncSync, openSync, read, readvSync, rmSync, unlink, writevSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { BlockStore } from '../../operators/features/blockStore.ts';
import { SavedStateError, type StateInput, type StateOutput } from '../../operators/savedState.ts';
import { linkOrCopy, type BlockFile } from './blockFile.ts';
import { ReservoirError } from './reservoirError.ts';

/** A block is followed by its CRC-32 and its number plus one, so that a hole in the file is no block 0. */
const TRAILER_BYTES = 8;
const DEFAULT_FILE_BYTES = 64 * 1024 * 1024;
const MAX_OPEN_FILES = 64;
const CREATE_NEW = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
/** Reads ahead that may be on their way; a further one is left out, and its block is read when it is needed. */
const MAX_PREFETCHES = 8;
const KIND = 'blocks in files';

interface OpenFile {
  readonly descriptor: number;
  prefetches: number;
  isClosing: boolean;
}

/**
 * Blocks in files, each file for a run of block numbers, of one size at most. Reading ahead fills the operating
 * system's page cache, off this thread; the read itself is then a copy. What is written is flushed only when it is saved: after
 * a crash of the machine the other blocks are made again from the ledger.
 *
 * `save` refers to the files as they are, and none of them is written to after that: the next block begins a new file. So a
 * snapshot may hold them by hard links, and a state restored from it by further ones, and neither can change the other's.
 */
export class BlockFiles implements Omit<BlockStore, 'waitingBlocks'> {
  readonly #pathPrefix: string;
  readonly #slotBytes: number;
  readonly #blocksPerFile: number;
  /** By rising block number. */
  #files: BlockFile[] = [];
  readonly #openFiles = new Map<BlockFile, OpenFile>();
  readonly #trailer = new Uint32Array(TRAILER_BYTES / 4);
  /** What readvSync and writevSync take: the block, set for each call, and the trailer. */
  readonly #parts: Uint8Array[];
  readonly #scratch: Uint8Array[];
  /** Files that are not needed any more and could not be removed, and why the last one could not. */
  #unremoved: string[] = [];
  #removalFailure: Error | null = null;

  /** Files are named `pathPrefix` and a number. None of them may exist. */
  constructor(pathPrefix: string, blockBytes: number, fileBytes = DEFAULT_FILE_BYTES) {
    this.#pathPrefix = pathPrefix;
    this.#slotBytes = blockBytes + TRAILER_BYTES;
    this.#blocksPerFile = Math.max(1, Math.floor(fileBytes / this.#slotBytes));
    this.#parts = [new Uint8Array(0), new Uint8Array(this.#trailer.buffer)];
    this.#scratch = Array.from({ length: MAX_PREFETCHES }, () => new Uint8Array(this.#slotBytes));
  }

  /** Throws ReservoirError when the disk does not take the block; it may then be written again. */
  write(block: number, bytes: Uint8Array): void {
    this.#removeAgain();
    const checksum = crc32(bytes);
    this.#trailer[0] = checksum;
    this.#trailer[1] = block + 1;
    this.#parts[0] = bytes;
    let file: BlockFile;
    let written: number;
    try {
      file = this.#fileToWrite(block);
      written = writevSync(this.#opened(file).descriptor, this.#parts, this.#placeIn(file, block));
    } catch (error) {
      throw this.#failure('written', error);
    }
    if (written !== this.#slotBytes) throw this.#failure('written', new Error('the disk took only a part'));
    file.blockCount = block - file.firstBlock + 1;
    file.lastChecksum = checksum;
  }

  read(block: number, bytes: Uint8Array): boolean {
    const file = this.#fileOf(block);
    if (file === null) return false;
    this.#parts[0] = bytes;
    let length: number;
    try {
      length = readvSync(this.#opened(file).descriptor, this.#parts, this.#placeIn(file, block));
    } catch (error) {
      throw this.#failure('read', error);
    }
    const [checksum, number] = this.#trailer;
    if (length === this.#slotBytes && number === 0) return false;
    if (length !== this.#slotBytes || number !== (block + 1) % 2 ** 32 || checksum !== crc32(bytes))
      throw new ReservoirError(
        'SLUICE_RESERVOIR_DAMAGED',
        `Block ${block} of ${file.path} is damaged. Check the disk, remove the data folder's snapshots, then start again: the files are made anew from the ledger.`,
      );
    return true;
  }

  prefetch(block: number): void {
    const file = this.#fileOf(block);
    if (file === null) return;
    const scratch = this.#scratch.pop();
    if (scratch === undefined) return;
    const open = this.#opened(file);
    open.prefetches += 1;
    // An error is none yet: the read itself, if there is one, meets it again.
    read(open.descriptor, scratch, 0, scratch.length, this.#placeIn(file, block), () => {
      this.#scratch.push(scratch);
      open.prefetches -= 1;
      if (open.isClosing && open.prefetches === 0) closeSync(open.descriptor);
    });
  }

  dropBefore(block: number): void {
    // Never the newest file, which may still be written to.
    for (let next = this.#files[1]; next !== undefined && next.firstBlock <= block; next = this.#files[1]) {
      const dropped = this.#files.shift()!;
      this.#close(dropped);
      this.#remove(dropped.path);
    }
  }

  save(output: StateOutput): void {
    output.text(KIND);
    output.number(this.#slotBytes);
    // A failed write leaves an empty file behind.
    const files = this.#files.filter(({ blockCount }) => blockCount > 0);
    output.array(Float64Array.from(files, ({ firstBlock }) => firstBlock));
    output.array(Float64Array.from(files, ({ blockCount }) => blockCount));
    output.array(Uint32Array.from(files, ({ lastChecksum }) => lastChecksum));
    for (const file of files) {
      this.#flush(file);
      file.isShared = true;
      output.file(file.path);
    }
  }

  load(input: StateInput): void {
    if (input.text() !== KIND || input.number() !== this.#slotBytes)
      throw new SavedStateError('the events were not saved in files of such blocks');
    for (const file of this.#files) {
      this.#close(file);
      rmSync(file.path, { force: true });
    }
    const firstBlocks = input.float64Array();
    const blockCounts = input.float64Array();
    const checksums = input.uint32Array();
    this.#files = [];
    for (const [index, firstBlock] of firstBlocks.entries())
      this.#adopt(input.file(), firstBlock, blockCounts[index] ?? 0, checksums[index] ?? 0);
  }

  close(): void {
    for (const file of this.#openFiles.keys()) this.#close(file);
  }

  /** Takes over a snapshot's file, if it holds what it held when it was saved: later damage is met by the read of its block. */
  #adopt(from: string, firstBlock: number, blockCount: number, lastChecksum: number): void {
    const path = this.#path(firstBlock);
    const file = { path, firstBlock, blockCount, lastChecksum, isShared: true, isOnDisk: true };
    const lastBlock = firstBlock + blockCount - 1;
    const place = this.#placeIn(file, lastBlock) + this.#slotBytes - TRAILER_BYTES;
    try {
      linkOrCopy(from, path);
      readvSync(this.#opened(file).descriptor, this.#parts.slice(1), place);
    } catch (error) {
      throw new SavedStateError(`events that the saved state needs cannot be had: ${reasonOf(error)}`);
    }
    this.#files.push(file);
    const [checksum, number] = this.#trailer;
    if (checksum !== lastChecksum || number !== (lastBlock + 1) % 2 ** 32)
      throw new SavedStateError(`${from} is not the file of events that was saved`);
  }

  #remove(path: string): void {
    // Freeing a file's room can take milliseconds: not on this thread.
    unlink(path, (error) => {
      if (error === null || error.code === 'ENOENT') return;
      this.#unremoved.push(path);
      this.#removalFailure = error;
    });
  }

  /** A disk from which nothing can be removed would be full before long: that counts as a failed write, and is tried again like one. */
  #removeAgain(): void {
    if (this.#removalFailure === null) return;
    const failure = this.#failure('removed', this.#removalFailure);
    this.#removalFailure = null;
    for (const path of this.#unremoved.splice(0)) this.#remove(path);
    throw failure;
  }

  #flush(file: BlockFile): void {
    if (file.isOnDisk) return;
    try {
      fsyncSync(this.#opened(file).descriptor);
    } catch (error) {
      throw this.#failure('flushed', error);
    }
    file.isOnDisk = true;
  }

  /** The newest file, or a new one. */
  #fileToWrite(block: number): BlockFile {
    const newest = this.#files.at(-1);
    if (newest !== undefined) {
      if (block < newest.firstBlock + newest.blockCount)
        throw new Error(`SLUICE_STATE_BLOCK: block ${block} does not follow those written`);
      if (!newest.isShared && block < newest.firstBlock + this.#blocksPerFile) return newest;
    }
    const path = this.#path(block);
    const file = { path, firstBlock: block, blockCount: 0, lastChecksum: 0, isShared: false, isOnDisk: false };
    this.#keepOpen(file, openSync(path, CREATE_NEW, 0o600));
    this.#files.push(file);
    return file;
  }

  #fileOf(block: number): BlockFile | null {
    const files = this.#files;
    let low = 0;
    let high = files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (files[middle]!.firstBlock <= block) low = middle;
      else high = middle - 1;
    }
    const file = files[low];
    if (file === undefined || block < file.firstBlock || block >= file.firstBlock + file.blockCount) return null;
    return file;
  }

  #placeIn(file: BlockFile, block: number): number {
    return (block - file.firstBlock) * this.#slotBytes;
  }

  #path(firstBlock: number): string {
    return `${this.#pathPrefix}${String(firstBlock).padStart(9, '0')}`;
  }

  #opened(file: BlockFile): OpenFile {
    const open = this.#openFiles.get(file);
    if (open === undefined)
      return this.#keepOpen(file, openSync(file.path, file.isShared ? constants.O_RDONLY : constants.O_RDWR));
    this.#openFiles.delete(file);
    this.#openFiles.set(file, open);
    return open;
  }

  /** The file unused for longest makes way for it. */
  #keepOpen(file: BlockFile, descriptor: number): OpenFile {
    if (this.#openFiles.size >= MAX_OPEN_FILES)
      for (const oldest of this.#openFiles.keys()) {
        this.#close(oldest);
        break;
      }
    const open = { descriptor, prefetches: 0, isClosing: false };
    this.#openFiles.set(file, open);
    return open;
  }

  #close(file: BlockFile): void {
    const open = this.#openFiles.get(file);
    if (open === undefined) return;
    this.#openFiles.delete(file);
    open.isClosing = true;
    if (open.prefetches === 0) closeSync(open.descriptor);
  }

  #failure(what: string, cause: unknown): ReservoirError {
    return new ReservoirError(
      'SLUICE_RESERVOIR_IO',
      `Events at ${this.#pathPrefix}* could not be ${what}: ${reasonOf(cause)}. Make room on that disk or mend it: nothing is lost, the ledger has them.`,
      cause,
    );
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
