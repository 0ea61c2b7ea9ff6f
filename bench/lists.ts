import { setImmediate } from 'node:timers/promises';
import { ListState } from '../operators/lists/listState.ts';
import { StateParts, StatePartsInput } from '../operators/stateParts.ts';
import { MAX_CHANGED_ENTRIES } from '../pipeline/listKeeping.ts';
import { codecs } from '../schemas/codec.ts';
import type { ListChange } from '../schemas/types.ts';
import { atShare, significant, type Measurement } from './benchmark.ts';

export interface ListsBenchmarkOptions {
  readonly entries: number;
}

/** What the list is of; IP entries are blocks of 2 to the 8 addresses. */
export const listKinds = ['card', 'ip'] as const;
export type BenchmarkedList = (typeof listKinds)[number];

const LOOKUPS = 1_000_000;

/** An import as the engine takes it: each record is decoded and applied in one go, which is what holds payments up. */
export async function benchmarkLists(kind: BenchmarkedList, { entries }: ListsBenchmarkOptions): Promise<Measurement> {
  const lists = new ListState([{ name: 'imported', entity: kind }]);
  const holdsMs: number[] = [];
  const cpuMs: number[] = [];
  const startMs = performance.now();
  let madeMs = 0;
  for (let from = 0; from < entries; from += MAX_CHANGED_ENTRIES) {
    const makingMs = performance.now();
    const record = changeOf(kind, from, Math.min(entries, from + MAX_CHANGED_ENTRIES));
    madeMs += performance.now() - makingMs;
    const holdMs = performance.now();
    const cpu = process.cpuUsage();
    lists.apply(codecs.listChange.decode(record));
    const { user, system } = process.cpuUsage(cpu);
    cpuMs.push((user + system) / 1_000);
    holdsMs.push(performance.now() - holdMs);
    await setImmediate();
  }
  const seconds = (performance.now() - startMs - madeMs) / 1_000;
  const sortedMs = Float64Array.from(holdsMs).sort();
  const sortedCpuMs = Float64Array.from(cpuMs).sort();
  return {
    fields: {
      list: kind,
      entries,
      seconds: significant(seconds),
      cpu_p50_ms: significant(atShare(sortedCpuMs, 0.5)),
      cpu_p99_ms: significant(atShare(sortedCpuMs, 0.99)),
      longest_cpu_ms: significant(sortedCpuMs.at(-1) ?? NaN),
      hold_p50_ms: significant(atShare(sortedMs, 0.5)),
      hold_p99_ms: significant(atShare(sortedMs, 0.99)),
      longest_hold_ms: significant(sortedMs.at(-1) ?? NaN),
      bytes_per_entry: significant(lists.byteLength / entries),
      lookup_us: significant(lookupUs(lists, kind, entries)),
      save_ms: significant(saveMs(lists, kind)),
    },
    conditions: `records of ${MAX_CHANGED_ENTRIES} entries, half of which expire; look-ups half of them hits, over all entries; CPU of the process, wall clock beside it`,
  };
}

function changeOf(kind: BenchmarkedList, from: number, to: number): Buffer {
  const entries = Array.from({ length: to - from }, (_, index) => ({
    value: valueOf(kind, from + index),
    expiresAtMs: index % 2 === 0 ? null : 1_767_225_600_000 + (((from + index) * 7_919) % 1_000_000_007),
    reason: null,
  }));
  const [first, ...further] = entries;
  if (first === undefined) throw new Error('there is nothing to put');
  const made = { eventTimeMs: 1_767_225_600_000, list: 'imported', action: 'put', author: 'bench' } as const;
  const change: ListChange = { ...made, value: first.value, expiresAtMs: first.expiresAtMs, reason: 'import', further };
  return codecs.listChange.encode(change);
}

/** Spread over all values, as tokens and addresses are. */
function valueOf(kind: BenchmarkedList, index: number): string {
  const spread = Math.imul(index, 0x9e3779b1) >>> 0;
  if (kind === 'card') return `tok_${spread.toString(36).padStart(43, '0')}`;
  const block = spread >>> 8;
  return `${block >>> 16}.${(block >>> 8) & 0xff}.${block & 0xff}.0/24`;
}

function lookupUs(lists: ListState, kind: BenchmarkedList, entries: number): number {
  const sought = Array.from({ length: 100_000 }, (_, index) => {
    const value = valueOf(kind, index % 2 === 0 ? (index * 7_919) % entries : entries + index);
    return kind === 'card' ? value : value.replace('0/24', '7');
  });
  let found = 0;
  const startMs = performance.now();
  for (let index = 0; index < LOOKUPS; index++) found += Number(lists.has('imported', sought[index % sought.length]!));
  const us = ((performance.now() - startMs) * 1_000) / LOOKUPS;
  if (found < LOOKUPS / 4) throw new Error(`only ${found} look-ups were hits`);
  return us;
}

/** As one thread hands the lists to another: by reference, and loaded there. */
function saveMs(lists: ListState, kind: BenchmarkedList): number {
  const startMs = performance.now();
  const parts = new StateParts();
  lists.save(parts);
  new ListState([{ name: 'imported', entity: kind }]).load(new StatePartsInput(parts.parts));
  return performance.now() - startMs;
}
