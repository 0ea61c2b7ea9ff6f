import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killSpawned, spawnSluice } from './testing/spawnSluice.ts';
import { UserError } from './userError.ts';
import { readUserFile, sizeOfUserFile, writeUserFile } from './userFile.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-files-'));
  mkdirSync(join(folder, 'folder.csv'));
  writeFileSync(join(folder, 'plain.csv'), 'text');
});
afterAll(async () => {
  await killSpawned();
  rmSync(folder, { recursive: true, force: true });
});

describe('a file that the user names', () => {
  it('is read, measured and written', async () => {
    const path = join(folder, 'plain.csv');
    expect(readUserFile(path)).toBe('text');
    expect(sizeOfUserFile(path)).toBe(4);
    const written = join(folder, 'written');
    const stream = writeUserFile(written);
    await new Promise<void>((resolve) => stream.end('new', resolve));
    expect(readFileSync(written, 'utf8')).toBe('new');
  });

  it.each([
    ['missing', /missing: there is no such file \[SLUICE_FILE_MISSING\]$/],
    ['folder.csv', /folder\.csv cannot be read: .+ \[SLUICE_FILE_UNREADABLE\]$/],
    ['plain.csv/x', /cannot be read: a part of the path is no folder \[SLUICE_FILE_UNREADABLE\]$/],
  ])('%s cannot be read, and why is said in one line', (name, says) => {
    for (const read of [readUserFile, sizeOfUserFile]) {
      expect(() => read(join(folder, name))).toThrow(says);
      expect(() => read(join(folder, name))).toThrow(UserError);
    }
  });

  it.each([
    ['none/x', /x cannot be written: its folder does not exist \[SLUICE_FILE_UNWRITABLE\]$/],
    ['folder.csv', /cannot be written: it is a folder \[SLUICE_FILE_UNWRITABLE\]$/],
  ])('%s cannot be written, and why is said in one line', (name, says) => {
    expect(() => writeUserFile(join(folder, name))).toThrow(says);
  });
});

describe('commands that take a file', () => {
  it.each([
    [['features', 'add', 'FOLDER/none.yaml'], 'SLUICE_FILE_MISSING'],
    [['features', 'add', 'FOLDER/folder.csv'], 'SLUICE_FILE_UNREADABLE'],
    [['import', '--config', 'config/handbook', '--data', 'FOLDER/data', 'FOLDER/folder.csv'], 'SLUICE_FILE_UNREADABLE'],
    [['simulate', '--days', '1', '--customers', '10', '--out', 'FOLDER/none/x.ndjson'], 'SLUICE_FILE_UNWRITABLE'],
    [['up', '--data', 'FOLDER/plain.csv', '--no-history'], 'SLUICE_DATA_UNUSABLE'],
  ])('%s: one line with a code', async (args, code) => {
    const sluice = spawnSluice(args.map((arg) => arg.replace('FOLDER', folder)));
    expect((await sluice.ended).exitCode).toBe(1);
    const lines = sluice.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^sluice: .*\\[${code}\\]$`));
  });
});
