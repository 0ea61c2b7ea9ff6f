import type { KernelCalls } from './kernel/kernelCalls.ts';
import type { KeyTable } from './keyTable.ts';
import type { PairCounts } from './pairCounts.ts';
import type { FeaturePlan } from './plan.ts';
import type { Reservoir } from './reservoir.ts';
import type { ValueShares } from './valueShares.ts';
import type { WindowEdges } from './windowEdges.ts';

/** Bytes of a feature state's typed arrays, by what they are for. There is next to nothing beside them. */
export interface StateMemory {
  readonly keys: readonly KeyMemory[];
  /** By the plan's pairs, then by its shares. */
  readonly pairs: readonly PairMemory[];
  /** Of all keys' min, max, first and label-dependent timeSince, in one pool a column. */
  readonly candidates: { readonly count: number; readonly bytes: number };
  readonly events: EventMemory;
  /** Events that are due to enter or leave a window and wait for it, once for each edge. */
  readonly backlog: { readonly events: number; readonly bytes: number };
}

/** Keys of one entity, tuple (joined by +) or field that only distinct counts. */
export interface KeyMemory {
  readonly entity: string;
  readonly keys: number;
  readonly rowBytes: number;
  /** What leads from a key to its row. */
  readonly indexBytes: number;
  /** The keys themselves. */
  readonly keyBytes: number;
}

/** What distinct and topShare count: pairs of a key and a value. */
export interface PairMemory {
  readonly entity: string;
  readonly of: string;
  readonly pairs: number;
  readonly bytes: number;
}

export interface EventMemory {
  /** Events that some window may still hold. */
  readonly held: number;
  /** Those of them that a late event may still come before. */
  readonly inHead: number;
  readonly bytes: number;
  /** Outside the memory: on disk, when the state's storage is there. */
  readonly storedBytes: number;
  /** As BlockStore has it; their bytes are among those of the memory. */
  readonly waitingBlocks: number;
}

/** The parts of a feature state that take room. */
export interface MeasuredParts {
  readonly plan: FeaturePlan;
  readonly tables: readonly KeyTable[];
  readonly pairs: readonly PairCounts[];
  readonly shares: readonly ValueShares[];
  readonly reservoir: Reservoir;
  readonly edges: WindowEdges;
}

export function measureMemory(parts: MeasuredParts): StateMemory {
  const { plan, tables, pairs, shares, reservoir, edges } = parts;
  const names = columnNames(plan);
  const counts = [...pairs, ...shares];
  return {
    keys: tables.map((table, column) => {
      const { rows, index, keys } = table.bytes;
      return { entity: names[column]!, keys: table.size, rowBytes: rows, indexBytes: index, keyBytes: keys };
    }),
    pairs: [...plan.pairs, ...plan.shares].map(({ column, valueColumn }, place) => {
      const { size, byteLength } = counts[place]!;
      return { entity: names[column]!, of: names[valueColumn]!, pairs: size, bytes: byteLength };
    }),
    candidates: {
      count: sumOver(tables, (calls) => calls.liveCandidates()),
      bytes: sumOver(tables, (calls) => calls.candidateBytes()),
    },
    events: {
      held: reservoir.end - edges.oldestPosition,
      inHead: reservoir.headCount,
      bytes: reservoir.byteLength,
      storedBytes: reservoir.storedBytes,
      waitingBlocks: reservoir.waitingBlocks,
    },
    backlog: { events: edges.backlogEvents, bytes: edges.backlogBytes },
  };
}

/** What the kernels of all columns tell, together. */
export function sumOver(tables: readonly KeyTable[], told: (calls: KernelCalls) => number): number {
  return tables.reduce((sum, { kernel }) => sum + told(kernel.calls), 0);
}

/** Bytes of memory in all. */
export function totalBytes({ keys, pairs, candidates, events, backlog }: StateMemory): number {
  let bytes = candidates.bytes + events.bytes + backlog.bytes;
  for (const { rowBytes, indexBytes, keyBytes } of keys) bytes += rowBytes + indexBytes + keyBytes;
  for (const pair of pairs) bytes += pair.bytes;
  return bytes;
}

/** `account`, `card+merchant`. */
export function columnNames({ columns }: Pick<FeaturePlan, 'columns'>): readonly string[] {
  return columns.map(({ fields }) => fields.join('+'));
}
