/** `npm run kernel`: compiles the feature state's kernel anew. */
import { writeFileSync } from 'node:fs';
import { compileKernel, KERNEL_FILE } from './kernel.ts';

writeFileSync(KERNEL_FILE, compileKernel());
