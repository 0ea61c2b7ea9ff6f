import { spawn } from 'node:child_process';

/** One part of `make check`: an npm script. */
export interface Check {
  readonly name: string;
  readonly script: string;
}

export interface CheckResult {
  readonly check: Check;
  readonly passed: boolean;
  readonly output: string;
  readonly durationMs: number;
}

/** The slowest first, so that two at a time end together. */
const CHECKS: readonly Check[] = [
  { name: 'lint', script: 'lint' },
  { name: 'types', script: 'types' },
  { name: 'layers', script: 'layers' },
  { name: 'unused', script: 'unused' },
  { name: 'format', script: 'format:check' },
];

const CONCURRENT_CHECKS = 2;

/** Runs every check, prints the output of those that fail, and gives all results. */
export async function runChecks(): Promise<readonly CheckResult[]> {
  const waiting = [...CHECKS];
  const results: CheckResult[] = [];
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const result = await runCheck(check);
      results.push(result);
      const seconds = (result.durationMs / 1_000).toFixed(1);
      process.stdout.write(`${result.passed ? 'ok  ' : 'FAIL'} ${check.name} (${seconds} s)\n`);
      if (!result.passed) process.stdout.write(`${result.output.trimEnd()}\n`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_CHECKS }, work));
  return results;
}

function runCheck(check: Check): Promise<CheckResult> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', '--silent', check.script], {
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ check, passed: code === 0, output, durationMs: performance.now() - startMs }),
    );
  });
}
