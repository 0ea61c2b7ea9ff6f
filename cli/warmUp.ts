import { runImport } from '../pipeline/import/importRun.ts';
import type { ImportEvent } from '../pipeline/import/mergeLabels.ts';
import { simulate, type SimulatedEvent } from '../pipeline/simulate/simulate.ts';
import type { SimulationOptions } from '../pipeline/simulate/options.ts';
import { RunningSluice, type RunOptions } from './runningSluice.ts';

const TIME_LIMIT_MS = 10_000;

export interface WarmUp {
  readonly payments: number;
  /** How long before the start a slow machine had to stop; 0: it came to the end. */
  readonly missingMs: number;
}

/**
 * Puts a simulation's payments before its start into a new data folder, in order of time, as an import does: so customers
 * have a history when live payments begin, and the live figures hold none of these. A slow machine leaves out the newest
 * after a while.
 */
export async function warmUp(
  options: Pick<RunOptions, 'deployment' | 'dataDir' | 'logger'>,
  simulation: SimulationOptions,
): Promise<WarmUp> {
  const sluice = await RunningSluice.start({ ...options, http: null, isLive: false, history: false });
  const timeLimit = AbortSignal.timeout(TIME_LIMIT_MS);
  const events = new EventsBefore(simulation);
  const running = runImport(events, {
    services: {
      ledger: sluice.data.ledger,
      decisions: sluice.data.decisions,
      clock: Date.now,
      telemetry: sluice.telemetry,
      cardKey: sluice.cardKey,
    },
    source: `warm-up:${simulation.idPrefix}`,
    engineOffset: () => sluice.pipeline.engine.nextOffset,
    signal: timeLimit,
    onProgress: () => undefined,
  });
  const { payments } = await Promise.race([running, sluice.pipeline.failed]);
  await sluice.stop();
  return { payments, missingMs: timeLimit.aborted ? simulation.startTimeMs - events.reachedMs : 0 };
}

/** A simulation without what comes before its start. */
export function* eventsFromStart(simulation: SimulationOptions): Generator<SimulatedEvent, void, undefined> {
  for (const event of simulate(simulation)) {
    if (event.timeMs >= simulation.startTimeMs) yield event;
  }
}

class EventsBefore implements AsyncIterable<ImportEvent> {
  /** The time of the event given last. */
  reachedMs = 0;
  readonly #simulation: SimulationOptions;

  constructor(simulation: SimulationOptions) {
    this.#simulation = simulation;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ImportEvent, void, undefined> {
    for (const { kind, timeMs, event } of simulate(this.#simulation)) {
      if (timeMs >= this.#simulation.startTimeMs) return;
      this.reachedMs = timeMs;
      const value = { ...event };
      if (kind === 'transaction') yield { kind, value, isFollowed: true };
      else yield { kind, value, transactionId: event.transactionId };
    }
  }
}
