import { copyState } from '../../testing/memoryState.ts';
import type { Aggregate } from '../aggregates.ts';
import { MemoryStorage, type ReservoirStorage } from '../blockStore.ts';
import type { CompiledCatalogue } from '../catalogue.ts';
import { createFeatureState } from '../createFeatureState.ts';
import { estimatedFeatures } from '../estimates.ts';
import type { FeatureLimits } from '../featureState.ts';
import { FeatureOracle } from './oracle.ts';
import { LONGEST_WINDOW_MS, playStream, type Step } from './randomStream.ts';

const RELATIVE_ERROR = 1e-9;
/** Roots and angles, which the oracle rounds otherwise, and what is computed from them. All else is equal to the last bit. */
const roundedOtherwise: readonly Aggregate[] = ['std', 'zScore', 'geoVelocity', 'ratio', 'expression'];

export interface CompareOptions {
  /** Before the payments of these steps the state is saved, and goes on from what was saved. */
  readonly cuts?: readonly number[];
  /** A step's ledger offset is its number times this. */
  readonly stride?: number;
  readonly openStorage?: () => ReservoirStorage;
}

/**
 * Runs the steps through a feature state and through the oracle, and compares every answer. Returns how many values were
 * compared; throws at the first that differs. Where the state says that a number of values is an estimate, neither it nor what is
 * computed from it is compared.
 */
export function compareWithOracle(
  compiled: CompiledCatalogue,
  steps: readonly Step[],
  limits: Partial<FeatureLimits>,
  { cuts = [], stride = 1, openStorage = () => new MemoryStorage() }: CompareOptions = {},
): number {
  let state = createFeatureState(compiled, limits, openStorage());
  const oracle = new FeatureOracle(compiled);
  const out = new Float64Array(compiled.names.length);
  let values = 0;
  const endMs = playStream(
    steps,
    {
      addLabel: (label) => {
        state.addLabel(label);
        oracle.addLabel(label);
      },
      addOutcome: (outcome) => {
        state.addOutcome(outcome);
        oracle.addOutcome(outcome);
      },
      addReversal: (reversal, originalOffset) => {
        state.addReversal(reversal, originalOffset);
        oracle.addReversal(reversal, originalOffset);
      },
      advanceTime: (timeMs) => {
        state.advanceTime(timeMs);
        oracle.advanceTime(timeMs);
      },
      addTransaction: (tx, offset) => {
        if (cuts.includes(offset / stride))
          state = copyState(state, createFeatureState(compiled, limits, openStorage()));
        const expected = oracle.addTransaction(tx, offset);
        const isLate = state.addTransaction(tx, offset, out, 0);
        if (isLate !== expected.isLate)
          throw new Error(`step ${offset}: late is ${isLate}, the oracle's ${expected.isLate}`);
        const isEstimated = estimatedFeatures(compiled, out);
        for (let index = 0; index < out.length; index++) {
          if (isEstimated[index] === true) continue;
          values += 1;
          compareValue(compiled, offset, index, out[index] ?? Number.NaN, expected.features[index] ?? Number.NaN);
        }
      },
    },
    stride,
  );
  // Every key and every candidate goes when time has passed all windows.
  const afterAllMs = endMs + 2 * LONGEST_WINDOW_MS;
  state.advanceTime(afterAllMs);
  while (state.statistics().backlogEvents > 0) for (let tick = 0; tick < 100; tick++) state.advanceTime(afterAllMs);
  if (state.keyCount !== 0) throw new Error(`${state.keyCount} keys are left after all windows have passed`);
  const { events } = state.statistics();
  if (events !== 0) throw new Error(`${events} events are left after all windows have passed`);
  return values;
}

function compareValue(
  compiled: CompiledCatalogue,
  offset: number,
  index: number,
  actual: number,
  expected: number,
): void {
  if (Object.is(actual, expected)) return;
  const definition = compiled.definitions[index];
  const isExact = definition !== undefined && !roundedOtherwise.includes(definition.aggregate);
  if (!isExact && Math.abs(actual - expected) <= RELATIVE_ERROR * Math.abs(expected)) return;
  throw new Error(
    `step ${offset}: ${String(definition?.name)} is ${actual}, the oracle's ${expected}: ${JSON.stringify(definition)}`,
  );
}
