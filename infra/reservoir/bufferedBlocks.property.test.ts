import type * as fileSystem from 'node:fs';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import type { BlockStore, ReservoirStorage } from '../../operators/features/blockStore.ts';
import { compileCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import { compareWithOracle } from '../../operators/features/testing/compareWithOracle.ts';
import { catalogue, stream } from '../../operators/features/testing/randomStream.ts';
import { copyState } from '../../operators/testing/memoryState.ts';
import { Random } from '../../pipeline/simulate/random.ts';
import { BlockFiles } from './blockFiles.ts';
import { BufferedBlocks } from './bufferedBlocks.ts';
import { FolderStorage } from './folderStorage.ts';
import { ReservoirError } from './reservoirError.ts';
import { ReservoirHealth } from './reservoirHealth.ts';

/** What the disk does to the next writes. `part`: it takes the beginning; `create`: it makes no new file. */
type Fault = 'none' | 'ENOSPC' | 'EIO' | 'part' | 'create';
const FAULTS: readonly Fault[] = ['none', 'ENOSPC', 'EIO', 'part', 'create'];

const disk = vi.hoisted(() => ({ fault: (): string => 'none', failures: 0, removesNothing: false }));

vi.mock('node:fs', async (importOriginal) => {
  const actual = await importOriginal<typeof fileSystem>();
  const fail = (code: string): never => {
    disk.failures += 1;
    throw Object.assign(new Error(`${code}: injected`), { code });
  };
  return {
    ...actual,
    openSync: (...args: Parameters<typeof fileSystem.openSync>): number =>
      typeof args[1] === 'number' && (args[1] & actual.constants.O_CREAT) !== 0 && disk.fault() === 'create'
        ? fail('ENOSPC')
        : actual.openSync(...args),
    unlink: (path: string, done: (error: Error | null) => void): void => {
      if (disk.removesNothing) done(Object.assign(new Error('EIO: injected'), { code: 'EIO' }));
      else actual.unlink(path, done);
    },
    writevSync: (descriptor: number, [bytes, trailer]: Uint8Array[], position: number): number => {
      const fault = disk.fault();
      if (bytes === undefined || trailer === undefined) throw new Error('a block and its trailer');
      if (fault === 'none' || fault === 'create') return actual.writevSync(descriptor, [bytes, trailer], position);
      if (fault !== 'part') return fail(fault);
      disk.failures += 1;
      return actual.writevSync(descriptor, [bytes.subarray(0, bytes.length >>> 1)], position);
    },
  };
});

const BLOCK_BYTES = 24;
/** Three blocks with their trailers. */
const FILE_BYTES = 100;
const MAX_WAITING = 6;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-buffered-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  disk.fault = () => 'none';
  disk.removesNothing = false;
  vi.useRealTimers();
});

const block = (number: number): Uint8Array => new Uint8Array(BLOCK_BYTES).fill((number * 7 + 1) % 256);

function blockOf(store: BlockStore, number: number): Uint8Array | null {
  const bytes = new Uint8Array(BLOCK_BYTES);
  return store.read(number, bytes) ? bytes : null;
}

let opened = 0;
function newStore(health: ReservoirHealth | null = null): BufferedBlocks {
  opened += 1;
  return new BufferedBlocks(new BlockFiles(join(folder, `${opened}-`), BLOCK_BYTES, FILE_BYTES), health, MAX_WAITING);
}

class Watch {
  waiting = 0;
  failed = 0;
  readonly lines: string[] = [];
  readonly health = new ReservoirHealth(
    {
      waitingBlocks: (count) => (this.waiting = count),
      blockWriteFailed: () => (this.failed += 1),
    },
    {
      info: (_fields, message) => this.lines.push(message),
      warn: (fields, message) => this.lines.push(`${message} ${JSON.stringify(fields)}`),
    },
  );
}

describe('blocks on a disk that fails', () => {
  it('are read as they were written, whatever the disk refuses; a saved state has them all or there is none', () => {
    const times = { waited: 0, refusedSaves: 0, saves: 0, stopped: 0 };
    const step = fc.oneof(
      { weight: 16, arbitrary: fc.record({ kind: fc.constant('write' as const), n: fc.integer({ min: 1, max: 2 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('fault' as const), n: fc.nat(FAULTS.length - 1) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), n: fc.nat(6_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), n: fc.nat(6) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('save' as const), n: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 60 }), (steps) => {
        const watch = new Watch();
        let store = newStore(watch.health);
        let fault: Fault = 'none';
        disk.fault = () => fault;
        const written: number[] = [];
        let next = 0;
        let oldest = 0;
        for (const { kind, n } of steps) {
          if (kind === 'fault') fault = FAULTS[n] ?? 'none';
          else if (kind === 'wait') vi.advanceTimersByTime(n);
          else if (kind === 'drop') store.dropBefore((oldest = Math.min(oldest + n, next)));
          else if (kind === 'write') {
            next += n;
            try {
              store.write(next, block(next));
            } catch (error) {
              expect(error).toMatchObject({ code: 'SLUICE_RESERVOIR_BACKLOG' });
              expect(store.waitingBlocks).toBe(MAX_WAITING);
              times.stopped += 1;
              break;
            }
            written.push(next);
          } else {
            const another = newStore(watch.health);
            const isWaiting = store.waitingBlocks > 0;
            try {
              copyState(store, another);
              times.saves += 1;
            } catch (error) {
              expect(error).toBeInstanceOf(ReservoirError);
              expect(isWaiting && fault !== 'none').toBe(true);
              times.refusedSaves += 1;
              another.close();
              continue;
            }
            store.close();
            store = another;
          }
          expect(store.waitingBlocks).toBeLessThanOrEqual(MAX_WAITING);
          expect(watch.waiting).toBe(store.waitingBlocks);
          times.waited = Math.max(times.waited, store.waitingBlocks);
          for (const number of written.filter((each) => each >= oldest))
            expect(blockOf(store, number)).toEqual(block(number));
          expect(blockOf(store, next + 1)).toBeNull();
        }
        // The disk is mended: all is on it before long.
        fault = 'none';
        vi.advanceTimersByTime(6_000);
        expect(store.waitingBlocks).toBe(0);
        for (const number of written.filter((each) => each >= oldest))
          expect(blockOf(store, number)).toEqual(block(number));
        store.close();
      }),
      { numRuns: 60 },
    );
    for (const count of Object.values(times)) expect(count).toBeGreaterThan(0);
  });

  it('change no feature: any catalogue and stream, against the oracle', () => {
    const seen = { failures: 0, waited: 0 };
    fc.assert(
      fc.property(
        catalogue,
        stream(120),
        fc.constantFrom(1, 700, 5_000),
        fc.nat(2 ** 31),
        (compiled, steps, stride, seed) => {
          const random = new Random(seed, 'disk');
          let fault: Fault = 'none';
          disk.fault = () => fault;
          disk.failures = 0;
          const onEachCall = (store: BlockStore): void => {
            if (random.chance(0.1)) fault = random.pick(FAULTS);
            vi.advanceTimersByTime(random.integer(0, 300));
            seen.waited = Math.max(seen.waited, store.waitingBlocks);
          };
          const limits = { chunkCapacity: 3, blockCapacity: 2 };
          opened += 1;
          const storage = new DisturbedStorage(join(folder, String(opened)), onEachCall);
          compareWithOracle(compiled, steps, limits, { stride, openStorage: () => storage });
          seen.failures += disk.failures;
          storage.close();
        },
      ),
      { numRuns: 100 },
    );
    expect(seen.failures).toBeGreaterThan(100);
    expect(seen.waited).toBeGreaterThan(3);
  });

  it('are told of once when they begin to wait and once when none waits any more', () => {
    const watch = new Watch();
    const stores = [newStore(watch.health), newStore(watch.health)];
    const writeTo = (number: number): void => {
      for (const store of stores) store.write(number, block(number));
    };
    writeTo(0);
    let fault: Fault = 'ENOSPC';
    disk.fault = () => fault;
    writeTo(1);
    writeTo(2);
    vi.advanceTimersByTime(20_000);
    expect(watch.waiting).toBe(4);
    // Every 100 ms, then half as often each time.
    expect(watch.failed).toBe(2 * (1 + 8));
    expect(watch.lines).toEqual([
      expect.stringMatching(
        /^events cannot be written and wait in memory .*SLUICE_RESERVOIR_IO.*ENOSPC.*nothing is lost/,
      ),
    ]);
    fault = 'none';
    vi.advanceTimersByTime(5_000);
    expect([watch.waiting, watch.lines.length]).toEqual([0, 2]);
    expect(watch.lines[1]).toBe('no event waits for its disk any more');
    fault = 'EIO';
    writeTo(3);
    expect(watch.lines).toHaveLength(3);
    for (const store of stores) store.close();
    expect(watch.waiting).toBe(0);
  });

  it('wait too while nothing can be removed from it: it would be full before long', async () => {
    const watch = new Watch();
    const store = newStore(watch.health);
    const prefix = `${opened}-`;
    for (let number = 0; number < 6; number++) store.write(number, block(number));
    disk.removesNothing = true;
    store.dropBefore(3);
    store.write(6, block(6));
    expect(watch.lines[0]).toMatch(/could not be removed: EIO/);
    vi.advanceTimersByTime(5_000);
    expect(store.waitingBlocks).toBe(1);
    disk.removesNothing = false;
    vi.advanceTimersByTime(10_000);
    expect(store.waitingBlocks).toBe(0);
    for (const number of [3, 4, 5, 6]) expect(blockOf(store, number)).toEqual(block(number));
    vi.useRealTimers();
    await expect
      .poll(() => readdirSync(folder).filter((name) => name.startsWith(prefix)))
      .toEqual([`${prefix}000000003`, `${prefix}000000006`]);
    store.close();
  });

  it('are counted with the memory, not with what the disk holds', () => {
    const account = { entity: ['account' as const], windowMs: 10_000_000, aggregate: 'count' as const };
    const compiled = compileCatalogue([{ ...account, name: 'fraud', where: "label == 'fraud'" }], 0);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    const events = (['none', 'ENOSPC'] as const).map((fault) => {
      disk.fault = () => fault;
      opened += 1;
      const storage = new FolderStorage(join(folder, String(opened)));
      const state = createFeatureState(compiled.value, { blockCapacity: 100 }, storage);
      for (let index = 0; index < 10_000; index++) {
        const tx = { ...bareTransaction, account: 'a', eventTimeMs: 1_767_225_600_000 + index };
        state.addTransaction(tx, index, new Float64Array(1), 0);
      }
      const { events: of } = state.survey().contents().memory;
      expect(of.waitingBlocks).toBe(state.waitingBlocks);
      state.close();
      return of;
    });
    const [taken, waiting] = events;
    expect([taken?.waitingBlocks, waiting?.waitingBlocks, waiting?.storedBytes]).toEqual([0, 99 + 2, 0]);
    expect(waiting?.bytes).toBe((taken?.bytes ?? 0) + (taken?.storedBytes ?? 0));
  });

  it('stop the engine when more would wait than are kept, and say what to do', () => {
    const store = newStore();
    disk.fault = () => 'ENOSPC';
    for (let number = 0; number < MAX_WAITING; number++) store.write(number, block(number));
    expect(() => {
      store.write(MAX_WAITING, block(MAX_WAITING));
    }).toThrow(
      /^6 blocks of events wait in memory for their disk, and no more are kept: start again once it takes them\. .*ENOSPC: injected\. Make room/,
    );
    // A disk that takes them by then is asked first.
    disk.fault = () => 'none';
    store.write(MAX_WAITING, block(MAX_WAITING));
    for (let number = 0; number <= MAX_WAITING; number++) expect(blockOf(store, number)).toEqual(block(number));
    store.close();
  });
});

/** A folder whose disk may change its mind before each call. */
class DisturbedStorage implements ReservoirStorage {
  readonly #storage: FolderStorage;
  readonly #onEachCall: (store: BlockStore) => void;

  constructor(path: string, onEachCall: (store: BlockStore) => void) {
    this.#storage = new FolderStorage(path, { fileBytes: 500 });
    this.#onEachCall = onEachCall;
  }

  open(name: 'events' | 'offsets', blockBytes: number): BlockStore {
    const store = this.#storage.open(name, blockBytes);
    const write = store.write.bind(store);
    const read = store.read.bind(store);
    return Object.assign(store, {
      write: (block: number, bytes: Uint8Array) => {
        this.#onEachCall(store);
        write(block, bytes);
      },
      read: (block: number, bytes: Uint8Array) => {
        this.#onEachCall(store);
        return read(block, bytes);
      },
    });
  }

  close(): void {
    this.#storage.close();
  }
}
