import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TemporaryReservoir } from './temporaryReservoir.ts';

let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sluice-temporary-'));
});
afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

describe('a temporary reservoir', () => {
  it('keeps blocks in a folder of its own and leaves nothing', () => {
    const reservoir = new TemporaryReservoir(parent);
    const store = reservoir.open().open('events', 8);
    store.write(0, new Uint8Array(8).fill(7));
    const bytes = new Uint8Array(8);
    expect(store.read(0, bytes)).toBe(true);
    expect(bytes).toEqual(new Uint8Array(8).fill(7));
    expect(readdirSync(join(reservoir.folder, '1'))).toHaveLength(1);
    store.close();
    reservoir.remove();
    expect(readdirSync(parent)).toEqual([]);
  });

  it('removes what killed processes of this machine left, and nothing else', () => {
    const { pid: gone } = spawnSync(process.execPath, ['--version']);
    const left = join(parent, `sluice-reservoir-${hostname()}-${gone}-abcdef`);
    const kept = [
      `sluice-reservoir-${hostname()}-${process.ppid}-abcdef`,
      `sluice-reservoir-another.machine-${gone}-abcdef`,
      'sluice-something',
    ].map((name) => join(parent, name));
    for (const folder of [left, ...kept]) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'events-000000000'), 'old');
    }
    const reservoir = new TemporaryReservoir(parent);
    expect([left, ...kept, reservoir.folder].map((folder) => existsSync(folder))).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});
