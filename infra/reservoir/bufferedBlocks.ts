import type { BlockStore } from '../../operators/features/blockStore.ts';
import { MAX_WAITING_BLOCKS } from '../../operators/features/limits.ts';
import type { StateInput, StateOutput } from '../../operators/savedState.ts';
import type { BlockFiles } from './blockFiles.ts';
import { ReservoirError } from './reservoirError.ts';
import type { ReservoirHealth } from './reservoirHealth.ts';

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** Blocks written at once when the disk takes them again: some hundred KB, so that payments wait for a millisecond at most. */
const BLOCKS_PER_RETRY = 16;
const NEXT_BLOCKS_MS = 1;

/**
 * Block files that take every block: what the disk refuses waits in memory, in order, and is read from there, so that
 * no answer depends on the disk. It is written again by a timer, after 100 ms, then half as often each time, down to every 5 s.
 * Once more than `maxWaiting` blocks wait `write` throws, and the engine stops: memory is bounded.
 */
export class BufferedBlocks implements BlockStore {
  readonly #files: BlockFiles;
  readonly #health: ReservoirHealth | null;
  readonly #maxWaiting: number;
  /** By rising block number. */
  readonly #waiting = new Map<number, Uint8Array>();
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(files: BlockFiles, health: ReservoirHealth | null, maxWaiting = MAX_WAITING_BLOCKS) {
    this.#files = files;
    this.#health = health;
    this.#maxWaiting = maxWaiting;
  }

  get waitingBlocks(): number {
    return this.#waiting.size;
  }

  write(block: number, bytes: Uint8Array): void {
    if (this.#waiting.size === 0 && this.#tryToWrite(block, bytes) === null) return;
    if (this.#waiting.size >= this.#maxWaiting) this.#makeRoom();
    this.#waiting.set(block, bytes.slice());
    this.#health?.waitingChanged(1);
    this.#timer ??= this.#retryAfter(this.#retryMs);
  }

  read(block: number, bytes: Uint8Array): boolean {
    const waiting = this.#waiting.get(block);
    if (waiting === undefined) return this.#files.read(block, bytes);
    bytes.set(waiting);
    return true;
  }

  prefetch(block: number): void {
    if (!this.#waiting.has(block)) this.#files.prefetch(block);
  }

  dropBefore(block: number): void {
    for (const number of this.#waiting.keys()) {
      if (number >= block) break;
      this.#forget(number);
    }
    this.#files.dropBefore(block);
  }

  /** Throws ReservoirError while the disk takes no blocks: a saved state must not lack any. */
  save(output: StateOutput): void {
    const failure = this.#writeWaiting(Infinity);
    if (failure !== null) throw failure;
    this.#files.save(output);
  }

  load(input: StateInput): void {
    this.#forgetAll();
    this.#files.load(input);
  }

  close(): void {
    this.#forgetAll();
    this.#files.close();
  }

  #makeRoom(): void {
    const failure = this.#writeWaiting(BLOCKS_PER_RETRY);
    if (failure === null || this.#waiting.size < this.#maxWaiting) return;
    throw new ReservoirError(
      'SLUICE_RESERVOIR_BACKLOG',
      `${this.#waiting.size} blocks of events wait in memory for their disk, and no more are kept: start again once it takes them. ${failure.message}`,
      failure,
    );
  }

  #retryAfter(milliseconds: number): NodeJS.Timeout {
    // What keeps the process alive is whoever uses the blocks.
    return setTimeout(() => {
      this.#timer = undefined;
      const failure = this.#writeWaiting(BLOCKS_PER_RETRY);
      this.#retryMs = failure === null ? FIRST_RETRY_MS : Math.min(2 * this.#retryMs, MAX_RETRY_MS);
      if (this.#waiting.size > 0) this.#timer = this.#retryAfter(failure === null ? NEXT_BLOCKS_MS : this.#retryMs);
    }, milliseconds).unref();
  }

  /** Writes the oldest blocks, until the disk takes no more. Null: it took them. */
  #writeWaiting(maxBlocks: number): ReservoirError | null {
    let written = 0;
    for (const [block, bytes] of this.#waiting) {
      if (written >= maxBlocks) return null;
      const failure = this.#tryToWrite(block, bytes);
      if (failure !== null) return failure;
      this.#forget(block);
      written += 1;
    }
    return null;
  }

  #tryToWrite(block: number, bytes: Uint8Array): ReservoirError | null {
    try {
      this.#files.write(block, bytes);
      return null;
    } catch (error) {
      if (!(error instanceof ReservoirError)) throw error;
      this.#health?.writeFailed(error);
      return error;
    }
  }

  #forget(block: number): void {
    if (this.#waiting.delete(block)) this.#health?.waitingChanged(-1);
  }

  #forgetAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const block of this.#waiting.keys()) this.#forget(block);
  }
}
