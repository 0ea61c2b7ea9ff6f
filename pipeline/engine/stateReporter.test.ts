import { describe, expect, it } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import type { FeatureState } from '../../operators/features/featureState.ts';
import { StateReporter, type ReportedEngine } from './stateReporter.ts';

const engineOf = (features: FeatureState | null): ReportedEngine => ({ features, refusedIds: 3 });

function stateOf(accounts: readonly string[]): FeatureState {
  const windowMs = 60_000;
  const compiled = compileCatalogue([{ name: 'n', aggregate: 'count', entity: ['account'], windowMs }], 0);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const state = createFeatureState(compiled.value);
  const out = new Float64Array(1);
  for (const [offset, account] of accounts.entries())
    state.addTransaction({ ...bareTransaction, eventTimeMs: 1_700_000_000_000, account }, offset, out, 0);
  return state;
}

describe('the reporter of the feature state', () => {
  it('lets other work go on between its steps, and gives all who ask meanwhile one survey', async () => {
    const state = stateOf(Array.from({ length: 20_000 }, (_, index) => `account-${index % 10_000}`));
    const reporter = new StateReporter(() => engineOf(state));
    let turns = 0;
    const count = (): void => {
      turns += 1;
      counting = setImmediate(count);
    };
    let counting = setImmediate(count);
    const [first, second] = await Promise.all([reporter.report(), reporter.report()]);
    clearImmediate(counting);
    expect(turns).toBeGreaterThanOrEqual(9);
    expect(second).toBe(first);
    expect(first?.refusedIds).toBe(3);
    expect(first?.hottest[0]?.keys).toHaveLength(10);
    expect(await reporter.report()).not.toBe(first);
  });

  it('shows no card number, should one ever be a key', async () => {
    const report = await new StateReporter(() => engineOf(stateOf(['4111111111111111']))).report();
    expect(report?.hottest[0]?.keys).toEqual([{ texts: ['************1111'], events: 1 }]);
  });

  it('has nothing to report before there is a state', async () => {
    expect(await new StateReporter(() => engineOf(null)).report()).toBeNull();
  });
});
