import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inBackground } from '../../backgroundPriority.ts';
import { childMessageSchema, type ChildMessage, type StartMessage } from './childMessages.ts';
import { threadPoolSize } from './endpoint.ts';
import {
  EmbeddedClickHouseError,
  platformPackage,
  unsupportedPlatform,
  type EmbeddedClickHouseErrorCode,
} from './platform.ts';
import type { User } from './users.ts';

/** `starting` also while it is being restarted. */
export type EmbeddedClickHouseState = 'starting' | 'running' | 'stopping' | 'stopped';

export interface EmbeddedClickHouseLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedClickHouseOptions {
  /** Made when missing. One process at a time. */
  readonly dataDir: string;
  /** 0: any free one, kept over restarts. */
  readonly port: number;
  readonly users: readonly User[];
  readonly logger: EmbeddedClickHouseLogger;
  /** Cap on the engine's memory; the process itself takes some 250 MB more. Default 1.5 GiB. */
  readonly memoryBytes?: number;
  /** Largest body of one request, decompressed (lz4 and zstd: compressed). Default 1 GiB. */
  readonly maxBodyBytes?: number;
  /** Largest result of one query. Default 4 GiB. */
  readonly maxResultBytes?: number;
  readonly onState?: (state: EmbeddedClickHouseState) => void;
}

export interface EmbeddedClickHouse {
  /** `http://127.0.0.1:port`, the same over restarts. */
  readonly url: string;
  readonly state: EmbeddedClickHouseState;
  /** Of the engine's process; null while there is none. */
  readonly pid: number | null;
  /** Restarts so far. */
  readonly restartCount: number;
  /** Lets running requests finish for 2 s; after 3 s the process is killed. */
  stop(): Promise<void>;
}

const GiB = 1024 ** 3;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 3_000;
const firstBackoffMs = 100;
const maxBackoffMs = 10_000;
/** A child that lived this long starts the backoff anew. */
const stableAfterMs = 30_000;
/** Restarts in a row after which it is said, once, that something is wrong. */
const troubledAfterRestarts = 20;
const maxLoggedLength = 300;
const maxStartOutputLength = 4096;

/**
 * Starts the ClickHouse engine in a child process and keeps it running. Rejects with EmbeddedClickHouseError when it
 * cannot come up the first time; after that it is restarted on the same port however it ends.
 */
export async function startEmbeddedClickHouse(options: EmbeddedClickHouseOptions): Promise<EmbeddedClickHouse> {
  if (platformPackage() === undefined) throw unsupportedPlatform();
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const supervisor = new Supervisor({ ...options, dataDir });
  await supervisor.start();
  return supervisor;
}

class Supervisor implements EmbeddedClickHouse {
  readonly #options: EmbeddedClickHouseOptions;
  #state: EmbeddedClickHouseState = 'starting';
  #port: number;
  #child: ChildProcess | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartCount = 0;
  #restartsInARow = 0;
  #startOutput = '';

  constructor(options: EmbeddedClickHouseOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  get state(): EmbeddedClickHouseState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get restartCount(): number {
    return this.#restartCount;
  }

  async start(): Promise<void> {
    const startedMs = performance.now();
    const child = this.#spawn();
    this.#child = child;
    try {
      const { port } = await this.#ready(child);
      this.#port = port;
    } catch (error) {
      await killed(child);
      this.#child = undefined;
      throw error;
    }
    if (this.#isEnding()) {
      await killed(child);
      throw startError('it was stopped meanwhile');
    }
    const runningSinceMs = performance.now();
    child.once('exit', (exitCode, signal) => {
      this.#child = undefined;
      if (this.#isEnding()) return;
      this.#options.logger.warn({ exitCode, signal }, 'embedded ClickHouse ended unexpectedly; restarting it');
      if (performance.now() - runningSinceMs > stableAfterMs) this.#restartsInARow = 0;
      this.#restartLater();
    });
    this.#enter('running');
    this.#options.logger.info(
      { url: this.url, pid: child.pid, startMs: Math.round(runningSinceMs - startedMs) },
      'embedded ClickHouse is up',
    );
    // It may have ended between its message and the handler above.
    if (child.exitCode !== null || child.signalCode !== null) child.emit('exit', child.exitCode, child.signalCode);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (this.#state === 'stopped') return;
    this.#enter('stopping');
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = exited(child);
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await ended;
      clearTimeout(timer);
    }
    this.#child = undefined;
    this.#enter('stopped');
  }

  #isEnding(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped';
  }

  #enter(state: EmbeddedClickHouseState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  #restartLater(): void {
    this.#enter('starting');
    if (this.#restartsInARow === troubledAfterRestarts) {
      this.#options.logger.error(
        { restarts: this.#restartsInARow },
        'embedded ClickHouse keeps ending; it is tried again every 10 s. The ledger keeps what history misses',
      );
    }
    const delayMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#restartsInARow);
    this.#restartsInARow += 1;
    this.#restartTimer = setTimeout(() => {
      this.#restartCount += 1;
      this.start().catch((error: unknown) => {
        if (this.#isEnding()) return;
        const message = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({ reason: message }, 'embedded ClickHouse did not come back; trying again');
        this.#restartLater();
      });
    }, delayMs);
  }

  #spawn(): ChildProcess {
    const isSource = import.meta.url.endsWith('.ts');
    const entry = fileURLToPath(new URL(isSource ? './childMain.ts' : './childMain.js', import.meta.url));
    const loader = isSource ? ['--import', import.meta.resolve('tsx')] : [];
    // Queries and inserts must not take the cores that payments need.
    const { file, args } = inBackground(process.execPath, [...loader, entry]);
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {
        ...withoutNodeOptions(process.env),
        UV_THREADPOOL_SIZE: String(threadPoolSize),
        // DateTime columns without a time zone read as UTC everywhere.
        TZ: 'UTC',
      },
    });
    this.#startOutput = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#state === 'starting') {
        this.#startOutput = (this.#startOutput + text).slice(0, maxStartOutputLength);
        return;
      }
      this.#options.logger.warn({ output: firstLine(text) }, 'embedded ClickHouse wrote to stderr');
    });
    return child;
  }

  /** The engine tells the reason on stderr, not in the error it throws. */
  #startFailure(code: EmbeddedClickHouseErrorCode, message: string): EmbeddedClickHouseError {
    if (code !== 'SLUICE_HISTORY_START') return new EmbeddedClickHouseError(code, message);
    if (this.#startOutput.includes('Cannot lock file')) {
      return new EmbeddedClickHouseError(
        'SLUICE_HISTORY_LOCKED',
        `Another process has the history in ${this.#options.dataDir} open: stop it, or use another data folder`,
      );
    }
    return new EmbeddedClickHouseError(code, `${message} ${firstLine(this.#startOutput)}`.trim());
  }

  async #ready(child: ChildProcess): Promise<{ readonly port: number }> {
    const message = await new Promise<ChildMessage>((resolvePromise, reject) => {
      const timer = setTimeout(() => {
        reject(startError(`it gave no sign of life in ${String(startTimeoutMs / 1000)} s`));
      }, startTimeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        child.off('error', onError);
        child.off('exit', onExit);
      };
      const onError = (error: Error): void => {
        settle();
        reject(startError(error.message));
      };
      const onExit = (exitCode: number | null, signal: NodeJS.Signals | null): void => {
        settle();
        reject(startError(`its process ended with ${signal ?? String(exitCode)}`));
      };
      child.once('error', onError);
      child.once('exit', onExit);
      child.once('message', (value) => {
        settle();
        resolvePromise(childMessageSchema.parse(value));
      });
      const start: StartMessage = {
        type: 'start',
        dataDir: this.#options.dataDir,
        port: this.#port,
        users: [...this.#options.users],
        memoryBytes: this.#options.memoryBytes ?? 1.5 * GiB,
        maxBodyBytes: this.#options.maxBodyBytes ?? GiB,
        maxResultBytes: this.#options.maxResultBytes ?? 4 * GiB,
      };
      child.send(start, (error) => {
        if (error !== null) onError(error);
      });
    });
    if (message.type === 'failed') {
      await closed(child);
      throw this.#startFailure(message.code, message.message);
    }
    return { port: message.port };
  }
}

/** What follows the first line may quote a query, and with it data. */
function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, maxLoggedLength);
}

function startError(reason: string): EmbeddedClickHouseError {
  return new EmbeddedClickHouseError('SLUICE_HISTORY_START', `The embedded ClickHouse engine did not start: ${reason}`);
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolvePromise) => {
    child.once('exit', () => {
      resolvePromise();
    });
  });
}

/** A child that told of its failure ends by itself; then all it wrote has arrived. */
async function closed(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await new Promise((resolvePromise) => child.once('close', resolvePromise));
  clearTimeout(timer);
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = exited(child);
  child.kill('SIGKILL');
  await ended;
}

/** A debugger's or a test runner's options are not for the child. */
function withoutNodeOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== 'NODE_OPTIONS'));
}
