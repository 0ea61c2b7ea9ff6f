import { compileConfiguration, parseConfiguration } from '../../operators/configuration.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import { StateParts, StatePartsInput } from '../../operators/stateParts.ts';
import { FeatureBackfill } from '../engine/featureBackfill.ts';
import type { BackfillRun, BackfillRunner, Ledger } from '../ports.ts';

/** Builds feature states in this thread, in the turns that others leave. */
export class MemoryBackfill implements BackfillRunner {
  readonly #ledger: Ledger;
  /** Runs that were started. */
  runs = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  start(configuration: string): BackfillRun {
    this.runs += 1;
    const parsed = parseConfiguration(configuration);
    const compiled = parsed.ok ? compileConfiguration(parsed.value) : parsed;
    if (!compiled.ok) throw new Error('the configuration was not checked');
    const backfill = new FeatureBackfill(this.#ledger, createFeatureState(compiled.value.catalogue));
    const ending = new AbortController();
    const following = backfill.follow(ending.signal);
    const end = async (): Promise<void> => {
      ending.abort();
      await following;
    };
    return {
      get nextOffset() {
        return backfill.nextOffset;
      },
      failed: following.then(() => new Promise<never>(() => undefined)),
      handOver: async () => {
        await end();
        const state = new StateParts();
        backfill.save(state);
        return new StatePartsInput(state.parts);
      },
      end,
    };
  }
}
