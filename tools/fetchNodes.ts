/** `npx tsx tools/fetchNodes.ts`: brings the Nodes that the determinism test compares with, from npm, into artifacts/. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { otherNodes } from './otherNodes.ts';

for (const { major, packageName, folder, isInstalled } of otherNodes()) {
  if (isInstalled) continue;
  mkdirSync(folder, { recursive: true });
  const { status } = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, `${packageName}@${major}`],
    { stdio: 'inherit', shell: process.platform === 'win32' },
  );
  if (status === 0) continue;
  process.stderr.write(`Node ${major} could not be had; the determinism test will leave it out\n`);
  process.exitCode = 1;
}
