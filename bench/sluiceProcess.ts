import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../schemas/packageRoot.ts';

const LOOK_MS = 20;

/** The built command line, run as its own process. */
export class SluiceProcess {
  /** Resolves to the exit code when it has ended; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #output: string[] = [];
  readonly #errors: string[] = [];

  constructor(args: readonly string[]) {
    const entry = join(packageRoot, 'dist', 'cli', 'main.js');
    this.#child = spawn(process.execPath, [entry, ...args], { cwd: packageRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#output.push(text));
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#errors.push(line));
    this.exited = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', resolve);
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the process could not be started');
    return this.#child.pid;
  }

  /** What it has written to standard output. */
  get output(): string {
    return this.#output.join('');
  }

  /** The last lines on standard error. */
  get lastErrors(): string {
    return this.#errors.slice(-5).join('\n');
  }

  /** The first line on standard error, from the start on, for which `read` has a value. Rejects when it ends first. */
  async untilLogged<T>(read: (line: string) => T | undefined): Promise<T> {
    const endedEarly = this.exited.then(() => {
      throw new Error(`sluice ended early: ${this.lastErrors}`);
    });
    // Whoever waits no longer does not care that it ends later.
    endedEarly.catch(() => undefined);
    for (let next = 0; ; next++) {
      while (next >= this.#errors.length) await Promise.race([sleep(LOOK_MS), endedEarly]);
      const value = read(this.#errors[next] ?? '');
      if (value !== undefined) return value;
    }
  }

  signal(signal: 'SIGINT' | 'SIGKILL'): void {
    this.#child.kill(signal);
  }
}

/** Runs a command of the built command line to its end. Rejects unless it ends well. */
export async function runSluice(args: readonly string[]): Promise<string> {
  const run = new SluiceProcess(args);
  const code = await run.exited;
  if (code !== 0) throw new Error(`sluice ${args[0] ?? ''} ended with ${String(code)}: ${run.lastErrors}`);
  return run.output;
}

/** Gives `use` a new folder and removes it afterwards. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
