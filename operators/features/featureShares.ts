import { candidateFields } from './candidates.ts';
import { HOUR_FIELDS } from './hourProfile.ts';
import type { FeaturePlan, ReadPlan } from './plan.ts';
import { columnNames, type StateMemory } from './stateMemory.ts';
import { SHARE_FIELDS } from './valueShares.ts';

/** What of a state's memory is there for one feature. What several features read is divided among them. */
export interface FeatureShare {
  readonly feature: string;
  /** Null for an expression, which keeps nothing. */
  readonly entity: string | null;
  /** Bytes of each key's row. */
  readonly rowBytesPerKey: number;
  /** Bytes over all keys: of the rows, and of the pairs or candidates beside them. */
  readonly bytes: number;
  /** Whether other features read some of it too. */
  readonly isShared: boolean;
}

/** Doubles of a row that belong together. */
interface Cells {
  readonly at: number;
  readonly doubles: number;
}

/**
 * The shares of all features, in the catalogue's order. `blockBytes`: how many bytes of candidate blocks each of the plan's lists
 * has over all keys. What is left of a row is its number of held events.
 */
export function featureShares(
  names: readonly string[],
  plan: FeaturePlan,
  memory: StateMemory,
  blockBytes: ArrayLike<number>,
): FeatureShare[] {
  const readers = plan.columns.map(({ rowLength }) => new Int32Array(rowLength));
  for (const read of plan.reads)
    for (const { at, doubles } of cellsOf(read))
      for (let cell = at; cell < at + doubles; cell++) readers[read.column]![cell]! += 1;
  const entities = columnNames(plan);
  let allBlocks = 0;
  for (let index = 0; index < blockBytes.length; index++) allBlocks += blockBytes[index]!;

  return plan.reads.map((read, index) => {
    const feature = names[index]!;
    if (read.kind === 'expression') return { feature, entity: null, rowBytesPerKey: 0, bytes: 0, isShared: false };
    const { column } = read;
    let doubles = 0;
    let isShared = false;
    for (const cells of cellsOf(read)) {
      for (let cell = cells.at; cell < cells.at + cells.doubles; cell++) {
        doubles += 1 / readers[column]![cell]!;
        isShared ||= readers[column]![cell]! > 1;
      }
    }
    let bytes = (memory.keys[column]!.rowBytes * doubles) / plan.columns[column]!.rowLength;
    if (read.kind === 'distinct') {
      const { pairs, at } = read.part;
      bytes += memory.pairs[pairs.index]!.bytes / pairs.leaveAgesMs.length / readers[column]![at]!;
    } else if (read.kind === 'topShare') {
      bytes += memory.pairs[plan.pairs.length + read.part.index]!.bytes / readers[column]![read.part.at]!;
    } else if (
      (read.kind === 'extreme' || read.kind === 'newestCandidate' || read.kind === 'oldest') &&
      allBlocks > 0
    ) {
      const share = blockBytes[plan.candidates.indexOf(read.part)]! / allBlocks;
      bytes += (memory.candidates.bytes * share) / readers[column]![read.part.at]!;
    }
    const rowBytesPerKey = doubles * Float64Array.BYTES_PER_ELEMENT;
    return { feature, entity: entities[column]!, rowBytesPerKey, bytes, isShared };
  });
}

/** Where in its key's row a feature is read. */
function cellsOf(read: ReadPlan): readonly Cells[] {
  switch (read.kind) {
    case 'count':
    case 'seen':
      return [{ at: read.part.countAt, doubles: 1 }];
    case 'sum':
    case 'avg':
      return [
        { at: read.part.countAt, doubles: 1 },
        { at: read.part.sumAt, doubles: 2 },
      ];
    case 'std':
    case 'zScore':
      return [
        { at: read.part.countAt, doubles: 1 },
        { at: read.part.sumAt, doubles: 2 },
        { at: read.part.squaresAt, doubles: 3 },
      ];
    case 'rate':
      return [
        { at: read.part.countAt, doubles: 1 },
        { at: read.all.countAt, doubles: 1 },
      ];
    case 'recency':
    case 'distinct':
      return [{ at: read.part.at, doubles: 1 }];
    case 'extreme':
    case 'newestCandidate':
    case 'oldest':
      return [{ at: read.part.at, doubles: candidateFields(read.part.room) }];
    case 'topShare':
      return [{ at: read.part.at, doubles: SHARE_FIELDS }];
    case 'hourDeviation':
      return [
        { at: read.part.at, doubles: HOUR_FIELDS },
        { at: read.all.countAt, doubles: 1 },
      ];
    case 'newest':
      return [{ at: read.part.at, doubles: 2 }];
    case 'geoVelocity':
      return [{ at: read.part.at, doubles: 3 }];
    case 'expression':
      return [];
  }
}
