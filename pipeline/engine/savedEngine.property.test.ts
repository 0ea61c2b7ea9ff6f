import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryState } from '../../operators/testing/memoryState.ts';
import { ledgerSteps, LedgerRun } from '../testing/ledgerRun.ts';

const runs = Number(process.env['SLUICE_PROPERTY_RUNS'] ?? 60);

describe('an engine loaded from what another saved', () => {
  it('decides the same bytes as one that ran from the start, wherever the ledger is cut', async () => {
    let scored = 0;
    let repeated = 0;
    await fc.assert(
      fc.asyncProperty(
        ledgerSteps,
        fc.integer({ min: 0, max: 100 }),
        fc.boolean(),
        async (steps, cutAtPercent, isByDecider) => {
          const run = await LedgerRun.over(steps);
          scored += run.scored;
          repeated += run.repeated;
          const cut = Math.round((cutAtPercent / 100) * run.ledger.endOffset());
          const saving = run.engine(isByDecider ? -1 : Infinity);
          await run.process(saving, cut);
          const state = new MemoryState();
          saving.save(state);
          const restored = run.engine(saving.lastPaymentOffset);
          const input = state.read();
          await restored.load(input);
          expect(input.isAtEnd).toBe(true);
          expect(restored.nextOffset).toBe(cut);
          expect(restored.lastPaymentOffset).toBe(saving.lastPaymentOffset);
          await run.process(restored, run.ledger.endOffset());
          run.expectSameEnd(restored);
          for (const engine of [saving, restored]) await engine.closeModels();
        },
      ),
      { numRuns: runs },
    );
    expect(scored).toBeGreaterThan(0);
    expect(repeated).toBeGreaterThan(0);
  });
});
