import type { CompiledConfiguration } from '../../operators/configuration.ts';
import { codedMessage } from '../codedMessage.ts';
import type { Refusal } from '../gateway.ts';
import type { Clock } from '../ports.ts';
import { backtest } from './backtest.ts';
import type { BacktestReport } from './backtestReport.ts';
import type { BacktestSpan, HistoryRows } from './historyFacts.ts';
import type { OpenHistory } from './publicationGate.ts';
import type { ReviewSettings } from './reviewSettings.ts';

/** How far the backtest that was asked for last is. */
export interface BacktestState {
  /** reading: what was in force, lists, models. deciding: every payment of the span. none: nobody asked since the start. */
  readonly stage: 'none' | 'reading' | 'deciding' | 'done' | 'failed' | 'cancelled';
  readonly startedMs: number | null;
  readonly elapsedMs: number | null;
  readonly error: string | null;
  readonly report: BacktestReport | null;
}

export interface BacktestsServices {
  readonly review: ReviewSettings;
  readonly openHistory: OpenHistory;
  readonly clock: Clock;
}

/** A backtest that takes longer is given up: ten million payments take some seconds. */
export const BACKTEST_WITHIN_MS = 600_000;

const NONE: BacktestState = { stage: 'none', startedMs: null, elapsedMs: null, error: null, report: null };

/** Backtests that people ask a running Sluice for: one at a time, in the history's process, and the last one's report is kept. */
export class Backtests {
  readonly #services: BacktestsServices;
  #state: BacktestState = NONE;
  #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(services: BacktestsServices) {
    this.#services = services;
  }

  /** Starts to decide the span's payments anew by `configuration`. */
  start(configuration: CompiledConfiguration, span: BacktestSpan): Refusal | null {
    if (this.#isRunning) {
      const message = 'another backtest is running: wait for it, or end it (DELETE /v1/backtests/latest)';
      return { code: 'SLUICE_BACKTEST_BUSY', field: null, message };
    }
    this.#ending = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(BACKTEST_WITHIN_MS)]);
    const rows = this.#services.openHistory(signal);
    if (rows === null) {
      const message = 'Sluice runs without a history: there is nothing to look back on';
      return { code: 'SLUICE_BACKTEST_NO_HISTORY', field: null, message };
    }
    const startedMs = this.#services.clock();
    this.#state = { ...NONE, stage: 'reading', startedMs };
    this.#running = this.#run(configuration, span, rows, signal);
    return null;
  }

  state(): BacktestState {
    const { startedMs, elapsedMs } = this.#state;
    if (startedMs === null || elapsedMs !== null) return this.#state;
    return { ...this.#state, elapsedMs: Math.max(0, this.#services.clock() - startedMs) };
  }

  cancel(): BacktestState {
    if (this.#isRunning) this.#end({ stage: 'cancelled' });
    this.#ending.abort();
    return this.state();
  }

  async stop(): Promise<void> {
    this.cancel();
    await this.#running;
  }

  get #isRunning(): boolean {
    return this.#state.stage === 'reading' || this.#state.stage === 'deciding';
  }

  async #run(
    configuration: CompiledConfiguration,
    span: BacktestSpan,
    rows: HistoryRows,
    signal: AbortSignal,
  ): Promise<void> {
    const ending = this.#ending;
    const isMine = (): boolean => ending === this.#ending && this.#isRunning;
    try {
      const report = await backtest(configuration, span, this.#services.review, rows, () => {
        if (isMine()) this.#state = { ...this.#state, stage: 'deciding' };
      });
      if (isMine()) this.#end({ stage: 'done', report });
    } catch (error) {
      if (isMine()) this.#end({ stage: 'failed', error: messageOf(error, signal) });
    }
  }

  #end(end: Partial<BacktestState>): void {
    const elapsedMs = this.state().elapsedMs;
    this.#state = { ...this.#state, elapsedMs, ...end };
  }
}

function messageOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted)
    return `SLUICE_BACKTEST_TIME: it took more than ${BACKTEST_WITHIN_MS / 60_000} minutes: ask for fewer days or decisions`;
  return codedMessage(error);
}
