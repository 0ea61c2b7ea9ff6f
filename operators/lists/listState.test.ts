import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListChange } from '../../schemas/types.ts';
import { bareTransaction } from '../cel/bareContext.ts';
import type { ListDefinition } from '../definitions.ts';
import { MAX_TEXTS_PER_HASH } from '../tables/textIndex.ts';
import { textsOfOneHash } from '../tables/testing/collisions.ts';
import { copyState } from '../testing/memoryState.ts';
import { listHits } from './listHits.ts';
import { ListState, type DeclaredList } from './listState.ts';
import { SNOOZES } from './snoozes.ts';

function change(
  action: 'put' | 'delete',
  value: string,
  expiresAtMs: number | null = null,
  list = 'blocked',
): ListChange {
  return { eventTimeMs: 1000, list, value, action, expiresAtMs, author: 'ana', reason: 'seen', further: [] };
}

const blocked: DeclaredList = { name: 'blocked', entity: 'account' };

function page(lists: ListState, after: number | null, limit: number) {
  const { entries, next } = lists.page('blocked', after, limit);
  return { values: entries.map(({ value }) => value), next };
}

describe('a list', () => {
  it('holds what was put until it is deleted', () => {
    const lists = new ListState([blocked]);
    expect(lists.apply(change('delete', 'c-1'))).toBe(0);
    expect(lists.apply(change('put', 'c-1'))).toBe(1);
    expect(lists.has('blocked', 'c-1')).toBe(true);
    expect(lists.get('blocked', 'c-1')).toEqual({
      value: 'c-1',
      addedAtMs: 1000,
      expiresAtMs: null,
      author: 'ana',
      reason: 'seen',
    });
    expect(lists.apply(change('delete', 'c-1'))).toBe(1);
    expect(lists.apply(change('delete', 'c-1'))).toBe(0);
    expect(lists.has('blocked', 'c-1')).toBe(false);
  });

  it('takes many entries of one change, each with an end and reason of its own', () => {
    const lists = new ListState([blocked]);
    const further = [
      { value: 'b', expiresAtMs: 9_000, reason: 'other' },
      { value: 'c', expiresAtMs: null, reason: null },
    ];
    expect(lists.apply({ ...change('put', 'a', 5_000), further })).toBe(3);
    expect(lists.page('blocked', null, 10).entries.map(({ addedAtMs: _, author: __, ...rest }) => rest)).toEqual([
      { value: 'a', expiresAtMs: 5_000, reason: 'seen' },
      { value: 'b', expiresAtMs: 9_000, reason: 'other' },
      { value: 'c', expiresAtMs: null, reason: 'seen' },
    ]);
    expect(lists.apply({ ...change('delete', 'a'), further })).toBe(3);
    expect(lists.count('blocked')).toBe(0);
  });

  it('drops an entry at its expiry, by the time it is asked about, also backwards', () => {
    const lists = new ListState([blocked]);
    lists.apply(change('put', 'c-1', 5000));
    for (const [timeMs, held] of [
      [4999, true],
      [5000, false],
      [4999, true],
    ] as const) {
      lists.timeMs = timeMs;
      expect(lists.has('blocked', 'c-1')).toBe(held);
      expect(lists.hasExpired).toBe(!held);
      expect(lists.page('blocked', null, 10).entries).toHaveLength(held ? 1 : 0);
    }
    lists.timeMs = 5000;
    lists.dropExpired(10);
    expect([lists.count('blocked'), lists.hasExpired]).toEqual([0, false]);
  });

  it('takes no more than its bound; expired entries make room; refusals are counted', () => {
    const lists = new ListState([blocked], 2);
    lists.apply(change('put', 'c-1', 5000));
    lists.apply(change('put', 'c-2'));
    expect(lists.apply(change('put', 'c-3'))).toBe(0);
    expect(lists.apply(change('put', 'c-2', 9000))).toBe(1);
    lists.timeMs = 5000;
    expect(lists.apply(change('put', 'c-3'))).toBe(1);
    expect(lists.apply(change('put', 'c-4'))).toBe(0);
    const further = [{ value: 'c-5', expiresAtMs: null, reason: null }];
    expect(lists.apply({ ...change('put', 'c-4', null, 'nowhere'), further })).toBe(0);
    expect(lists.refusals).toEqual({ full: 2, unknownList: 2 });
  });

  it('refuses, and counts, values and reasons that are made to be alike', () => {
    const alike = textsOfOneHash(MAX_TEXTS_PER_HASH + 3);
    const lists = new ListState([blocked]);
    for (const value of alike) lists.apply(change('put', value));
    expect([lists.count('blocked'), lists.refusals.full]).toEqual([MAX_TEXTS_PER_HASH, 3]);
  });

  it('is paged so that what is there throughout is on one page, also while it changes', () => {
    const lists = new ListState([blocked]);
    for (const value of ['a', 'b', 'c', 'd', 'e']) lists.apply(change('put', value));
    const first = page(lists, null, 2);
    expect(first.values).toEqual(['a', 'b']);
    lists.apply(change('delete', 'b'));
    lists.apply(change('put', 'a'));
    const second = page(lists, first.next, 2);
    expect(second.values).toEqual(['c', 'd']);
    expect(page(lists, second.next, 2)).toEqual({ values: ['e'], next: null });
  });

  it('keeps its entries when a configuration keeps it, and is dropped with it, or when it becomes one of ranges', () => {
    const lists = new ListState([blocked, { name: 'old', entity: 'account' }]);
    lists.apply(change('put', 'c-1'));
    lists.declare([blocked, { name: 'new', entity: 'ip' }]);
    expect(lists.names).toEqual(['blocked', 'new', SNOOZES]);
    expect(lists.has('blocked', 'c-1')).toBe(true);
    expect(lists.apply(change('put', 'x', null, 'old'))).toBe(0);
    lists.declare([{ name: 'blocked', entity: 'ip' }]);
    expect(lists.has('blocked', 'c-1')).toBe(false);
  });
});

/** What a value is on such a list, as bits of one length; null: no range. */
function bitsOf(entity: 'account' | 'ip' | 'bin', value: string): readonly [from: bigint, to: bigint] | null {
  if (entity === 'bin') {
    const [, first = '', last = first] = /^(\d{4,8})(?:-(\d{4,8}))?$/.exec(value) ?? [];
    return first === '' ? null : [BigInt(first.padEnd(8, '0')), BigInt(last.padEnd(8, '9'))];
  }
  if (entity !== 'ip') return null;
  const [address = '', length] = value.split('/');
  if (address.includes(':')) {
    const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
    const [head = [], tail = []] = groups.map((text) => text.split(':').filter((group) => group !== ''));
    const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
    const number = all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 1n);
    const free = (1n << BigInt(128 - Number(length ?? 128))) - 1n;
    return [number, number | free];
  }
  const number = address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  return [number, number | ((1n << BigInt(32 - Number(length ?? 32))) - 1n)];
}

const values = {
  account: ['a', 'b', '名单', 'd', '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'],
  ip: [
    '203.0.113.7',
    '203.0.113.0/24',
    '203.0.113.0/25',
    '203.0.0.0/16',
    '0.0.0.0/0',
    '2001:db8::/32',
    '2001:db8::7',
    '::/0',
  ],
  bin: ['4111', '411111', '41111', '4111-4113', '411105-411140', '41111111', '411100-411112'],
} as const;
const asked = {
  account: values.account,
  ip: [
    '203.0.113.7',
    '203.0.113.200',
    '203.0.5.1',
    '9.9.9.9',
    '2001:DB8:0::0007',
    '2001:db8::8',
    '::1',
    'x',
    '203.0.113.0/26',
  ],
  bin: ['411111', '41111111', '411113', '41110599', '411200', '4110', '999999'],
} as const;

describe.each(['account', 'ip', 'bin'] as const)('a list of %s', (entity) => {
  it('agrees with a plain record of changes, whatever the order, and after it was saved', () => {
    const entry = fc.record({
      value: fc.constantFrom(...values[entity]),
      endsIn: fc.option(fc.integer({ min: 1, max: 20 })),
    });
    const step = fc.record({
      action: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
      entries: fc.array(entry, { minLength: 1, maxLength: 3 }),
      advanceMs: fc.integer({ min: 0, max: 3 }),
      dropped: fc.nat(2),
      isSaved: fc.constantFrom(true, false, false, false),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(3, 100), (steps, room) => {
        let lists = new ListState([{ name: 'blocked', entity }], room);
        const held = new Map<string, number>();
        for (const { action, entries, advanceMs, dropped, isSaved } of steps) {
          const timeMs = lists.timeMs + advanceMs;
          if (isSaved) lists = copyState(lists, new ListState([], room));
          lists.timeMs = timeMs;
          lists.dropExpired(dropped);
          const [first, ...others] = entries.map(({ value, endsIn }) => ({
            value,
            expiresAtMs: endsIn === null ? null : timeMs + endsIn,
            reason: null,
          }));
          const refusedBefore = lists.refusals.full;
          lists.apply({ ...change(action, first!.value, first!.expiresAtMs), further: others });
          for (const { value, expiresAtMs } of [first!, ...others]) {
            if (action === 'delete') held.delete(value);
            else {
              const alive = [...held].filter(([, untilMs]) => untilMs > timeMs).length;
              if (held.has(value) || alive < room) held.set(value, expiresAtMs ?? Infinity);
              for (const [known, untilMs] of held) if (untilMs <= timeMs) held.delete(known);
            }
          }
          if (room === 100) expect(lists.refusals.full).toBe(refusedBefore);
          const alive = [...held].filter(([, untilMs]) => untilMs > timeMs).map(([value]) => value);
          expect(
            lists
              .page('blocked', null, 10)
              .entries.map(({ value }) => value)
              .sort(),
          ).toEqual(alive.sort());
          for (const value of asked[entity]) {
            const range = /^[\d.:/a-fA-F]+$/.test(value) ? bitsOf(entity, value) : null;
            const holds = alive.some((each) => {
              const around = bitsOf(entity, each);
              return (
                each === value || (range !== null && around !== null && around[0] <= range[0] && around[1] >= range[1])
              );
            });
            expect(lists.has('blocked', value), `${value} of ${alive.join()}`).toBe(holds);
            expect(lists.get('blocked', value) !== null).toBe(holds);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

it('an address is found in the narrowest block that holds, a BIN in the range that begins last', () => {
  const lists = new ListState([
    { name: 'ips', entity: 'ip' },
    { name: 'bins', entity: 'bin' },
  ]);
  for (const [list, value, expiresAtMs] of [
    ['ips', '203.0.0.0/16', null],
    ['ips', '203.0.113.0/24', 500],
    ['ips', '203.0.113.7', 100],
    ['bins', '4111', null],
    ['bins', '411120-411160', null],
  ] as const)
    lists.apply(change('put', value, expiresAtMs, list));
  for (const [timeMs, value] of [
    [99, '203.0.113.7'],
    [100, '203.0.113.0/24'],
    [500, '203.0.0.0/16'],
  ] as const) {
    lists.timeMs = timeMs;
    expect(lists.get('ips', '203.0.113.7')?.value).toBe(value);
  }
  expect(lists.get('bins', '411150')?.value).toBe('411120-411160');
  expect(lists.get('bins', '411170')?.value).toBe('4111');
  expect(lists.get('bins', '411250')).toBeNull();
});

it('a list of a hundred thousand card tokens takes 160 bytes an entry', () => {
  const lists = new ListState([{ name: 'blocked', entity: 'card' }]);
  const count = 100_000;
  for (let index = 0; index < count; index++)
    lists.apply(change('put', `tok_${String(index).padStart(43, 'x')}`, index % 2 === 0 ? null : 5_000 + index));
  expect(lists.byteLength / count).toBeLessThan(160);
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
  const all = { has: () => true, isEmpty: () => false };

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
