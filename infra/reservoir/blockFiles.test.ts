import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryStorage, type BlockStore } from '../../operators/features/blockStore.ts';
import { BlockFiles } from './blockFiles.ts';

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

function fileStore(): BlockFiles {
  return new BlockFiles(join(folder, 'events-'), BLOCK_BYTES, FILE_BYTES);
}

const stores: readonly (readonly [string, () => BlockStore])[] = [
  ['files', fileStore],
  ['memory', () => new MemoryStorage().open()],
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
});

describe('block files', () => {
  it('go when all their blocks are dropped, but for the newest', async () => {
    const store = fileStore();
    for (let number = 0; number < 8; number++) store.write(number, block(number));
    expect(readdirSync(folder)).toEqual(['events-000000', 'events-000001', 'events-000002']);
    store.dropBefore(4);
    await vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual(['events-000001', 'events-000002']);
    });
    store.dropBefore(50);
    await vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual(['events-000002']);
    });
    expect(store.read(0, new Uint8Array(BLOCK_BYTES))).toBe(false);
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
    const path = join(folder, 'events-000000');
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
