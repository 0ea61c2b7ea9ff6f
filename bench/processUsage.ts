import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a process has used so far. Linux only (/proc); undefined elsewhere, and once it has ended. */
export interface ProcessUsage {
  /** CPU seconds of all its threads. */
  readonly cpuSeconds: number;
  /** Most memory it ever held, bytes; pages of LMDB's mapped files count, which the system takes back when it wants. */
  readonly peakBytes: number;
  /** Memory of its own, not of a file: bytes now, and from UsageWatch the most seen. */
  readonly anonymousBytes: number;
}

let ticksPerSecond: number | undefined;

export function processUsage(pid: number): ProcessUsage | undefined {
  try {
    ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
    // Fields 14 and 15 are user and system time (proc_pid_stat(5)); field 2, the name in brackets, may hold spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    const anonymous = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
    if (peak === undefined || anonymous === undefined) return undefined;
    const ticks = Number(stat[11]) + Number(stat[12]);
    return {
      cpuSeconds: ticks / ticksPerSecond,
      peakBytes: Number(peak) * 1024,
      anonymousBytes: Number(anonymous) * 1024,
    };
  } catch {
    return undefined;
  }
}

/** Processes that `pid` started and that still run. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Follows a process and its children by looking every `intervalMs`; what they had used when last seen. */
export class UsageWatch {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  readonly #children = new Map<number, ProcessUsage>();
  #main: ProcessUsage | undefined;

  constructor(pid: number, intervalMs = 250) {
    this.#pid = pid;
    this.#timer = setInterval(() => {
      this.look();
    }, intervalMs);
  }

  /** Of the process itself, and of its children together (the embedded ClickHouse). */
  look(): { readonly main: ProcessUsage | undefined; readonly children: ProcessUsage } {
    this.#main = latest(this.#main, processUsage(this.#pid));
    for (const child of childrenOf(this.#pid)) {
      const usage = latest(this.#children.get(child), processUsage(child));
      if (usage !== undefined) this.#children.set(child, usage);
    }
    const children = { cpuSeconds: 0, peakBytes: 0, anonymousBytes: 0 };
    for (const usage of this.#children.values()) {
      children.cpuSeconds += usage.cpuSeconds;
      children.peakBytes += usage.peakBytes;
      children.anonymousBytes += usage.anonymousBytes;
    }
    return { main: this.#main, children };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function latest(before: ProcessUsage | undefined, now: ProcessUsage | undefined): ProcessUsage | undefined {
  if (before === undefined || now === undefined) return now ?? before;
  return { ...now, anonymousBytes: Math.max(before.anonymousBytes, now.anonymousBytes) };
}
