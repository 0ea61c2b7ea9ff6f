/** `npm run kernel`: compiles the kernels anew. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../schemas/packageRoot.ts';
import { compileKernel, kernels } from './kernel.ts';

for (const kernel of kernels) writeFileSync(join(packageRoot, kernel.file), compileKernel(kernel));
