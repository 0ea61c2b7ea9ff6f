/** `npm test`: every check and every test. The last line is `N passed, N failed` and, if any were left out, `, N skipped`. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { runChecks } from './checks.ts';
import { countTests, summaryLine } from './testCounts.ts';
import type { TestCounts } from './testCounts.ts';

const REPORT = 'artifacts/vitest.json';

async function runVitest(): Promise<TestCounts> {
  await mkdir('artifacts', { recursive: true });
  await rm(REPORT, { force: true });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(
      'npx',
      ['--no-install', 'vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`],
      { stdio: 'inherit', shell: process.platform === 'win32' },
    );
    child.once('error', reject);
    child.once('close', resolve);
  });
  const counts = countTests(await readFile(REPORT, 'utf8').catch(() => ''));
  // An error outside any test, or no report at all, is a failure too.
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

const checks = await runChecks();
const tests = await runVitest();
const counts: TestCounts = {
  passed: tests.passed + checks.filter((result) => result.passed).length,
  failed: tests.failed + checks.filter((result) => !result.passed).length,
  skipped: tests.skipped,
};
process.stdout.write(`\n${summaryLine(counts)}\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
