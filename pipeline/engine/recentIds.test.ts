import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TEXTS_PER_HASH } from '../../operators/tables/textIndex.ts';
import { textsOfOneHash } from '../../operators/tables/testing/collisions.ts';
import { copyState } from '../../operators/testing/memoryState.ts';
import { RecentIds } from './recentIds.ts';

const hashOf = (number: number): string => number.toString(16).padStart(8, '0').repeat(4);

describe('recent ids', () => {
  it('remembers the last ids, as a list does, whatever happens to the capacity', () => {
    const step = fc.oneof(
      { weight: 12, arbitrary: fc.record({ kind: fc.constant('pay' as const), id: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), id: fc.nat(40) }) },
    );
    fc.assert(
      fc.property(fc.nat(20), fc.array(step, { maxLength: 400 }), (firstCapacity, steps) => {
        const ids = new RecentIds(firstCapacity);
        let capacity = Math.max(1, firstCapacity);
        const list: { readonly id: string; readonly ledgerOffset: number }[] = [];
        for (const [offset, { kind, id: number }] of steps.entries()) {
          const id = `t-${number}`;
          if (kind === 'resize') {
            capacity = Math.max(1, number);
            ids.resize(number);
          } else if (ids.find(id) < 0) {
            const ledgerOffset = 2 ** 40 * (offset % 3) + offset;
            ids.add(id, ledgerOffset, hashOf(number));
            list.splice(0, Math.min(2, Math.max(0, list.length + 1 - capacity)));
            list.push({ id, ledgerOffset });
          }
          expect(ids.size).toBe(list.length);
          for (let each = 0; each <= 60; each++) {
            const slot = ids.find(`t-${each}`);
            const known = list.find((entry) => entry.id === `t-${each}`);
            expect(slot >= 0 ? ids.ledgerOffset(slot) : undefined).toBe(known?.ledgerOffset);
            if (slot < 0) continue;
            expect(ids.hasContent(slot, hashOf(each))).toBe(true);
            expect(ids.hasContent(slot, hashOf(each + 1))).toBe(false);
            expect(ids.answer(slot)).toBeNull();
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('remembers nothing without a capacity but the last one', () => {
    const ids = new RecentIds(0);
    ids.add('a', 0, hashOf(0));
    expect(ids.find('a')).toBeGreaterThanOrEqual(0);
    ids.add('b', 1, hashOf(1));
    expect(ids.find('a')).toBe(-1);
  });

  it('gives every answer back', () => {
    const ids = new RecentIds(1_000);
    const answers = (['approve', 'challenge', 'review', 'decline'] as const).flatMap((verdict) =>
      (['full', 'noModel', 'rulesOnly', 'fallback'] as const).flatMap((mode) =>
        [0, 1, 999, 1_000].map((score) => ({ verdict, score, mode })),
      ),
    );
    for (const [offset, answer] of answers.entries()) {
      ids.add(`t-${offset}`, offset, hashOf(offset));
      ids.setAnswer(ids.find(`t-${offset}`), answer);
    }
    for (const [offset, answer] of answers.entries()) expect(ids.answer(ids.find(`t-${offset}`))).toEqual(answer);
  });

  it('forgets the answer with the id', () => {
    const ids = new RecentIds(1);
    ids.add('a', 0, hashOf(0));
    ids.setAnswer(ids.find('a'), { verdict: 'decline', score: 900, mode: 'full' });
    ids.add('b', 1, hashOf(1));
    expect(ids.answer(ids.find('b'))).toBeNull();
  });

  it('refuses a content hash that is none', () => {
    expect(() => {
      new RecentIds(1).add('a', 0, '');
    }).toThrow('SLUICE_ENGINE_HASH');
  });

  it('counts the ids that it cannot remember, and forgets none for them', () => {
    const ids = new RecentIds(1_000);
    const alike = textsOfOneHash(MAX_TEXTS_PER_HASH + 3);
    for (const [offset, id] of alike.entries()) ids.add(id, offset, hashOf(offset));
    expect([ids.refused, ids.size]).toEqual([3, MAX_TEXTS_PER_HASH]);
    const copy = copyState(ids, new RecentIds(0));
    expect([copy.refused, copy.size]).toEqual([3, MAX_TEXTS_PER_HASH]);
    for (const [offset, id] of alike.entries()) {
      const slot = copy.find(id);
      expect(slot >= 0 ? copy.ledgerOffset(slot) : -1).toBe(offset < MAX_TEXTS_PER_HASH ? offset : -1);
    }
    // Once one of them has left there is room for another.
    ids.resize(MAX_TEXTS_PER_HASH);
    ids.add('other', 1_000, hashOf(0));
    ids.add(alike.at(-1)!, 1_001, hashOf(0));
    expect(ids.refused).toBe(3);
    expect(ids.ledgerOffset(ids.find(alike.at(-1)!))).toBe(1_001);
  });

  it('does not grow once it is full', () => {
    const ids = new RecentIds(10_000);
    let bytes = 0;
    for (let offset = 0; offset < 100_000; offset++) {
      ids.add(`0a1b2c3d-${offset}`.padEnd(36, '-'), offset, hashOf(offset));
      if (offset === 20_000) bytes = ids.byteLength;
    }
    expect(ids.size).toBe(10_000);
    expect(ids.byteLength / bytes).toBeLessThan(1.15);
  });
});
