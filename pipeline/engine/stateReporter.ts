import { setImmediate } from 'node:timers/promises';
import type { FeatureStatistics } from '../../operators/features/featureState.ts';
import { totalBytes } from '../../operators/features/stateMemory.ts';
import type { StateContents } from '../../operators/features/stateSurvey.ts';
import { maskCardNumbers } from '../cardNumbers.ts';
import type { Engine } from './engine.ts';

/** What the engine's feature state holds, for people. */
export interface StateReport extends StateContents {
  readonly catalogueSha256: string;
  /** The engine's time. */
  readonly timeMs: number;
  /** Of memory, in all. */
  readonly bytes: number;
  readonly statistics: FeatureStatistics;
  /** As Engine has it. */
  readonly refusedIds: number;
}

/** What of an engine is reported. */
export type ReportedEngine = Pick<Engine, 'features' | 'refusedIds'>;

/** Surveys the engine's feature state between other work: no step holds a payment up for long, however many keys there are. */
export class StateReporter {
  readonly #engine: () => ReportedEngine;
  /** A survey goes over all keys, so who asks meanwhile gets the same one. */
  #running: Promise<StateReport | null> | null = null;

  constructor(engine: () => ReportedEngine) {
    this.#engine = engine;
  }

  /** Null: there is no feature state yet. */
  report(): Promise<StateReport | null> {
    this.#running ??= this.#survey().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #survey(): Promise<StateReport | null> {
    const { features } = this.#engine();
    if (features === null) return null;
    const survey = features.survey();
    while (survey.step()) await setImmediate();
    const { memory, features: shares, hottest } = survey.contents();
    return {
      catalogueSha256: features.catalogue.sha256,
      timeMs: features.timeMs,
      bytes: totalBytes(memory),
      memory,
      features: shares,
      // Ingest lets no card number through. Should one ever be a key, it is still not shown.
      hottest: hottest.map(({ entity, keys }) => ({
        entity,
        keys: keys.map(({ texts, events }) => ({ texts: texts.map(maskCardNumbers), events })),
      })),
      statistics: features.statistics(),
      refusedIds: this.#engine().refusedIds,
    };
  }
}
