/** How much the server takes on at the same moment. Over the bound it says no; it never queues. */
export class Admission {
  readonly #maxPayments: number;
  readonly #maxBodyBytes: number;
  #payments = 0;
  #bodyBytes = 0;

  constructor(bounds: { readonly maxInFlight: number; readonly maxBodyBytesInFlight: number }) {
    this.#maxPayments = bounds.maxInFlight;
    this.#maxBodyBytes = bounds.maxBodyBytesInFlight;
  }

  get payments(): number {
    return this.#payments;
  }

  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  get isFull(): boolean {
    return this.#payments >= this.#maxPayments;
  }

  tryEnter(payments: number): boolean {
    if (this.#payments + payments > this.#maxPayments) return false;
    this.#payments += payments;
    return true;
  }

  leave(payments: number): void {
    this.#payments -= payments;
  }

  tryReceive(bytes: number): boolean {
    if (this.#bodyBytes + bytes > this.#maxBodyBytes) return false;
    this.#bodyBytes += bytes;
    return true;
  }

  received(bytes: number): void {
    this.#bodyBytes -= bytes;
  }
}
