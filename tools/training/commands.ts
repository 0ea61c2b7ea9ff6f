import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Of the virtual environment that the Makefile makes. */
export const PYTHON = join('.venv', process.platform === 'win32' ? 'Scripts' : 'bin', 'python');

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Rejects when it fails; what it says is seen. */
export async function run(command: string, parameters: readonly string[]): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(command, parameters, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ${parameters.join(' ')} ended with ${String(code)}`);
}

export async function sluice(...parameters: readonly string[]): Promise<void> {
  await run(process.execPath, ['dist/cli/main.js', ...parameters]);
}

export async function python(script: string, ...parameters: readonly string[]): Promise<void> {
  await run(PYTHON, [`models/training/${script}`, ...parameters]);
}

/** Makes `file` by `make`, unless an earlier run did: a file that is there is whole. */
export async function unlessThere(file: string, make: (partFile: string) => Promise<void>): Promise<void> {
  if (existsSync(file)) {
    say(`${file} is there already`);
    return;
  }
  const dot = file.indexOf('.', file.lastIndexOf('/'));
  const partFile = `${file.slice(0, dot)}.part${file.slice(dot)}`;
  await make(partFile);
  await rename(partFile, file);
}

/** A copy of a deployment folder without its model: features do not depend on it, and an old one would not fit new features. */
export async function withoutModel(deployment: string, copy: string): Promise<string> {
  await rm(copy, { recursive: true, force: true });
  await cp(deployment, copy, { recursive: true });
  await rm(join(copy, 'model'), { recursive: true, force: true });
  return copy;
}

/** Imports `payments` and exports their features to `file`. The data folder goes when the features are out. */
export async function exportFeatures(
  deployment: string,
  payments: string,
  dataFolder: string,
  file: string,
): Promise<void> {
  await sluice('import', payments, '--config', deployment, '--data', dataFolder, '--no-history');
  await sluice('export', '--data', dataFolder, '--out', file);
  await rm(dataFolder, { recursive: true });
}
