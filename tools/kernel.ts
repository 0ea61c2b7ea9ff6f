/** The feature state's kernel: AssemblyScript (operators/features/kernel/assembly/) to the WebAssembly that Sluice carries along. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../schemas/packageRoot.ts';

const COMPILER = 'node_modules/assemblyscript/bin/asc.js';
const SOURCE = 'operators/features/kernel/assembly/index.ts';
const OPTIONS = ['-O3', '--converge', '--runtime', 'stub', '--noAssert'];
/** A memory that the host gives, and that threads hand to one another. */
const MEMORY = ['--importTable', '--importMemory', '--sharedMemory', '--enable', 'threads'];
const MEMORY_PAGES = ['--initialMemory', '1', '--maximumMemory', '65536'];

export const KERNEL_FILE = join(packageRoot, 'operators/features/kernel/kernelBytes.ts');

/** The text of KERNEL_FILE. */
export function compileKernel(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kernel-'));
  try {
    const file = join(folder, 'kernel.wasm');
    const args = [COMPILER, SOURCE, ...OPTIONS, ...MEMORY, ...MEMORY_PAGES, '--outFile', file];
    execFileSync(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'inherit', 'inherit'] });
    return textOf(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function textOf(bytes: Buffer): string {
  return [
    '// Made by `npm run kernel` out of assembly/; its test makes it again and compares.',
    `export const KERNEL_BASE64 =\n  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}
