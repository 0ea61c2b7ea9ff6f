/** Kernels: AssemblyScript to the WebAssembly that Sluice carries along. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../schemas/packageRoot.ts';

const COMPILER = 'node_modules/assemblyscript/bin/asc.js';
const OPTIONS = ['-O3', '--converge', '--runtime', 'stub', '--noAssert'];
/** A memory that the host gives, and that threads hand to one another. */
const MEMORY = ['--importMemory', '--sharedMemory', '--enable', 'threads'];
const MEMORY_PAGES = ['--initialMemory', '1', '--maximumMemory', '65536'];

export interface Kernel {
  /** All paths begin at the package's root. */
  readonly source: string;
  /** The file that carries what is made of it, and the name by which it exports that. */
  readonly file: string;
  readonly exported: string;
  readonly options: readonly string[];
}

export const kernels: readonly Kernel[] = [
  {
    source: 'operators/features/kernel/assembly/index.ts',
    file: 'operators/features/kernel/kernelBytes.ts',
    exported: 'KERNEL_BASE64',
    // The driver calls the columns' kernels through a table that the host gives.
    options: ['--importTable'],
  },
  {
    source: 'models/trees/assembly/shap.ts',
    file: 'models/trees/shapBytes.ts',
    exported: 'SHAP_BASE64',
    options: ['--enable', 'simd'],
  },
];

/** The text of a kernel's file. */
export function compileKernel({ source, exported, options }: Kernel): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kernel-'));
  try {
    const file = join(folder, 'kernel.wasm');
    const args = [COMPILER, source, ...OPTIONS, ...MEMORY, ...MEMORY_PAGES, ...options, '--outFile', file];
    execFileSync(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'inherit', 'inherit'] });
    return textOf(exported, readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function textOf(exported: string, bytes: Buffer): string {
  return [
    '// Made by `npm run kernel` out of assembly/; its test makes it again and compares.',
    `export const ${exported} =\n  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}
