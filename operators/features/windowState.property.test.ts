import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareWithOracle } from './testing/compareWithOracle.ts';
import { catalogue, stream } from './testing/randomStream.ts';

const runs = Number(process.env['SLUICE_PROPERTY_RUNS'] ?? 400);

describe('the feature state', () => {
  it('gives what a scan over all events gives: any catalogue, disorder, ties, ticks, labels at any time, restarts', () => {
    let values = 0;
    fc.assert(
      fc.property(
        catalogue,
        stream(120),
        // Small, so that events are sealed, read back and dropped all the time.
        fc.record({ chunkCapacity: fc.integer({ min: 2, max: 9 }), blockCapacity: fc.integer({ min: 1, max: 9 }) }),
        // As good as none, so that every time that moves leaves a backlog; and plenty.
        fc.record({
          maxCrossingsPerStep: fc.constantFrom(1, 2, 3, 64),
          maxBacklogEvents: fc.constantFrom(1, 5, 30, 1_000),
        }),
        // Between offsets, so that the offset index fills its pages.
        fc.constantFrom(1, 700, 5_000),
        fc.uniqueArray(fc.nat(119), { maxLength: 3 }),
        (compiled, steps, capacities, backlog, stride, cuts) => {
          values += compareWithOracle(compiled, steps, { ...capacities, ...backlog }, { cuts, stride });
        },
      ),
      { numRuns: runs },
    );
    expect(values).toBeGreaterThan(runs * 20);
  });

  it('gives the same beside numbers of values that it says are estimates, when almost all of them are', () => {
    // A top share has no estimate.
    const withoutShares = catalogue.filter(({ definitions }) => {
      return definitions.every(({ aggregate }) => aggregate !== 'topShare');
    });
    fc.assert(
      fc.property(
        withoutShares,
        stream(120),
        fc.record({ maxDistinctPerKey: fc.integer({ min: 1, max: 2 }), maxCrossingsPerStep: fc.constantFrom(1, 64) }),
        fc.uniqueArray(fc.nat(119), { maxLength: 3 }),
        (compiled, steps, limits, cuts) => {
          compareWithOracle(compiled, steps, { ...limits, chunkCapacity: 5, blockCapacity: 3 }, { cuts });
        },
      ),
      { numRuns: Math.ceil(runs / 4) },
    );
  });
});
