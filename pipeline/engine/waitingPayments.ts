import type { Degradation, RiskLevel, Transaction } from '../../schemas/types.ts';

/** A payment that has been advanced and waits to be decided; its features are row `row` of the matrix. */
export interface WaitingPayment {
  readonly row: number;
  readonly ledgerOffset: number;
  readonly transaction: Transaction;
  readonly contentHash: string;
  readonly engineTimeMs: number;
  readonly isLate: boolean;
  readonly riskLevel: RiskLevel;
  readonly degradation: Degradation;
}

/**
 * Up to `capacity` advanced payments with their features, row-major in one matrix that is reused. One entry more than the
 * rows is never needed, since the engine decides when the matrix is full.
 */
export class WaitingPayments {
  readonly capacity: number;
  readonly width: number;
  readonly features: Float64Array;
  readonly payments: WaitingPayment[] = [];

  constructor(capacity: number, width: number) {
    this.capacity = capacity;
    this.width = width;
    this.features = new Float64Array(capacity * width);
  }

  get isFull(): boolean {
    return this.payments.length === this.capacity;
  }

  /** Start of the next payment's row in `features`. */
  get nextBase(): number {
    return this.payments.length * this.width;
  }

  clear(): void {
    this.payments.length = 0;
  }
}
