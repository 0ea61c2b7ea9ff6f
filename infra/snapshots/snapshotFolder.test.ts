import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateOutput } from '../../operators/savedState.ts';
import type { SnapshotStore } from '../../pipeline/ports.ts';
import {
  describeSnapshotStore,
  KEPT_SNAPSHOTS,
  saveItems,
  snapshotHeader,
} from '../../pipeline/testing/snapshotStoreConformance.ts';
import { SnapshotFolder } from './snapshotFolder.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-snapshots-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Small frames, so that items straddle them. */
const newStore = (name = 'snapshots'): SnapshotFolder =>
  new SnapshotFolder(join(folder, name), { keep: KEPT_SNAPSHOTS, frameBytes: 100 });

describeSnapshotStore('A folder', async (test) => {
  const own = mkdtempSync(join(folder, 'own-'));
  await test(new SnapshotFolder(join(own, 'snapshots'), { keep: KEPT_SNAPSHOTS, frameBytes: 100 }));
});

describe('a snapshot file', () => {
  const offset = 12;
  const items = [1.5, 'text', new Float64Array(40).fill(0.1), new Uint8Array(333).fill(7), 'end'];
  let path: string;
  let store: SnapshotStore;
  let whole: Buffer;

  beforeEach(async () => {
    store = newStore();
    expect(await store.write(snapshotHeader(offset), 0, saveItems(items))).toBeGreaterThan(500);
    path = join(folder, 'snapshots', 'offset-0000000000000012', 'state');
    whole = readFileSync(path);
  });

  const refusal = async (): Promise<string> => {
    try {
      await store.header(offset);
      await store.read(offset);
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
    return 'none';
  };

  it('is refused when any of its bits is another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
        const flipped = Buffer.from(whole);
        flipped[bit >>> 3]! ^= 1 << (bit & 7);
        writeFileSync(path, flipped);
        // The version's bits are no damage that can be told from another version.
        expect(await refusal()).toMatch(/^SLUICE_SNAPSHOT_(DAMAGED|VERSION)$/);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused when it ends anywhere before its end, or after it', async () => {
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      expect(await refusal(), `at ${length}`).toBe('SLUICE_SNAPSHOT_DAMAGED');
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(1)]));
    expect(await refusal()).toBe('SLUICE_SNAPSHOT_DAMAGED');
  });

  it('is refused when two of its frames have changed places, or one is missing', async () => {
    const start = whole.indexOf('}') + 1 + 4;
    const frame = (number: number): Buffer => whole.subarray(start + number * 108, start + (number + 1) * 108);
    expect(frame(1).readUInt32LE(0)).toBe(100);
    writeFileSync(path, Buffer.concat([whole.subarray(0, start), frame(1), frame(0), whole.subarray(start + 216)]));
    expect(await refusal()).toBe('SLUICE_SNAPSHOT_DAMAGED');
    writeFileSync(path, Buffer.concat([whole.subarray(0, start), whole.subarray(start + 108)]));
    expect(await refusal()).toBe('SLUICE_SNAPSHOT_DAMAGED');
    writeFileSync(path, whole);
    expect(await refusal()).toBe('none');
  });

  it('is refused by what it is: missing, of another format, of another byte order, out of reach', async () => {
    rmSync(path);
    await expect(store.read(offset)).rejects.toMatchObject({
      code: 'SLUICE_SNAPSHOT_DAMAGED',
      message: 'its file is missing',
    });
    const version = Buffer.from(whole);
    version[8] = 2;
    writeFileSync(path, version);
    await expect(store.header(offset)).rejects.toMatchObject({
      code: 'SLUICE_SNAPSHOT_VERSION',
      message: 'its format is version 2, and this Sluice reads version 1',
    });
    const swapped = Buffer.from(whole);
    const end = whole.indexOf('}') + 1;
    swapped.write(endianness() === 'LE' ? 'BE' : 'LE', whole.indexOf(endianness()));
    swapped.writeUInt32LE(crc32(swapped.subarray(0, end)), end);
    writeFileSync(path, swapped);
    await expect(store.header(offset)).rejects.toMatchObject({ code: 'SLUICE_SNAPSHOT_VERSION' });
    rmSync(path);
    mkdirSync(path);
    expect(await refusal()).toBe('SLUICE_SNAPSHOT_IO');
  });
});

describe('a folder of snapshots', () => {
  it('takes no account of what a crash left, and removes it with the next write', async () => {
    const store = newStore();
    await store.write(snapshotHeader(5), 0, saveItems([1]));
    const snapshots = join(folder, 'snapshots');
    cpSync(join(snapshots, 'offset-0000000000000005'), join(snapshots, 'offset-0000000000000009.unfinished'), {
      recursive: true,
    });
    writeFileSync(join(snapshots, 'notes.txt'), 'somebody else’s');
    expect(await store.offsets()).toEqual([5]);
    await store.write(snapshotHeader(6), 0, saveItems([1]));
    expect(readdirSync(snapshots).sort()).toEqual(['notes.txt', 'offset-0000000000000005', 'offset-0000000000000006']);
  });

  it('has the files that a state refers to, also when they are gone where they were', async () => {
    const store = newStore();
    const path = join(folder, 'events-000000007');
    writeFileSync(path, 'a block');
    const save = (output: StateOutput): void => {
      output.file(path);
      output.text('events-000000007');
    };
    await store.write(snapshotHeader(5), 0, save);
    await store.write(snapshotHeader(6), 0, save);
    rmSync(path);
    rmSync(join(folder, 'snapshots', 'offset-0000000000000005'), { recursive: true });
    const input = await store.read(6);
    expect(readFileSync(input.file(), 'utf8')).toBe('a block');
    expect(() => input.file()).toThrow(expect.objectContaining({ code: 'SLUICE_SNAPSHOT_CONTENT' }));
  });

  it('leaves the ledger its room on the disk', async () => {
    const store = newStore();
    await store.write(snapshotHeader(5), 0, saveItems([1]));
    await expect(store.write(snapshotHeader(6), 2 ** 60, saveItems([1]))).rejects.toMatchObject({
      code: 'SLUICE_SNAPSHOT_IO',
      message: expect.stringMatching(/^it would take about \d+ MB of the \d+ MB that the disk has left/),
    });
    expect(await store.offsets()).toEqual([5]);
  });

  it('says in one line why it cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const store = newStore('file');
    await expect(store.write(snapshotHeader(5), 0, saveItems([1]))).rejects.toMatchObject({
      code: 'SLUICE_SNAPSHOT_IO',
      message: expect.stringMatching(/^it cannot be written: [^\n]+$/),
    });
    expect(existsSync(join(folder, 'file'))).toBe(true);
  });
});
