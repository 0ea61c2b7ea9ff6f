import type { DecisionRow, SealRow } from '../ports.ts';
import { LedgerUnavailableError } from '../ports.ts';
import type { ManualTime } from './manualTime.ts';
import { MemoryDecisionStore } from './memoryDecisionStore.ts';
import { MemoryLedger } from './memoryLedger.ts';

/** What the disk does to those that write to it. */
export class DiskFault {
  /** Takes nothing. */
  isFull = false;
  /** How long each write takes. */
  delayMs = 0;
}

/** A ledger on a disk that may be full or slow. */
export class FaultyLedger extends MemoryLedger {
  readonly #disk: DiskFault;
  readonly #time: ManualTime;

  constructor(disk: DiskFault, time: ManualTime) {
    super();
    this.#disk = disk;
    this.#time = time;
  }

  override async append(values: readonly Buffer[]): Promise<number> {
    if (this.#disk.delayMs > 0) await this.#time.after(this.#disk.delayMs);
    if (this.#disk.isFull) throw fullError();
    return super.append(values);
  }
}

/** Decisions on a disk that may be full or slow. */
export class FaultyDecisionStore extends MemoryDecisionStore {
  readonly #disk: DiskFault;
  readonly #time: ManualTime;

  constructor(disk: DiskFault, time: ManualTime) {
    super();
    this.#disk = disk;
    this.#time = time;
  }

  override async put(decisions: readonly DecisionRow[], seals: readonly SealRow[] = []): Promise<void> {
    if (this.#disk.delayMs > 0) await this.#time.after(this.#disk.delayMs);
    if (this.#disk.isFull) throw fullError();
    return super.put(decisions, seals);
  }
}

function fullError(): LedgerUnavailableError {
  return new LedgerUnavailableError('SLUICE_LEDGER_FULL', 'No room left.');
}
