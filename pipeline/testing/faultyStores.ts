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
  readonly #time: ManualTime;

  constructor(time: ManualTime) {
    this.#time = time;
  }

  /** Every write begins with this. */
  async write(): Promise<void> {
    if (this.delayMs > 0) await this.#time.after(this.delayMs);
    if (this.isFull) throw new LedgerUnavailableError('SLUICE_LEDGER_FULL', 'No room left.');
  }
}

/** A ledger on a disk that may be full or slow. */
export class FaultyLedger extends MemoryLedger {
  readonly #disk: DiskFault;

  constructor(disk: DiskFault) {
    super();
    this.#disk = disk;
  }

  override async append(values: readonly Buffer[]): Promise<number> {
    await this.#disk.write();
    return super.append(values);
  }
}

/** Decisions on a disk that may be full or slow. */
export class FaultyDecisionStore extends MemoryDecisionStore {
  readonly #disk: DiskFault;

  constructor(disk: DiskFault) {
    super();
    this.#disk = disk;
  }

  override async put(decisions: readonly DecisionRow[], seals: readonly SealRow[] = []): Promise<void> {
    await this.#disk.write();
    return super.put(decisions, seals);
  }
}
