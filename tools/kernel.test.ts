import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../schemas/packageRoot.ts';
import { compileKernel, kernels } from './kernel.ts';

it.each(kernels)('$file is what its source gives', (kernel) => {
  expect(readFileSync(join(packageRoot, kernel.file), 'utf8')).toBe(compileKernel(kernel));
});
