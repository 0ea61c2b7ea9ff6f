import { describe, expect, it } from 'vitest';
import { MAX_ROWS, withResult, type ResultRow } from './results.ts';

function row(run: number): ResultRow {
  return {
    date: `2026-01-01 00:0${run % 10}`,
    commit: 'abc',
    machine: 'm',
    line: `engine: run=${run}`,
    conditions: '',
  };
}

describe('bench/RESULTS.md', () => {
  it('keeps the newest runs of each benchmark, the newest first', () => {
    let text = withResult('', 'http', { ...row(0), line: 'http: p99_ms=4' });
    for (let run = 1; run <= MAX_ROWS + 3; run++) text = withResult(text, 'engine', row(run));
    const runs = [...text.matchAll(/engine: run=(\d+)/g)].map((match) => Number(match[1]));
    expect(runs).toEqual(Array.from({ length: MAX_ROWS }, (_, index) => MAX_ROWS + 3 - index));
    expect(text).toContain('http: p99_ms=4');
    expect(text.indexOf('## engine')).toBeLessThan(text.indexOf('## http'));
    expect(text.match(/^# /gm)).toHaveLength(1);
  });

  it('cannot be broken by what a row says', () => {
    const text = withResult('', 'engine', { ...row(1), machine: 'a | b\nc' });
    expect(text).toContain('| a / b c |');
    expect(withResult(text, 'engine', row(2)).match(/^\| 2026/gm)).toHaveLength(2);
  });
});
