import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListChange } from '../../schemas/types.ts';
import { bareTransaction } from '../cel/bareContext.ts';
import type { ListDefinition } from '../definitions.ts';
import { listHits } from './listHits.ts';
import { ListState } from './listState.ts';

function change(
  action: 'put' | 'delete',
  value: string,
  expiresAtMs: number | null = null,
  list = 'blocked',
): ListChange {
  return { eventTimeMs: 1000, list, value, action, expiresAtMs, author: 'ana', reason: 'seen' };
}

function page(lists: ListState, after: number | null, limit: number) {
  const { entries, next } = lists.page('blocked', after, limit);
  return { values: entries.map(({ value }) => value), next };
}

describe('a list', () => {
  it('holds what was put until it is deleted', () => {
    const lists = new ListState(['blocked']);
    expect(lists.apply(change('put', 'c-1'))).toBe('applied');
    expect(lists.has('blocked', 'c-1')).toBe(true);
    expect(lists.get('blocked', 'c-1')).toEqual({
      value: 'c-1',
      addedAtMs: 1000,
      expiresAtMs: null,
      author: 'ana',
      reason: 'seen',
    });
    expect(lists.apply(change('delete', 'c-1'))).toBe('applied');
    expect(lists.apply(change('delete', 'c-1'))).toBe('absent');
    expect(lists.has('blocked', 'c-1')).toBe(false);
  });

  it('drops an entry at its expiry, by the time it is asked about, also backwards', () => {
    const lists = new ListState(['blocked']);
    lists.apply(change('put', 'c-1', 5000));
    for (const [timeMs, held] of [
      [4999, true],
      [5000, false],
      [4999, true],
    ] as const) {
      lists.timeMs = timeMs;
      expect(lists.has('blocked', 'c-1')).toBe(held);
      expect(lists.count('blocked')).toBe(held ? 1 : 0);
      expect(lists.page('blocked', null, 10).entries).toHaveLength(held ? 1 : 0);
    }
  });

  it('takes no more than its bound; expired entries make room; refusals are counted', () => {
    const lists = new ListState(['blocked'], 2);
    lists.apply(change('put', 'c-1', 5000));
    lists.apply(change('put', 'c-2'));
    expect(lists.apply(change('put', 'c-3'))).toBe('full');
    expect(lists.apply(change('put', 'c-2', 9000))).toBe('applied');
    lists.timeMs = 5000;
    expect(lists.apply(change('put', 'c-3'))).toBe('applied');
    expect(lists.apply(change('put', 'c-4'))).toBe('full');
    expect(lists.apply(change('put', 'c-4', null, 'nowhere'))).toBe('unknownList');
    expect(lists.refusals).toEqual({ full: 2, unknownList: 1 });
  });

  it('is paged in the order of putting, also while it changes', () => {
    const lists = new ListState(['blocked']);
    for (const value of ['a', 'b', 'c', 'd', 'e']) lists.apply(change('put', value));
    const first = page(lists, null, 2);
    expect(first.values).toEqual(['a', 'b']);
    lists.apply(change('delete', 'b'));
    lists.apply(change('put', 'a'));
    const second = page(lists, first.next, 2);
    expect(second.values).toEqual(['c', 'd']);
    expect(page(lists, second.next, 2)).toEqual({ values: ['e', 'a'], next: null });
  });

  it('keeps its entries when a configuration keeps it, and is dropped with it', () => {
    const lists = new ListState(['blocked', 'old']);
    lists.apply(change('put', 'c-1'));
    lists.declare(['blocked', 'new']);
    expect(lists.names).toEqual(['blocked', 'new']);
    expect(lists.has('blocked', 'c-1')).toBe(true);
    expect(lists.apply(change('put', 'x', null, 'old'))).toBe('unknownList');
  });

  it('agrees with a plain record of changes, whatever the order', () => {
    const step = fc.record({
      action: fc.constantFrom('put' as const, 'delete' as const),
      value: fc.constantFrom('a', 'b', 'c', 'd'),
      expiresAtMs: fc.option(fc.integer({ min: 1, max: 20 })),
      advanceMs: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const lists = new ListState(['blocked'], 3);
        const held = new Map<string, number>();
        for (const { action, value, expiresAtMs, advanceMs } of steps) {
          lists.timeMs += advanceMs;
          const alive = [...held].filter(([, untilMs]) => untilMs > lists.timeMs).length;
          const result = lists.apply(change(action, value, expiresAtMs));
          if (action === 'delete') held.delete(value);
          else if (result === 'applied') held.set(value, expiresAtMs ?? Infinity);
          else expect(alive).toBe(3);
          for (const name of ['a', 'b', 'c', 'd'])
            expect(lists.has('blocked', name)).toBe((held.get(name) ?? 0) > lists.timeMs);
          const count = [...held.values()].filter((untilMs) => untilMs > lists.timeMs).length;
          expect(lists.count('blocked')).toBe(count);
          expect(lists.page('blocked', null, 10).entries).toHaveLength(count);
        }
      }),
    );
  });
});

describe('list hits', () => {
  const definition = (
    name: string,
    kind: ListDefinition['kind'],
    entity: ListDefinition['entity'],
  ): ListDefinition => ({
    name,
    kind,
    entity,
    text: { en: name, zh: name },
  });
  const hits = listHits([
    definition('trusted', 'allow', 'account'),
    definition('blocked', 'block', 'card'),
    definition('watched', 'watch', 'device'),
  ]);
  const all = { has: () => true };

  it('are the block lists, then the allow lists, of the entities the payment has; watch lists are for rules', () => {
    const into: ListDefinition[] = [];
    const card = { token: 'c-1', bin: null, last4: null };
    hits.find({ ...bareTransaction, account: 'a-1', card, device: 'd-1' }, all, into);
    expect(into.map(({ name }) => name)).toEqual(['blocked', 'trusted']);
    hits.find({ ...bareTransaction, account: 'a-1' }, all, into);
    expect(into.map(({ name }) => name)).toEqual(['trusted']);
    hits.find(bareTransaction, all, into);
    expect(into).toEqual([]);
  });
});
