import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCardKey, SecretKeyError } from './secretKey.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-key-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('The card key', () => {
  it('is made at the first start, for its owner alone, and stays the same', () => {
    const dataFolder = join(folder, 'data');
    const key = loadCardKey({}, dataFolder);
    expect(key.length).toBe(32);
    expect(statSync(join(dataFolder, 'card.key')).mode & 0o777).toBe(0o600);
    expect(loadCardKey({}, dataFolder).equals(key)).toBe(true);
  });

  it('from the environment comes first, in hexadecimal or base64', () => {
    const bytes = Buffer.from(Array.from({ length: 40 }, (_, index) => index * 6));
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(loadCardKey({ SLUICE_CARD_KEY: bytes.toString(encoding) }, folder).equals(bytes)).toBe(true);
  });

  it.each(['short', 'ab'.repeat(31), 'not a key at all, however long it may be made!!'])(
    'is refused when it is too short or no key, without being repeated: %s',
    (given) => {
      expect(() => loadCardKey({ SLUICE_CARD_KEY: given }, folder)).toThrow(SecretKeyError);
      expect(() => loadCardKey({ SLUICE_CARD_KEY: given }, folder)).not.toThrow(given);
    },
  );

  it.runIf(process.platform !== 'win32')('is refused while others may read its file, with what to do', () => {
    loadCardKey({}, folder);
    const path = join(folder, 'card.key');
    chmodSync(path, 0o644);
    expect(() => loadCardKey({}, folder)).toThrow(
      `The card key ${path} may be read by others (mode 0644). Run: chmod 600 ${path}`,
    );
  });

  it('is refused when its file is damaged, and the file is left as it is', () => {
    const path = join(folder, 'card.key');
    writeFileSync(path, 'abcd', { mode: 0o600 });
    expect(() => loadCardKey({}, folder)).toThrow(/is damaged/);
    expect(readFileSync(path, 'utf8')).toBe('abcd');
  });
});
