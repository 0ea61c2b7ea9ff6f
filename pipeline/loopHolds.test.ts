import { afterEach, expect, it, vi } from 'vitest';
import { runSteps, type Steps } from '../operators/steps.ts';
import { LoopHolds } from './loopHolds.ts';

/** Each look at the clock takes a millisecond. */
let nowMs = 0;
vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1));

afterEach(() => {
  nowMs = 0;
});

function* threeSteps(done: string[]): Steps<string> {
  for (const name of ['first', 'second', 'third']) {
    done.push(name);
    yield;
  }
  return 'result';
}

it('runs steps a few at a time, so that others have their turn in between', async () => {
  const done: string[] = [];
  const holds = new LoopHolds();
  setImmediate(() => done.push('another'));
  expect(await holds.inTurns(threeSteps(done))).toBe('result');
  expect(done).toEqual(['first', 'second', 'another', 'third']);
  expect(holds.longestMs).toBe(3);
  expect(runSteps(threeSteps([]))).toBe('result');
});

it('tells the longest of what it timed', async () => {
  const holds = new LoopHolds();
  expect(holds.longestMs).toBe(0);
  expect(
    await holds.time(() => {
      nowMs += 41.26;
      return 7;
    }),
  ).toBe(7);
  expect(await holds.time(() => Promise.resolve('short'))).toBe('short');
  holds.note(4);
  expect(holds.longestMs).toBe(42.3);
});
