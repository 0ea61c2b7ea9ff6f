import { totalBytes, type StateMemory } from '../operators/features/stateMemory.ts';
import type { FeatureShare } from '../operators/features/featureShares.ts';
import { textTable } from './textTable.ts';

/** What an instance is to fit into. */
const MEMORY_LIMIT_BYTES = 16 * 1024 ** 3;

/** All of the memory in a line, then one for each part of it. */
export function memoryTable(memory: StateMemory): string {
  const { keys, pairs, candidates, events, backlog } = memory;
  const bytes = totalBytes(memory);
  const share = ((100 * bytes) / MEMORY_LIMIT_BYTES).toFixed(1);
  const table = textTable([
    ['memory', 'number', 'rows', 'index', 'keys', 'total', 'bytes each'],
    ...keys.map(({ entity, keys: number, rowBytes, indexBytes, keyBytes }) => {
      const total = rowBytes + indexBytes + keyBytes;
      return [
        entity,
        countText(number),
        ...[rowBytes, indexBytes, keyBytes, total].map(bytesText),
        each(total, number),
      ];
    }),
    ...pairs.map((pair) => bare(`pairs of ${pair.entity} and ${pair.of}`, pair.pairs, pair.bytes)),
    bare('candidates of min and max', candidates.count, candidates.bytes),
    bare('newest events, late facts', events.inHead, events.bytes),
    bare('on disk: older events', events.held - events.inHead, events.storedBytes),
    bare('backlog: events that are due', backlog.events, backlog.bytes),
  ]);
  const summary = `${bytesText(bytes)} of memory, ${share}% of ${bytesText(MEMORY_LIMIT_BYTES)}; ${bytesText(events.storedBytes)} on disk`;
  return `${summary}\n\n${table}`;
}

/** One line for each feature that keeps something. */
export function featureTable(features: readonly FeatureShare[]): string {
  const kept = features.filter(({ entity }) => entity !== null);
  const rows = kept.map(({ feature, entity, rowBytesPerKey, bytes, isShared }) => {
    return [feature, entity ?? '', `${Number(rowBytesPerKey.toFixed(1))}`, bytesText(bytes), isShared ? 'shared' : ''];
  });
  return textTable([['feature', 'entity', 'bytes per row', 'total', ''], ...rows], [0, 1, 4]);
}

export function hottestTable(hottest: readonly HottestKeys[]): string {
  const rows = hottest.flatMap(({ entity, keys }) =>
    keys.map(({ key, events }) => [entity, countText(events), key.join(' + ')]),
  );
  return textTable([['hottest keys', 'events', 'key'], ...rows], [0, 2]);
}

interface HottestKeys {
  readonly entity: string;
  readonly keys: readonly { readonly key: readonly string[]; readonly events: number }[];
}

export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${units[unit] ?? ''}`;
}

export function countText(count: number): string {
  return Math.round(count).toLocaleString('en');
}

function bare(what: string, number: number, bytes: number): readonly string[] {
  return [what, countText(number), '', '', '', bytesText(bytes), each(bytes, number)];
}

function each(bytes: number, number: number): string {
  return number === 0 ? '' : countText(bytes / number);
}
