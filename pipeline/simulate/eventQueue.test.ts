import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './eventQueue.ts';

describe('EventQueue', () => {
  it('gives items back as a stable sort by time would', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
        const queue = new EventQueue<string>();
        const items = times.map((timeMs, order) => ({ timeMs, name: `${timeMs}/${order}` }));
        for (const { timeMs, name } of items) queue.push(timeMs, name);
        const expected = items.toSorted((left, right) => left.timeMs - right.timeMs);
        for (const { timeMs, name } of expected) {
          expect(queue.nextTimeMs).toBe(timeMs);
          expect(queue.pop()).toBe(name);
        }
        expect(queue.nextTimeMs).toBe(Infinity);
        expect(queue.pop()).toBeUndefined();
      }),
    );
  });
});
