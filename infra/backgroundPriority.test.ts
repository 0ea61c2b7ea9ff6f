import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { inBackground } from './backgroundPriority.ts';

describe.runIf(process.platform === 'linux')('background priority', () => {
  it('lowers the thread that asks, and no other', async () => {
    const before = getPriority(process.pid);
    const module = new URL('./backgroundPriority.ts', import.meta.url).href;
    const source = `
      const { parentPort } = require('node:worker_threads');
      const { readlinkSync } = require('node:fs');
      const { getPriority } = require('node:os');
      import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(async ({ register }) => {
        register();
        const { runThisThreadInBackground } = await import(${JSON.stringify(module)});
        runThisThreadInBackground();
        parentPort.postMessage(getPriority(Number(readlinkSync('/proc/thread-self').split('/').pop())));
      });`;
    const priority = await new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true });
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(priority).toBe(19);
    expect(getPriority(process.pid)).toBe(before);
  });

  it('starts a program at low priority, in the place of the one that was asked for', () => {
    const { file, args } = inBackground(process.execPath, ['-p', 'os.getPriority()']);
    expect(execFileSync(file, args, { encoding: 'utf8' }).trim()).toBe('19');
  });
});
