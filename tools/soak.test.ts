import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { packageRoot } from '../schemas/packageRoot.ts';

it('a soak compares as many values as it was asked to, and says so with its seed', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'tools/soak.ts', '--values', '1000', '--seed', '5'],
    { cwd: packageRoot, encoding: 'utf8' },
  );
  const [, values] = /^soak: values=(\d+) differences=0 seconds=[\d.]+ seed=5$/m.exec(stdout) ?? [];
  expect(Number(values)).toBeGreaterThanOrEqual(1_000);
  expect(status).toBe(0);
});
