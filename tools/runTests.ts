/** `npm test`: every check and every test. The last line is `N passed, N failed` and, if any were left out, `, N skipped`. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { runChecks } from './checks.ts';

const REPORT = 'artifacts/vitest.json';

const reportSchema = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

async function runVitest(): Promise<Counts> {
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

function countTests(text: string): Counts {
  if (text === '') return { passed: 0, failed: 1, skipped: 0 };
  const report = reportSchema.parse(JSON.parse(text));
  // A test file that could not even be loaded has no tests to count.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests,
  };
}

const checks = await runChecks();
const tests = await runVitest();
const passed = tests.passed + checks.filter((result) => result.passed).length;
const failed = tests.failed + checks.filter((result) => !result.passed).length;
const skipped = tests.skipped === 0 ? '' : `, ${tests.skipped} skipped`;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped}\n`);
process.exitCode = failed === 0 ? 0 : 1;
