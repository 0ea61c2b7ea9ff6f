import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { killSpawned, spawnSluice } from './testing/spawnSluice.ts';

const TIMEOUT_MS = 120_000;

let folder = '';
let data = '';
let temporary = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-replay-'));
  data = join(folder, 'data');
  temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  vi.stubEnv('TMPDIR', temporary);
  const payments = join(folder, 'payments.ndjson');
  for (const args of [
    ['simulate', '--customers', '200', '--days', '20', '--out', payments],
    ['import', '--config', 'config/default', '--data', data, '--no-history', payments],
  ]) {
    const sluice = spawnSluice(args);
    expect((await sluice.ended).exitCode, sluice.output).toBe(0);
  }
}, TIMEOUT_MS);
afterAll(async () => {
  vi.unstubAllEnvs();
  await killSpawned();
  rmSync(folder, { recursive: true, force: true });
});

const temporaryFiles = (): string[] =>
  readdirSync(temporary, { recursive: true, encoding: 'utf8' }).filter((path) => /events-\d+$/.test(path));

describe('sluice replay', { timeout: TIMEOUT_MS }, () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'keeps old events in temporary files, which do not outlive it: %s',
    async (signal) => {
      const ended = spawnSluice(['replay', '--data', data, '--verify', '--json']);
      await expect.poll(temporaryFiles, { timeout: TIMEOUT_MS, interval: 5 }).toHaveLength(1);
      ended.kill(signal);
      await ended.ended;
      expect(temporaryFiles()).toHaveLength(signal === 'SIGKILL' ? 1 : 0);

      const whole = spawnSluice(['replay', '--data', data, '--verify', '--json']);
      expect((await whole.ended).exitCode, whole.output).toBe(0);
      expect(JSON.parse(whole.stdout)).toMatchObject({ different: 0, differences: [] });
      expect(readdirSync(temporary).filter((name) => name.startsWith('sluice-'))).toEqual([]);
    },
  );
});
