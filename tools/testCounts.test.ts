import { describe, expect, it } from 'vitest';
import { countTests, summaryLine } from './testCounts.ts';

const report = {
  numPassedTests: 7,
  numFailedTests: 1,
  numPendingTests: 2,
  testResults: [
    { status: 'passed', assertionResults: [{}] },
    { status: 'failed', assertionResults: [{}] },
  ],
};

describe('The last line of make test', () => {
  it('counts what vitest reports', () => {
    expect(summaryLine(countTests(JSON.stringify(report)))).toBe('7 passed, 1 failed, 2 skipped');
    expect(summaryLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  });

  it('counts a test file that could not be loaded as a failure', () => {
    const broken = { ...report, testResults: [...report.testResults, { status: 'failed', assertionResults: [] }] };
    expect(countTests(JSON.stringify(broken)).failed).toBe(2);
  });

  it('counts a run without a report as a failure', () => {
    expect(countTests('')).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
