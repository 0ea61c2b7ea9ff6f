import { setImmediate } from 'node:timers/promises';
import type { FeatureState } from '../../operators/features/featureState.ts';
import type { StateOutput } from '../../operators/savedState.ts';
import type { Ledger } from '../ports.ts';
import { Engine, type EngineServices } from './engine.ts';

const MAX_RECORDS = 256;

/**
 * Fills a feature state from the ledger, at its own pace and in whatever thread it is run: an engine that keeps features and
 * decides nothing.
 *
 * It takes the whole ledger, though windows end: a replay will build the same state from offset 0, and must find the same bytes.
 * From a later offset on (longest window, delay and lateness ago) the windows would hold the same events, but not all that decides
 * how an event counts would be known: the engine's time, which an earlier payment may have moved far ahead; the ids of the last
 * `recentIds` payments, by which repeats are left out and refunds find their payment, and which reach back by number, not by time; and
 * what earlier events left room for where a bound is passed (keys of an entity, values of a key, candidates).
 */
export class FeatureBackfill {
  readonly #ledger: Pick<Ledger, 'tail'>;
  readonly #engine: Engine;

  /** `features` must be empty. */
  constructor(ledger: Pick<Ledger, 'tail'>, features: FeatureState) {
    this.#ledger = ledger;
    this.#engine = featuresOnlyEngine(features);
  }

  /** Offset of the next record to take. */
  get nextOffset(): number {
    return this.#engine.nextOffset;
  }

  /** Follows the ledger until the signal aborts; its state is then that after all records before `nextOffset`. */
  async follow(signal: AbortSignal): Promise<void> {
    for await (const rows of this.#ledger.tail(this.#engine.nextOffset, { maxRecords: MAX_RECORDS, signal })) {
      await this.#engine.process(rows);
      // Where the ledger answers at once, whoever asks for progress or an end must have a turn.
      await setImmediate();
      if (signal.aborted) return;
    }
  }

  /** For Engine.load of an engine of the same kind. */
  save(output: StateOutput): void {
    this.#engine.save(output);
  }
}

/** An engine that only advances these features, whatever is published, and decides nothing. */
export function featuresOnlyEngine(features: FeatureState): Engine {
  return new Engine(NO_SERVICES, { maxBatch: 1, decidedThrough: Infinity, featuresOnly: features });
}

function notNeeded(): never {
  throw new Error('an engine that only keeps features needs no services');
}

const NO_SERVICES: EngineServices = {
  loadModel: notNeeded,
  createFeatures: notNeeded,
  buildFeatures: notNeeded,
  compiled: () => null,
  storedDecision: notNeeded,
};
