import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryStorage, type BlockStore } from '../../operators/features/blockStore.ts';
import { SavedStateError } from '../../operators/savedState.ts';
import { copyState, MemoryState } from '../../operators/testing/memoryState.ts';
import { BlockFiles } from './blockFiles.ts';
import { BufferedBlocks } from './bufferedBlocks.ts';

const BLOCK_BYTES = 24;
/** Three blocks with their trailers. */
const FILE_BYTES = 100;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-reservoir-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function block(number: number): Uint8Array {
  return new Uint8Array(BLOCK_BYTES).fill(number + 1);
}

function blockOf(store: Pick<BlockStore, 'read'>, number: number): Uint8Array | null {
  const bytes = new Uint8Array(BLOCK_BYTES);
  return store.read(number, bytes) ? bytes : null;
}

function fileStore(name = 'events'): BlockFiles {
  return new BlockFiles(join(folder, `${name}-`), BLOCK_BYTES, FILE_BYTES);
}

/** Keeps the files as a snapshot does. */
class LinkingState extends MemoryState {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
    mkdirSync(folder);
  }

  override file(path: string): void {
    const kept = join(this.#folder, basename(path));
    linkSync(path, kept);
    super.file(kept);
  }

  contents(): Record<string, Buffer> {
    return Object.fromEntries(readdirSync(this.#folder).map((name) => [name, readFileSync(join(this.#folder, name))]));
  }
}

const stores: readonly (readonly [string, (name?: string) => BlockStore])[] = [
  ['files', (name) => new BufferedBlocks(fileStore(name), null)],
  ['memory', () => new MemoryStorage().open('events', BLOCK_BYTES)],
];

describe.each(stores)('a block store in %s', (_name, create) => {
  it('gives back what was written, and nothing for numbers that were left out', () => {
    const store = create();
    const bytes = new Uint8Array(BLOCK_BYTES);
    expect(store.read(0, bytes)).toBe(false);
    for (const number of [0, 1, 4, 5, 300]) store.write(number, block(number));
    for (const number of [300, 5, 0, 4, 1]) {
      store.prefetch(number);
      expect(store.read(number, bytes)).toBe(true);
      expect(bytes).toEqual(block(number));
    }
    for (const number of [2, 3, 6, 299, 301, 400]) expect(store.read(number, bytes)).toBe(false);
  });

  it('keeps no reference to the bytes it was given', () => {
    const store = create();
    const bytes = block(0);
    store.write(0, bytes);
    bytes.fill(9);
    store.read(0, bytes);
    expect(bytes).toEqual(block(0));
  });

  it('still has the blocks that were not dropped, and takes further ones', () => {
    const store = create();
    for (let number = 0; number < 20; number++) {
      store.write(number, block(number));
      store.dropBefore(number - 4);
      const bytes = new Uint8Array(BLOCK_BYTES);
      for (let held = Math.max(0, number - 4); held <= number; held++) {
        expect(store.read(held, bytes)).toBe(true);
        expect(bytes).toEqual(block(held));
      }
    }
  });

  it('goes on in another store from what it saved', () => {
    const store = create();
    const numbers = [3, 4, 6, 7, 8, 300];
    for (const number of numbers) store.write(number, block(number));
    store.dropBefore(4);
    const another = copyState(store, create('another'));
    for (const number of numbers.slice(1)) expect(blockOf(another, number)).toEqual(block(number));
    for (const number of [5, 9, 299, 301]) expect(blockOf(another, number)).toBe(null);
    another.write(301, block(301));
    expect(blockOf(another, 301)).toEqual(block(301));
  });
});

describe('block files', () => {
  it('go when all their blocks are dropped, but for the newest', async () => {
    const store = fileStore();
    for (let number = 0; number < 8; number++) store.write(number, block(number));
    expect(readdirSync(folder)).toEqual(['events-000000000', 'events-000000003', 'events-000000006']);
    store.dropBefore(4);
    await vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual(['events-000000003', 'events-000000006']);
    });
    store.dropBefore(50);
    await vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual(['events-000000006']);
    });
    expect(blockOf(store, 0)).toBe(null);
  });

  it('that a saved state has are never written to again, by whomever goes on from it', () => {
    const store = fileStore();
    for (let number = 0; number < 5; number++) store.write(number, block(number));
    const snapshot = new LinkingState(join(folder, 'snapshot'));
    store.save(snapshot);
    const kept = snapshot.contents();
    expect(Object.keys(kept)).toEqual(['events-000000000', 'events-000000003']);
    const restored = [1, 2].map((run) => {
      const another = fileStore(`run${run}`);
      another.load(snapshot.read());
      return another;
    });
    for (const [run, each] of [store, ...restored].entries()) {
      // As no ledger would have it: what each writes differs.
      for (let number = 5; number < 9; number++) each.write(number, block(number + 10 * run));
      for (let number = 5; number < 9; number++) expect(blockOf(each, number)).toEqual(block(number + 10 * run));
      expect(blockOf(each, 4)).toEqual(block(4));
      each.dropBefore(6);
    }
    expect(snapshot.contents()).toEqual(kept);
  });

  it('may be saved again and again, each time with what was written since', () => {
    const store = fileStore();
    for (let number = 0; number < 9; number++) {
      store.write(number, block(number));
      const another = fileStore(`another${number}`);
      copyState(store, another);
      for (let known = 0; known <= number; known++) expect(blockOf(another, known)).toEqual(block(known));
      another.close();
    }
  });

  it.each([
    ['is missing', (path: string): void => rmSync(path)],
    ['is cut', (path: string): void => truncateSync(path, 20)],
    ['is of another run', (path: string): void => writeFileSync(path, Buffer.alloc(96, 1))],
  ])('are refused with the saved state when one of them %s', (_name, damage) => {
    const store = fileStore();
    for (let number = 0; number < 3; number++) store.write(number, block(number));
    const snapshot = new LinkingState(join(folder, 'snapshot'));
    store.save(snapshot);
    store.close();
    damage(join(folder, 'snapshot', 'events-000000000'));
    const another = fileStore('another');
    expect(() => {
      another.load(snapshot.read());
    }).toThrow(SavedStateError);
  });

  it('are not those of a store of other blocks', () => {
    const another = new BlockFiles(join(folder, 'another-'), BLOCK_BYTES + 8, FILE_BYTES);
    expect(() => copyState(fileStore('other'), another)).toThrow(SavedStateError);
    expect(() => copyState(new MemoryStorage().open('events', BLOCK_BYTES), fileStore('third'))).toThrow(
      SavedStateError,
    );
    expect(() => copyState(fileStore('fourth'), new MemoryStorage().open('events', BLOCK_BYTES))).toThrow(
      SavedStateError,
    );
  });

  it('are many more than may be open at once', () => {
    const store = fileStore();
    const count = 3 * 200;
    for (let number = 0; number < count; number++) store.write(number, block(number));
    const bytes = new Uint8Array(BLOCK_BYTES);
    for (let number = 0; number < count; number += 7) {
      store.prefetch((number * 31) % count);
      expect(store.read(number, bytes)).toBe(true);
      expect(bytes).toEqual(block(number));
    }
    store.close();
  });

  it.each([
    ['a changed byte', (bytes: Buffer) => bytes.fill(77, 33, 34)],
    ['a cut file', (bytes: Buffer) => bytes.subarray(0, 40)],
    ['another block', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 32), bytes.subarray(0, 32)])],
  ])('are refused when damaged: %s', (_name, damage) => {
    const store = fileStore();
    store.write(0, block(0));
    store.write(1, block(1));
    const path = join(folder, 'events-000000000');
    writeFileSync(path, damage(readFileSync(path)));
    expect(() => store.read(1, new Uint8Array(BLOCK_BYTES))).toThrow('Block 1 of ');
  });

  it('say that the disk failed, and that nothing is lost', () => {
    const store = new BlockFiles(join(folder, 'missing', 'events-'), BLOCK_BYTES);
    expect(() => {
      store.write(0, block(0));
    }).toThrow(/could not be written: .*ENOENT.*nothing is lost/);
  });
});
