import type { Logger } from '../../pipeline/ports.ts';
import type { ReservoirError } from './reservoirError.ts';

/** What is counted of the reservoirs. infra/metrics turns it into Prometheus series. */
export interface ReservoirMetrics {
  /** Blocks that wait in memory for their disk now. */
  waitingBlocks(count: number): void;
  /** The disk did not take a block. */
  blockWriteFailed(): void;
}

/** Tells the operator when disks stop taking blocks, and when they take them again: over all stores of a process, once each. */
export class ReservoirHealth {
  readonly #metrics: ReservoirMetrics;
  readonly #logger: Logger;
  #waiting = 0;
  #failedWrites = 0;

  constructor(metrics: ReservoirMetrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
  }

  writeFailed({ code, message }: ReservoirError): void {
    this.#metrics.blockWriteFailed();
    this.#failedWrites += 1;
    if (this.#failedWrites > 1) return;
    this.#logger.warn({ code, reason: message }, 'events cannot be written and wait in memory');
  }

  /** So many more blocks wait than before; negative: fewer. */
  waitingChanged(by: number): void {
    this.#waiting += by;
    this.#metrics.waitingBlocks(this.#waiting);
    if (this.#waiting > 0 || this.#failedWrites === 0) return;
    this.#logger.info({ failedWrites: this.#failedWrites }, 'no event waits for its disk any more');
    this.#failedWrites = 0;
  }
}
