import { decodeSeal } from '../pipeline/chain/seal.ts';
import type { DecisionStore, Logger } from '../pipeline/ports.ts';

const INTERVAL_MS = 3_600_000;

/** Says the newest seal in the log, which is often kept on another machine: what `sluice verify --expect` is later asked with. */
export class ChainHeads {
  readonly #decisions: Pick<DecisionStore, 'lastSeal'>;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;

  constructor(decisions: Pick<DecisionStore, 'lastSeal'>, logger: Logger) {
    this.#decisions = decisions;
    this.#logger = logger;
    this.#timer = setInterval(() => {
      this.#say();
    }, INTERVAL_MS);
    this.#say();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#say();
  }

  #say(): void {
    const last = this.#decisions.lastSeal();
    const seal = last === null ? undefined : decodeSeal(last.ledgerOffset, last.value);
    if (seal === undefined) return;
    this.#logger.info({ head: `${seal.ledgerOffset}:${seal.chainSha256}` }, 'chain head');
  }
}
