import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCE_FOLDERS = ['schemas', 'operators', 'models', 'pipeline', 'infra', 'cli'];
const BUILT = join(ROOT, 'dist/cli/main.js');
const DEFAULT_WAIT_MS = 60_000;

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One line of the log, parsed. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** The real program in a process of its own. */
export class SluiceProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #stdout = '';
  #stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    const take = (stream: NodeJS.ReadableStream | null, keep: (text: string) => void): void => {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        keep(text);
        this.#wake();
      });
    };
    take(child.stdout, (text) => (this.#stdout += text));
    take(child.stderr, (text) => (this.#stderr += text));
    this.ended = new Promise((resolve) => {
      child.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal });
        this.#wake();
      });
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Everything the program has written. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  log(): LogLine[] {
    const complete = this.#stderr.slice(0, this.#stderr.lastIndexOf('\n') + 1);
    return complete
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map(parseLogLine);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The first line with this message (after `skip` others); rejects when the program ends or takes too long. */
  async logged(message: string, skip = 0, timeoutMs = DEFAULT_WAIT_MS): Promise<LogLine> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const line = this.log().filter(({ msg }) => msg === message)[skip];
      if (line !== undefined) return line;
      if (!this.isRunning) throw new Error(`sluice ended before it logged "${message}":\n${this.output}`);
      if (performance.now() > deadlineMs) throw new Error(`sluice did not log "${message}":\n${this.output}`);
      await this.#change();
    }
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, 1_000);
      this.#watchers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#watchers]) wake();
  }
}

const running = new Set<SluiceProcess>();

/** What node runs for `sluice`: the built program where that is newer than every source, else the sources. */
export function sluiceProgram(): readonly string[] {
  return isBuildCurrent() ? [BUILT] : ['--import', 'tsx', join(ROOT, 'cli/main.ts')];
}

/** Starts `sluice ARGS`. */
export function spawnSluice(args: readonly string[]): SluiceProcess {
  const child = spawn(process.execPath, [...sluiceProgram(), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A test runner's options are not for the program; its log level is what a user gets.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !HIDDEN_VARIABLES.has(name))),
  });
  const sluice = new SluiceProcess(child);
  running.add(sluice);
  void sluice.ended.then(() => running.delete(sluice));
  return sluice;
}

const HIDDEN_VARIABLES: ReadonlySet<string> = new Set(['NODE_OPTIONS', 'SLUICE_LOG', 'SLUICE_CARD_KEY', 'VITEST']);

/** Ends every program that was started here and is still running. */
export async function killSpawned(): Promise<void> {
  for (const sluice of running) sluice.kill('SIGKILL');
  await Promise.all([...running].map((sluice) => sluice.ended));
}

let isCurrent: boolean | undefined;

function isBuildCurrent(): boolean {
  if (isCurrent === undefined) {
    const builtMs = existsSync(BUILT) ? statSync(join(ROOT, 'dist/.tsbuildinfo')).mtimeMs : 0;
    isCurrent = SOURCE_FOLDERS.every((folder) => newestSourceMs(join(ROOT, folder)) < builtMs);
  }
  return isCurrent;
}

function newestSourceMs(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const isSource = entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts');
    if (!isSource || entry.parentPath.includes('testing')) continue;
    newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

function parseLogLine(line: string): LogLine {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null) throw new Error(`the log has a line that is no object: ${line}`);
  return Object.fromEntries(Object.entries(value));
}
