import type { EventDoubles } from './eventDoubles.ts';
import { writeHourDeviation } from './hourProfile.ts';
import type { ColumnKernel } from './kernel/columnKernel.ts';
import { writeNewest, writeSpeed } from './newestNumbers.ts';
import { writeOldest } from './oldestNumbers.ts';
import { writeTopShare } from './valueShares.ts';
import type { ReadPlan } from './plan.ts';

const TOP_SHARE = 0;
const HOUR_DEVIATION = 1;
const NEWEST = 2;
const OLDEST = 3;
const SPEED = 4;

/** Integers of one step: feature, kind, row position, and the row position of a count or which number the latitude is. */
const PROFILE_STEP = 4;

/** A feature and where its value is found. */
interface FeatureRead {
  readonly feature: number;
  readonly read: ReadPlan;
}

/** The features of one key that tell of a profile rather than of amounts, in one flat list of steps. */
export interface ProfileReads {
  readonly features: readonly number[];
  readonly steps: Int32Array;
  /** By step, the age at which an event leaves the window. */
  readonly leaveAgesMs: Float64Array;
}

export function compileProfileReads(reads: readonly FeatureRead[]): ProfileReads {
  const steps = reads.flatMap((read) => {
    const step = stepOf(read);
    return step === null ? [] : [{ feature: read.feature, step, leaveAgeMs: read.read.leaveAgeMs }];
  });
  return {
    features: steps.map(({ feature }) => feature),
    steps: Int32Array.from(steps.flatMap(({ step }) => step)),
    leaveAgesMs: Float64Array.from(steps, ({ leaveAgeMs }) => leaveAgeMs),
  };
}

function stepOf({ feature, read }: FeatureRead): readonly number[] | null {
  switch (read.kind) {
    case 'topShare':
      return [feature, TOP_SHARE, read.part.at, 0];
    case 'hourDeviation':
      return [feature, HOUR_DEVIATION, read.part.at, read.all.countAt];
    case 'newest':
      return [feature, NEWEST, read.part.at, 0];
    case 'oldest':
      return [feature, OLDEST, read.part.at, 0];
    case 'geoVelocity':
      return [feature, SPEED, read.part.at, read.part.first];
    default:
      return null;
  }
}

/**
 * Writes the features to out[outBase + feature] from the key's row, which starts at `base`, as of the engine's time and for the
 * current payment. `whenEmpty` is by feature.
 */
export function readProfiles(
  { steps, leaveAgesMs }: ProfileReads,
  kernel: ColumnKernel,
  base: number,
  event: Float64Array,
  doubles: EventDoubles,
  whenEmpty: Float64Array,
  out: Float64Array,
  outBase: number,
): void {
  const row = kernel.doubles;
  for (let step = 0, index = 0; step < steps.length; step += PROFILE_STEP, index++) {
    const feature = steps[step]!;
    const outAt = outBase + feature;
    const at = base + steps[step + 2]!;
    const other = steps[step + 3]!;
    const leaveAgeMs = leaveAgesMs[index]!;
    let isWritten = false;
    switch (steps[step + 1]!) {
      case TOP_SHARE:
        isWritten = writeTopShare(row, at, out, outAt);
        break;
      case HOUR_DEVIATION:
        isWritten = writeHourDeviation(event, row, base + other, at, out, outAt);
        break;
      case NEWEST:
        isWritten = writeNewest(row, at, leaveAgeMs, event, out, outAt);
        break;
      case OLDEST:
        isWritten = writeOldest(kernel, at, leaveAgeMs, event, out, outAt);
        break;
      case SPEED:
        isWritten = writeSpeed(row, at, leaveAgeMs, other, event, doubles, out, outAt);
        break;
    }
    if (!isWritten) out[outAt] = whenEmpty[feature]!;
  }
}
