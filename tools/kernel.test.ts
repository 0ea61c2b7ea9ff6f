import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compileKernel, KERNEL_FILE } from './kernel.ts';

it('the kernel that Sluice carries along is the one that its source gives', () => {
  expect(readFileSync(KERNEL_FILE, 'utf8')).toBe(compileKernel());
});
