import { closeSync, constants, openSync, read, readvSync, unlink, writevSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { BlockStore } from '../../operators/features/blockStore.ts';
import { ReservoirError } from './reservoirError.ts';

/** A block is followed by its CRC-32 and its number plus one, so that a hole in the file is no block 0. */
const TRAILER_BYTES = 8;
const DEFAULT_FILE_BYTES = 64 * 1024 * 1024;
const MAX_OPEN_FILES = 64;
const READ_WRITE_CREATE = constants.O_RDWR | constants.O_CREAT;
/** Reads ahead that may be on their way; a further one is left out, and its block is read when it is needed. */
const MAX_PREFETCHES = 8;

interface OpenFile {
  readonly descriptor: number;
  prefetches: number;
  isClosing: boolean;
}

/**
 * Blocks in files of one size, each block at the place that its number gives. Reading ahead fills the operating system's
 * page cache, off this thread; the read itself is then a copy. Nothing is flushed: after a crash of the machine the blocks are
 * made again from the ledger.
 */
export class BlockFiles implements BlockStore {
  readonly #pathPrefix: string;
  readonly #slotBytes: number;
  readonly #blocksPerFile: number;
  readonly #files = new Map<number, OpenFile>();
  readonly #trailer = new Uint32Array(TRAILER_BYTES / 4);
  /** What readvSync and writevSync take: the block, set for each call, and the trailer. */
  readonly #parts: Uint8Array[];
  readonly #scratch: Uint8Array[];
  #firstFile = -1;
  #newestFile = -1;
  #removalFailure: Error | null = null;

  /** Files are named `pathPrefix` and a number. None of them may exist. */
  constructor(pathPrefix: string, blockBytes: number, fileBytes = DEFAULT_FILE_BYTES) {
    this.#pathPrefix = pathPrefix;
    this.#slotBytes = blockBytes + TRAILER_BYTES;
    this.#blocksPerFile = Math.max(1, Math.floor(fileBytes / this.#slotBytes));
    this.#parts = [new Uint8Array(0), new Uint8Array(this.#trailer.buffer)];
    this.#scratch = Array.from({ length: MAX_PREFETCHES }, () => new Uint8Array(this.#slotBytes));
  }

  write(block: number, bytes: Uint8Array): void {
    if (this.#removalFailure !== null) throw this.#failure('removed', this.#removalFailure);
    const file = this.#fileOf(block);
    if (this.#firstFile < 0) this.#firstFile = file;
    this.#newestFile = Math.max(this.#newestFile, file);
    this.#trailer[0] = crc32(bytes);
    this.#trailer[1] = block + 1;
    this.#parts[0] = bytes;
    let written: number;
    try {
      written = writevSync(this.#open(file).descriptor, this.#parts, this.#placeOf(block));
    } catch (error) {
      throw this.#failure('written', error);
    }
    if (written !== this.#slotBytes) throw this.#failure('written', new Error('the disk took only a part'));
  }

  read(block: number, bytes: Uint8Array): boolean {
    const file = this.#fileOf(block);
    if (file < this.#firstFile || file > this.#newestFile) return false;
    this.#parts[0] = bytes;
    let length: number;
    try {
      length = readvSync(this.#open(file).descriptor, this.#parts, this.#placeOf(block));
    } catch (error) {
      throw this.#failure('read', error);
    }
    const [checksum, number] = this.#trailer;
    if (length === 0 || (length === this.#slotBytes && number === 0)) return false;
    if (length !== this.#slotBytes || number !== (block + 1) % 2 ** 32 || checksum !== crc32(bytes))
      throw new ReservoirError(
        'SLUICE_RESERVOIR_DAMAGED',
        `Block ${block} of ${this.#path(file)} is damaged. Check the disk, then start again: the files are made anew from the ledger.`,
      );
    return true;
  }

  prefetch(block: number): void {
    const number = this.#fileOf(block);
    if (number < this.#firstFile || number > this.#newestFile) return;
    const scratch = this.#scratch.pop();
    if (scratch === undefined) return;
    const file = this.#open(number);
    file.prefetches += 1;
    // An error is none yet: the read itself, if there is one, meets it again.
    read(file.descriptor, scratch, 0, scratch.length, this.#placeOf(block), () => {
      this.#scratch.push(scratch);
      file.prefetches -= 1;
      if (file.isClosing && file.prefetches === 0) closeSync(file.descriptor);
    });
  }

  dropBefore(block: number): void {
    if (this.#firstFile < 0) return;
    // Never the newest file, which may still be written to.
    for (const end = Math.min(this.#fileOf(block), this.#newestFile); this.#firstFile < end; this.#firstFile++) {
      this.#close(this.#firstFile);
      // Freeing a file's room can take milliseconds: not on this thread.
      unlink(this.#path(this.#firstFile), (error) => {
        if (error !== null && error.code !== 'ENOENT') this.#removalFailure = error;
      });
    }
  }

  close(): void {
    for (const file of this.#files.keys()) this.#close(file);
  }

  #fileOf(block: number): number {
    return Math.floor(block / this.#blocksPerFile);
  }

  #placeOf(block: number): number {
    return (block % this.#blocksPerFile) * this.#slotBytes;
  }

  #path(file: number): string {
    return `${this.#pathPrefix}${String(file).padStart(6, '0')}`;
  }

  /** The file, made if need be; the one unused for longest makes way for it. */
  #open(number: number): OpenFile {
    let file = this.#files.get(number);
    if (file === undefined) {
      if (this.#files.size >= MAX_OPEN_FILES)
        for (const oldest of this.#files.keys()) {
          this.#close(oldest);
          break;
        }
      file = { descriptor: openSync(this.#path(number), READ_WRITE_CREATE, 0o600), prefetches: 0, isClosing: false };
    } else {
      this.#files.delete(number);
    }
    this.#files.set(number, file);
    return file;
  }

  #close(number: number): void {
    const file = this.#files.get(number);
    if (file === undefined) return;
    this.#files.delete(number);
    file.isClosing = true;
    if (file.prefetches === 0) closeSync(file.descriptor);
  }

  #failure(what: string, cause: unknown): ReservoirError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new ReservoirError(
      'SLUICE_RESERVOIR_IO',
      `Events at ${this.#pathPrefix}* could not be ${what}: ${reason}. Mend that and start again: nothing is lost, the ledger has them.`,
      cause,
    );
  }
}
